"""How loud must a tone be to be heard? Louder is never heard less often, and the model knows it.

Runs in one process, without a server program: `python examples/monotone.py`.
"""

from __future__ import annotations

from fechner.server import Server
from fechner.strategies.models.normal import ndtr
from fechner.strategies.random import rng
from fechner_client import Client

CONFIG = """
[common]
parnames = [octave, level]
outcome_types = [binary]
strategy_names = [explore, refine]

[octave]
par_type = continuous
lower_bound = -2
upper_bound = 3
unit = log2(kHz)

[level]
par_type = continuous
lower_bound = -10
upper_bound = 90
unit = dB

[explore]
generator = SobolGenerator
min_asks = 6

[refine]
generator = OptimizeAcqfGenerator
model = MonotonicProjectionGP
min_asks = 34

[MonotonicProjectionGP]
monotonic_dims = [level]

[OptimizeAcqfGenerator]
acqf = EAVC

[EAVC]
target = 0.75
"""

OCTAVES = (-1.5, -0.5, 0.5, 1.5, 2.5)


def threshold(octave: float) -> float:
    """The level, in dB, that the simulated listener hears in 75 % of the trials: worse at high pitch."""
    return 20.0 + 4.0 * octave + 2.5 * octave * octave


def run(seed: int = 1) -> dict[float, float | None]:
    """One listener's trials; the threshold found at each octave."""
    random = rng(seed, "listener")
    with Server() as server:
        client = Client(server=server)
        client.setup(CONFIG, name="monotone", seed=seed)
        for trial in client.trials():
            above = (trial["level"] - threshold(trial["octave"])) / 6.0
            trial.tell(int(random.random() < float(ndtr(above + 0.6745))))
        found = client.thresholds(0.75, x={"octave": list(OCTAVES)})
        for octave, one in zip(OCTAVES, found, strict=True):
            said = f"{one.value} dB ({one.lower} to {one.upper})"
            print(f"{2**octave:5.2f} kHz: {said}, truly {threshold(octave):g}")
        client.close()
    return {octave: one.value for octave, one in zip(OCTAVES, found, strict=True)}


if __name__ == "__main__":
    run()
