"""How loud is comfortable? Found from ratings on a scale from 0 (not heard) to 4 (too loud).

Runs in one process, without a server program: `python examples/ordinal.py`.
"""

from __future__ import annotations

import math

from fechner.server import Server
from fechner.strategies.random import rng
from fechner_client import Client

CONFIG = """
[common]
parnames = [frequency, level]
outcome_types = [ordinal]
outcome_names = [loudness]
strategy_names = [explore, rate]

[frequency]
par_type = continuous
lower_bound = 250
upper_bound = 8000
scale = log
unit = Hz

[level]
par_type = continuous
lower_bound = 0
upper_bound = 110
unit = dB

[OrdinalLikelihood]
n_levels = 5

[explore]
generator = SobolGenerator
min_asks = 8

[rate]
generator = OptimizeAcqfGenerator
model = OrdinalGPModel
min_asks = 42

[OptimizeAcqfGenerator]
acqf = MCPosteriorVariance
"""

FREQUENCIES = (500.0, 1000.0, 4000.0)
CUTS = (-35.0, -12.0, 12.0, 35.0)  # of the categories, in dB from the comfortable level


def comfortable(frequency: float) -> float:
    """The simulated listener's comfortable level in dB: higher at high frequencies."""
    return 60.0 + 6.0 * math.tanh(math.log2(frequency / 2000.0))


def run(seed: int = 1) -> dict[float, float | None]:
    """One listener's ratings; for each frequency the level whose expected rating is 2."""
    random = rng(seed, "listener")
    with Server() as server:
        client = Client(server=server)
        client.setup(CONFIG, name="loudness", seed=seed)
        for trial in client.trials():
            felt = trial["level"] - comfortable(trial["frequency"]) + 6.0 * random.standard_normal()
            trial.tell(sum(felt > cut for cut in CUTS))
        found = client.thresholds(2.0, "level", {"frequency": list(FREQUENCIES)})
        for one in found:
            print(f"comfortable at {one.x['frequency']:.0f} Hz: {one.value:.1f} dB", (one.lower, one.upper))
        shares = client.prediction({"frequency": 1000.0, "level": 80.0}).probabilities[0]
        print("ratings of 80 dB at 1000 Hz:", ", ".join(f"{k}: {p:.2f}" for k, p in enumerate(shares)))
        client.close()
    return {one.x["frequency"]: one.value for one in found}


if __name__ == "__main__":
    run()
