"""Contrast thresholds across the visual field in thirty trials, with what is known beforehand.

Nothing is seen where there is no contrast, and full contrast is seen nearly always: two boxes of constraint
points say so, loosely: f may be far beyond. Fingers slip now and then, at a rate that is found out.

Runs in one process, without a server program: `python examples/constrained.py`.
"""

from __future__ import annotations

from fechner.server import Server
from fechner.strategies.models.normal import ndtr
from fechner.strategies.random import rng
from fechner_client import Client

CONFIG = """
[common]
parnames = [eccentricity, contrast]
outcome_types = [binary]
strategy_names = [explore, refine]

[eccentricity]
par_type = continuous
lower_bound = 0
upper_bound = 20
unit = deg

[contrast]
par_type = continuous
lower_bound = 0
upper_bound = 1

[explore]
generator = SobolGenerator
min_asks = 5

[refine]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 25

[GPClassificationModel]
lapse = estimate
constraint_factory = known

[known]
constraint_lower = [[0, 0], [0, 1]]
constraint_upper = [[20, 0], [20, 1]]
constraint_values = [0.005, 0.995]
constraint_strengths = 2
points_per_dim = 5

[OptimizeAcqfGenerator]
acqf = EAVC

[EAVC]
target = 0.75
"""

PLACES = (2.0, 6.0, 10.0, 14.0, 18.0)
LAPSE = 0.03


def threshold(eccentricity: float) -> float:
    """The contrast at which the simulated observer, without slips, sees 75 %: less far out."""
    return 0.2 + 0.02 * eccentricity


def run(seed: int = 1) -> dict[float, float | None]:
    """One observer's trials; the threshold found at each place."""
    random = rng(seed, "observer")
    with Server() as server:
        client = Client(server=server)
        client.setup(CONFIG, name="constrained", seed=seed)
        for trial in client.trials():
            above = (trial["contrast"] - threshold(trial["eccentricity"])) / 0.1
            seen = random.random() < (1 - LAPSE) * float(ndtr(above + 0.6745))
            trial.tell(int(seen))
        found = client.thresholds(0.75, x={"eccentricity": list(PLACES)})
        for place, one in zip(PLACES, found, strict=True):
            print(f"{place:4g} deg: {one.value} ({one.lower} to {one.upper}), truly {threshold(place):g}")
        client.close()
    return {place: one.value for place, one in zip(PLACES, found, strict=True)}


if __name__ == "__main__":
    run()
