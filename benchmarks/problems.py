"""The problems of benchmarks/quality.py: who answers, and how well a fitted model knows it.

Brier score (B. Letham et al. 2022): the mean over 1,000 Sobol points of
2 ([f(x) <= f_target] - P(f(x) <= f_target))^2, P by the model's posterior. .5 knows nothing, 0 everything.
Threshold error (L. Owen et al. 2021): at equally spaced values of one parameter, the difference between the
other's values at which the model and the observer reach the target. Where one doesn't reach it, its threshold
is the nearer end of the range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import brentq

from fechner.strategies import Strategy
from fechner.strategies.core.strategy import model_component, queried, usable_hyperparameters
from fechner.strategies.models import Posterior, fit, posterior
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.simulation import (
    Observer,
    audiogram,
    contrast_sensitivity,
    detection,
    discrimination,
    discrimination_8d,
    hartmann_6,
    read_responses,
)

POINTS = 1000
LINES = 50


@dataclass(frozen=True)
class Problem:
    """A problem.

    Attributes:
        observer: made from the path of the data, which most need not have.
        along: the parameter whose threshold is sought, for each value of the only other one; or None.
        needs_data: whether the observer needs data.
    """

    observer: Callable[[Path | None], Observer]
    along: str | None = None
    needs_data: bool = False


def _contrast(data: Path | None) -> Observer:
    assert data is not None
    return contrast_sensitivity(*read_responses(data))


PROBLEMS = {
    "detection": Problem(lambda _: detection(), "x2"),
    "discrimination": Problem(lambda _: discrimination(), "x2"),
    "discrimination-8d": Problem(lambda _: discrimination_8d()),
    "hartmann-6": Problem(lambda _: hartmann_6()),
    "contrast": Problem(_contrast, needs_data=True),
    "audiogram": Problem(lambda _: audiogram(target=0.75), "level"),
}


def fitted(strategy: Strategy) -> Posterior:
    """The posterior of a strategy's model fitted to all that it was told, as for a query."""
    state = queried(strategy.state)
    model = model_component(state)
    x, y = state.modelled()
    return posterior(model, x, y[:, 0], fit(model, x, y[:, 0], usable_hyperparameters(state)))


class Judge:
    """Knows an observer's truth, and how far a model is from it.

    Args:
        problem: whose metrics are wanted.
        observer: the problem's.
    """

    def __init__(self, problem: Problem, observer: Observer) -> None:
        self._observer = observer
        self._along = problem.along
        lower, upper = np.array(list(observer.bounds.values())).T
        points = lower + (upper - lower) * sobol(key(0, "judged"), len(lower), 0, POINTS)
        self._configs = [dict(zip(observer.bounds, map(float, row), strict=True)) for row in points]
        self._below = np.array([observer.latent(c) <= observer.latent_target() for c in self._configs])
        if self._along is not None:
            (self._other,) = (name for name in observer.bounds if name != self._along)
            self._values = np.linspace(*observer.bounds[self._other], LINES)
            self._thresholds = np.array([self._threshold(float(value)) for value in self._values])

    def __call__(self, strategy: Strategy) -> dict[str, float]:
        """The metrics by name."""
        core = fitted(strategy)
        unit = np.array([strategy.state.space.encode(config) for config in self._configs])
        mean, sd = core.moments(unit.reshape(POINTS, -1), "latent")
        chance = ndtr((core.latent_of(self._observer.target) - mean) / sd)
        found = {"brier": float(np.mean(2.0 * np.square(self._below - chance)))}
        if self._along is not None:
            errors = np.abs(self._estimates(strategy) - self._thresholds)
            found["threshold_rmse"] = float(np.sqrt(np.mean(errors**2)))
            found["threshold_max"] = float(errors.max())
        return found

    def _threshold(self, value: float) -> float:
        """The true one where the other parameter has a value."""
        assert self._along is not None
        low, high = self._observer.bounds[self._along]

        def excess(level: float) -> float:
            config = {self._other: value, self._along: level}
            return self._observer.latent(config) - self._observer.latent_target()

        if excess(low) >= 0.0:
            return low
        return high if excess(high) <= 0.0 else float(brentq(excess, low, high))

    def _estimates(self, strategy: Strategy) -> Any:
        """The model's, as a query answers."""
        assert self._along is not None
        low, high = self._observer.bounds[self._along]
        others = {self._other: self._values.tolist()}
        target = self._observer.target
        said = strategy.query("threshold", parameter=self._along, y=target, x=others)["x"][self._along]
        middle = strategy.query("prediction", x={**others, self._along: [(low + high) / 2] * LINES})["y"]
        ends = [low if mean > target else high for mean in middle]
        return np.array([end if one is None else one for one, end in zip(said, ends, strict=True)])
