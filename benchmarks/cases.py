"""The sessions that are timed: configurations, simulated observers, and the trials told beforehand.

A case is a kind and a number of dimensions, "straddle-2d" for instance. One text configures every server
that is compared, in the format that they share; nothing in it is particular to one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fechner.strategies.numerics.randomness import key, rng
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.simulation import (
    Observer,
    bump_1d,
    bump_2d,
    cumulative_normal,
    discrimination,
    discrimination_8d,
    hartmann_6,
    measured,
    preference,
)

Config = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """What is asked for.

    Attributes:
        model, acquisition: their names in a configuration.
        outcome: binary or continuous.
        stimuli: per trial.
        leveled: whether the acquisition function needs a target.
    """

    model: str
    acquisition: str
    outcome: str = "binary"
    stimuli: int = 1
    leveled: bool = True


KINDS = {
    "straddle": Kind("GPClassificationModel", "MCLevelSetEstimation"),
    "EAVC": Kind("GPClassificationModel", "EAVC"),
    "GlobalMI": Kind("GPClassificationModel", "GlobalMI"),
    "regression": Kind("GPRegressionModel", "qLogNoisyExpectedImprovement", "continuous", 1, False),
    "pairwise": Kind("PairwiseProbitModel", "qNoisyExpectedImprovement", "binary", 2, False),
    "pairwise-EUBO": Kind("PairwiseProbitModel", "AnalyticExpectedUtilityOfBestOption", "binary", 2, False),
}

#: Of the fit and of the optimiser: as they come, or the limits that the peer's documentation advises.
SETTINGS: dict[str, dict[str, str]] = {
    "default": {},
    "capped": {"refit_every": "5", "max_gen_time": "0.1"},
}


def observers(kind: Kind) -> dict[int, Observer]:
    """Who answers, by the number of dimensions."""
    small = (
        {1: cumulative_normal(0.0, 0.5, bounds=(-2.0, 2.0)), 2: discrimination()}
        if kind.leveled
        else {1: bump_1d(), 2: bump_2d()}
    )
    return {**small, 6: hartmann_6(), 8: discrimination_8d()}


DIMENSIONS = (1, 2, 6, 8)
CASES = {f"{name}-{d}d": (name, d) for name in KINDS for d in DIMENSIONS}
#: What a table shows unless told otherwise.
USUAL = (
    "straddle-1d",
    "straddle-2d",
    "EAVC-2d",
    "GlobalMI-2d",
    "GlobalMI-6d",
    "EAVC-8d",
    "regression-2d",
    "pairwise-2d",
)


def config(kind: Kind, observer: Observer, setting: str = "default", seed: int = 1) -> str:
    """INI text: one Sobol trial, then the model's for as long as one likes."""
    capped = SETTINGS[setting]
    boxes = "".join(
        f"[{name}]\npar_type = continuous\nlower_bound = {low}\nupper_bound = {high}\n"
        for name, (low, high) in observer.bounds.items()
    )
    refit = f"refit_every = {capped['refit_every']}\n" if "refit_every" in capped else ""
    limit = f"max_gen_time = {capped['max_gen_time']}\n" if "max_gen_time" in capped else ""
    target = f"[{kind.acquisition}]\ntarget = {observer.target}\n" if kind.leveled else ""
    return f"""
[common]
parnames = [{", ".join(observer.bounds)}]
outcome_types = [{kind.outcome}]
stimuli_per_trial = {kind.stimuli}
strategy_names = [init, opt]
seed = {seed}
{boxes}[init]
generator = SobolGenerator
min_asks = 1
min_total_outcome_occurrences = 0
[opt]
generator = OptimizeAcqfGenerator
model = {kind.model}
min_asks = 100000
{refit}[OptimizeAcqfGenerator]
acqf = {kind.acquisition}
{limit}{target}"""


def outcome(kind: Kind, observer: Observer, told: Config, random: np.random.Generator) -> float:
    """The observer's answer to a trial: a value for each parameter, or a pair of them for two stimuli."""
    if kind.outcome == "continuous":
        return measured(observer, told, random)
    if kind.stimuli == 2:
        first, second = ({name: pair[i] for name, pair in told.items()} for i in (0, 1))
        return int(random.random() < preference(observer, first, second))
    return observer.sample(told, random)


def beforehand(kind: Kind, observer: Observer, n: int, seed: int) -> tuple[list[Config], list[float]]:
    """`n` Sobol trials and the answers to them, the same whoever is told them."""
    names = list(observer.bounds)
    lower, upper = np.array(list(observer.bounds.values())).T
    flat = sobol(key(seed, "told"), kind.stimuli * len(names), 0, n)
    points = lower + (upper - lower) * flat.reshape(n, kind.stimuli, len(names))
    configs: list[Config] = [
        {name: point[0, i] if kind.stimuli == 1 else point[:, i].tolist() for i, name in enumerate(names)}
        for point in points
    ]
    random = rng(seed, "answers")
    return configs, [outcome(kind, observer, one, random) for one in configs]
