"""Smooth functions with one maximum, for sessions that look for the best place, and who judges by them.

`measured` and `preference` turn the latent function of any `Observer` into continuous outcomes and into
choices between two stimuli.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.simulation.observers import Observer


def bump_1d(location: float = 0.0, *, bounds: tuple[float, float] = (-2.0, 2.0)) -> Observer:
    """f = exp(-(x - location)^2)."""
    return Observer("bump, 1-d", {"x": bounds}, lambda c: float(np.exp(-((c["x"] - location) ** 2))))


def bump_2d(*, bounds: tuple[float, float] = (-1.0, 1.0)) -> Observer:
    """f = exp(-||x||) on a square."""
    square = {"x1": bounds, "x2": bounds}
    return Observer("bump, 2-d", square, lambda c: float(np.exp(-np.hypot(c["x1"], c["x2"]))))


def measured(
    observer: Observer, config: Mapping[str, Any], rng: np.random.Generator, *, sd: float = 0.1
) -> float:
    """A continuous outcome at a configuration: f plus Gaussian noise of standard deviation `sd`."""
    return observer.latent(config) + sd * float(rng.standard_normal())


def preference(observer: Observer, first: Mapping[str, Any], second: Mapping[str, Any]) -> float:
    """P(the second stimulus is preferred) = Phi((f(second) - f(first)) / sqrt 2)."""
    return float(ndtr((observer.latent(second) - observer.latent(first)) / np.sqrt(2.0)))
