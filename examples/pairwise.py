"""Which hearing-aid setting does a listener like best? Found by comparing two settings at a time.

Runs in one process, without a server program: `python examples/pairwise.py`.
"""

from __future__ import annotations

from fechner.server import Server
from fechner.strategies.models.normal import ndtr
from fechner.strategies.random import rng
from fechner_client import Client

CONFIG = """
[common]
parnames = [bass, treble, program]
outcome_types = [binary]
stimuli_per_trial = 2
strategy_names = [explore, prefer]

[bass]
par_type = continuous
lower_bound = -12
upper_bound = 12
unit = dB

[treble]
par_type = continuous
lower_bound = -12
upper_bound = 12
unit = dB

[program]
par_type = categorical
choices = [speech, music]

[explore]
generator = SobolGenerator
min_asks = 8

[prefer]
generator = OptimizeAcqfGenerator
model = PairwiseProbitModel
min_asks = 42

[OptimizeAcqfGenerator]
acqf = BernoulliMCMutualInformation
"""

FAVOURITE = {"bass": 4.0, "treble": -3.0, "program": "music"}


def utility(bass: float, treble: float, program: str) -> float:
    """What the simulated listener feels: best at FAVOURITE, less with the other program."""
    away = (bass - FAVOURITE["bass"]) ** 2 + (treble - FAVOURITE["treble"]) ** 2
    return -away / 50.0 - (1.5 if program != FAVOURITE["program"] else 0.0)


def run(seed: int = 1) -> dict[str, float | str]:
    """One listener's comparisons; the setting that the model takes for the best."""
    random = rng(seed, "listener")
    with Server() as server:
        client = Client(server=server)
        client.setup(CONFIG, name="pairwise", seed=seed)
        for trial in client.trials():
            first, second = (utility(**stimulus) for stimulus in trial.stimuli)
            probability = float(ndtr((second - first) / 2**0.5))
            trial.tell(int(random.random() < probability))  # 1: the second is preferred
        best = client.max()
        print("best setting:", best.x)
        print("its utility, above the average setting's:", round(best.y, 2), (best.lower, best.upper))
        flat = {"bass": 0.0, "treble": 0.0, "program": "speech"}
        pair = {name: [[flat[name], best.x[name]]] for name in flat}
        better = client.prediction(pair)[0]
        print("preferred to the flat setting with probability", round(better.y, 2))
        client.close()
    return dict(best.x)


if __name__ == "__main__":
    run()
