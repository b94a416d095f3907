"""Writes the figures of docs/how-to/plot.md: simulated sessions, drawn by `fechner plot` (half a minute).

python docs/pictures.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtr

from fechner.server import Server
from fechner.strategies.numerics.randomness import rng
from fechner.strategies.simulation import audiogram
from fechner_client import Client

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"

CONTRAST = """
[common]
parnames = [contrast]
outcome_types = [binary]
strategy_names = [explore, refine]
target = 0.75
[contrast]
par_type = continuous
lower_bound = 0.005
upper_bound = 1
scale = log
[explore]
generator = SobolGenerator
min_asks = 10
[refine]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 50
[OptimizeAcqfGenerator]
acqf = EAVC
"""
COMFORT = """
[common]
parnames = [speed, tilt]
outcome_types = [continuous]
outcome_names = [comfort]
strategy_names = [explore, refine]
[speed]
par_type = continuous
lower_bound = 0
upper_bound = 3
unit = m/s
[tilt]
par_type = continuous
lower_bound = -10
upper_bound = 10
unit = deg
[explore]
generator = SobolGenerator
min_asks = 10
[refine]
generator = OptimizeAcqfGenerator
model = GPRegressionModel
min_asks = 20
[OptimizeAcqfGenerator]
acqf = qLogNoisyExpectedImprovement
"""
Answer = Callable[[Mapping[str, Any], np.random.Generator], float]


def seen(config: Mapping[str, Any], random: np.random.Generator) -> float:
    """A psychometric function of log contrast, threshold near 0.11, with a lapse rate of 0.02."""
    return float(random.random() < 0.98 * ndtr((np.log10(config["contrast"]) + 1.1) / 0.25))


def comfort(config: Mapping[str, Any], random: np.random.Generator) -> float:
    """Best at 1.3 m/s on level ground, told with noise."""
    return float(5 - 2 * (config["speed"] - 1.3) ** 2 - (config["tilt"] / 6) ** 2 + 0.4 * random.normal())


def main() -> None:
    listener = audiogram("metabolic+sensory", beta_db=5.0, target=0.5, in_khz=True)
    hearing = (ROOT / "examples" / "audiogram.ini").read_text("utf-8")
    sessions: list[tuple[str, str, str, Answer, list[str]]] = [
        ("plot-curve", "contrast", CONTRAST, seen, []),
        (
            "plot-surface",
            "audiogram",
            hearing,
            lambda config, random: float(listener.sample(config, random)),
            [],
        ),
        ("plot-continuous", "treadmill", COMFORT, comfort, ["--target", "4"]),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, called, config, answer, options in sessions:
            record = Path(folder) / f"{name}.db"
            with Server(record) as server, Client(server=server) as client:
                client.setup(config, name=called, participant="simulated", seed=1)
                random = rng(1, name)
                for trial in client.trials():
                    trial.tell(answer(trial.config, random))
            picture = IMAGES / f"{name}.png"
            command = [sys.executable, "-m", "fechner.server.cli", "plot", "last", "--to", str(picture)]
            subprocess.run([*command, *options, "--db", str(record)], check=True)


if __name__ == "__main__":
    main()
