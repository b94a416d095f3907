"""Benchmark problems with known truth: detection, discrimination, and 1-d psychometric functions.

L. Owen, J. Browder, B. Letham, G. Stocek, C. Tymms & M. Shvartsman (2021), Adaptive nonparametric
psychophysics, arXiv 2104.09549: detection and discrimination. The 1-d observers are p(x) = guess + (1 - guess
- lapse) F(x) with F a Weibull, cumulative normal or logistic function (F. A. Wichmann & N. J. Hill 2001,
Perception & Psychophysics 63:1293-1313).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fechner.strategies.numerics.normal import ndtri
from fechner.strategies.simulation.observers import Observer

SQUARE = {"x1": (-1.0, 1.0), "x2": (-1.0, 1.0)}


def _width(x1: float) -> float:
    """c of both problems: 2 (.05 + .4 (.2 x1 - 1)^2 x1^2)."""
    return 2.0 * (0.05 + 0.4 * (0.2 * x1 - 1.0) ** 2 * x1**2)


def detection(*, target: float = 0.75) -> Observer:
    """f = 4 (x2 + 1) / c(x1) - 4 on [-1, 1]^2."""
    return Observer("detection", SQUARE, lambda c: 4.0 * (c["x2"] + 1.0) / _width(c["x1"]) - 4.0, target)


def discrimination(*, target: float = 0.75) -> Observer:
    """f = 2 (x2 + 1) / c(x1) on [-1, 1]^2: chance level at x2 = -1."""
    return Observer("discrimination", SQUARE, lambda c: 2.0 * (c["x2"] + 1.0) / _width(c["x1"]), target)


def _one_dimensional(
    name: str,
    core: Callable[[float], float],
    bounds: tuple[float, float],
    guess: float,
    lapse: float,
    target: float,
) -> Observer:
    def latent(config: Mapping[str, Any]) -> float:
        return float(ndtri(core(float(config["x"]))))

    return Observer(name, {"x": bounds}, latent, target, guess, lapse)


def weibull(
    scale: float,
    shape: float,
    *,
    bounds: tuple[float, float],
    guess: float = 0.0,
    lapse: float = 0.0,
    target: float = 0.75,
) -> Observer:
    """F(x) = 1 - exp(-(x / scale)^shape) for x > 0, else 0."""
    return _one_dimensional(
        "Weibull",
        lambda x: float(-np.expm1(-((x / scale) ** shape))) if x > 0 else 0.0,
        bounds,
        guess,
        lapse,
        target,
    )


def cumulative_normal(
    location: float,
    spread: float,
    *,
    bounds: tuple[float, float],
    guess: float = 0.0,
    lapse: float = 0.0,
    target: float = 0.75,
) -> Observer:
    """F(x) = Phi((x - location) / spread)."""
    return Observer(
        "cumulative normal",
        {"x": bounds},
        lambda config: (float(config["x"]) - location) / spread,
        target,
        guess,
        lapse,
    )


def logistic(
    location: float,
    spread: float,
    *,
    bounds: tuple[float, float],
    guess: float = 0.0,
    lapse: float = 0.0,
    target: float = 0.75,
) -> Observer:
    """F(x) = 1 / (1 + exp(-(x - location) / spread))."""
    return _one_dimensional(
        "logistic",
        lambda x: float(1.0 / (1.0 + np.exp(-np.clip((x - location) / spread, -700.0, 700.0)))),
        bounds,
        guess,
        lapse,
        target,
    )
