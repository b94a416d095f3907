"""How loud must a tone be to be heard? At every pitch a curve with a slope and an offset of its own tells.

Runs in one process, without a server program: `python examples/semi_parametric.py`.
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
generator = IntensityAwareSemiPGenerator
model = SemiParametricGPModel
min_asks = 34

[SemiParametricGPModel]
stim_dim = level
"""

OCTAVES = (-1.5, -0.5, 0.5, 1.5, 2.5)


def threshold(octave: float) -> float:
    """The level, in dB, that the simulated listener hears in 75 % of the trials: worse at high pitch."""
    return 20.0 + 4.0 * octave + 2.5 * octave * octave


def spread(octave: float) -> float:
    """How many dB raise the latent value by one: curves are shallower at high pitch."""
    return 5.0 + octave


def run(seed: int = 1) -> dict[float, float | None]:
    """One listener's trials; the threshold found at each octave."""
    random = rng(seed, "listener")
    with Server() as server:
        client = Client(server=server)
        client.setup(CONFIG, name="semi-parametric", seed=seed)
        for trial in client.trials():
            above = (trial["level"] - threshold(trial["octave"])) / spread(trial["octave"])
            trial.tell(int(random.random() < float(ndtr(above + 0.6745))))
        found = client.thresholds(0.75, x={"octave": list(OCTAVES)})
        for octave, one in zip(OCTAVES, found, strict=True):
            said = f"{one.value} dB ({one.lower} to {one.upper})"
            print(f"{2**octave:5.2f} kHz: {said}, truly {threshold(octave):g}")
        client.close()
    return {octave: one.value for octave, one in zip(OCTAVES, found, strict=True)}


if __name__ == "__main__":
    run()
