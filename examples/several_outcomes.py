"""Two outcomes of one trial: was the word understood, and how comfortable was it? Each is learned on its own.

Trials take turns: one where it is least known whether words are understood, one where comfort may be highest.
Runs in one process, without a server program: `python examples/several_outcomes.py`.
"""

from __future__ import annotations

from fechner.server import Server
from fechner.strategies.models.normal import ndtr
from fechner.strategies.random import rng
from fechner_client import Client

CONFIG = """
[common]
parnames = [level, compression]
outcome_types = [binary, continuous]
outcome_names = [understood, comfort]
strategy_names = [explore, learn]

[level]
par_type = continuous
lower_bound = 20
upper_bound = 100
unit = dB

[compression]
par_type = continuous
lower_bound = 1
upper_bound = 4

[explore]
generator = SobolGenerator
min_asks = 10

[learn]
generator = IndependentOptimizeAcqfGenerator
model = IndependentGPsModel
min_asks = 50

[IndependentGPsModel]
models = [GPClassificationModel, GPRegressionModel]

[IndependentOptimizeAcqfGenerator]
generators = [understanding, comforting]

[understanding]
class = OptimizeAcqfGenerator
acqf = EAVC

[comforting]
class = OptimizeAcqfGenerator
acqf = qLogNoisyExpectedImprovement

[EAVC]
target = 0.75
"""

BEST = {"level": 68.0, "compression": 2.2}


def threshold(compression: float) -> float:
    """The level in dB at which the simulated listener understands three words in four."""
    return 45.0 + 4.0 * (compression - 1.0)


def comfort(level: float, compression: float) -> float:
    """How comfortable it is: 8 at BEST, less anywhere else."""
    away = ((level - BEST["level"]) / 20.0) ** 2 + (compression - BEST["compression"]) ** 2
    return 8.0 - 2.0 * away


def run(seed: int = 1) -> tuple[float | None, dict[str, float]]:
    """One listener: the threshold at compression 2, and the most comfortable setting."""
    random = rng(seed, "listener")
    with Server() as server:
        client = Client(server=server)
        client.setup(CONFIG, name="two outcomes", seed=seed)
        for trial in client.trials():
            above = (trial["level"] - threshold(trial["compression"])) / 8.0
            trial.tell(
                {
                    "understood": int(random.random() < ndtr(above + 0.674)),
                    "comfort": comfort(trial["level"], trial["compression"]) + 0.5 * random.standard_normal(),
                }
            )
        level = client.threshold(0.75, "level", {"compression": 2.0}, outcome="understood")
        print(f"three words in four at compression 2: {level.value:.1f} dB", (level.lower, level.upper))
        best = client.max(outcome="comfort")
        print("most comfortable:", best.x, "comfort", round(best.y, 1), (best.lower, best.upper))
        client.close()
    return level.value, dict(best.x)


if __name__ == "__main__":
    run()
