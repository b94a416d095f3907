"""Maximising an acquisition function: a scrambled-Sobol scan, then the best few refined in length-scale
units.

All starts climb at once (quasi_newton.py), each on its own, with u = x / l as their variables, so that one
unit is one length scale in every direction; a start that lies far below the best one and gains little ends
early. Gradients are central differences where the function has none of its own. The answer is never worse
than the scan's best.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fechner.strategies.acquisition.acquisition import Acquisition
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.quasi_newton import minimise
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol

STEP = 1e-4  # of the differences, in length scales
ITERATIONS = 15
TOLERANCE = 1e-4  # of the scan's spread: a step that promises less ends a climb
LONGEST = 0.5  # length scales a step
HOPELESS = 5.0  # times what its last step brought: a start farther below the best one ends


def values_in_chunks(acquisition: Acquisition, x: Array, poll: Poll | None) -> Array:
    """The values of (m, d) points, in fixed chunks with a poll before each."""
    out = np.empty(len(x))
    for begin in range(0, len(x), acquisition.chunk):
        if poll is not None:
            poll()
        part = acquisition.values(x[begin : begin + acquisition.chunk])
        out[begin : begin + acquisition.chunk] = np.where(np.isfinite(part), part, -np.inf)
    return out


def maximise(
    acquisition: Acquisition,
    lengthscales: Array,
    *,
    seed: int,
    scan: int = 1024,
    starts: int = 10,
    evaluations: int | None = None,
    fixed: Mapping[int, float] | None = None,
    box: tuple[Array, Array] | None = None,
    points: Array | None = None,
    poll: Poll | None = None,
) -> tuple[Array, float]:
    """The best point found (d,) and its value.

    Args:
        acquisition: the function.
        lengthscales: (d,) of the model.
        seed: of the scan.
        scan: number of Sobol points.
        starts: how many of the best scanned points are refined.
        evaluations: limit on the number of gradient evaluations over all starts; None for none.
        fixed: values in unit space of dimensions that are not free.
        points: (m, d) to scan in place of Sobol points.
        box: lower and upper ends (d,) in unit space; the whole unit box if None.
        poll: called between evaluations; may raise to cancel.
    """
    d = len(lengthscales)
    lower, upper = (np.zeros(d), np.ones(d)) if box is None else (box[0].copy(), box[1].copy())
    for dimension, value in (fixed or {}).items():
        lower[dimension] = upper[dimension] = value
    if points is None:
        points = lower + (upper - lower) * sobol(key(seed, "scan"), d, 0, scan)
    if acquisition.scan is not None:
        values = acquisition.scan(points, poll)
    else:
        values = values_in_chunks(acquisition, points, poll)
    order = np.argsort(-values, kind="stable")
    best_x, best_value = points[order[0]].copy(), float(values[order[0]])
    finite = values[np.isfinite(values)]
    spread = float(finite.max() - np.median(finite)) if len(finite) else 0.0
    if not (np.any(upper > lower) and spread > 1e-300 and starts):
        return best_x, best_value
    begins = points[order[distinct(points[order], lengthscales, starts)]]
    x, value = _climbed(acquisition, begins, lengthscales, lower, upper, spread, evaluations, poll)
    return (x, value) if value > best_value else (best_x, best_value)


def _climbed(
    acquisition: Acquisition,
    begins: Array,
    lengthscales: Array,
    lower: Array,
    upper: Array,
    spread: float,
    evaluations: int | None,
    poll: Poll | None,
) -> tuple[Array, float]:
    """The best end (d,) of climbs from the rows of `begins`, and its value; `spread` is that of the scan."""
    free = np.flatnonzero(upper > lower)
    unit = np.clip(lengthscales[free], 0.02, 2.0)
    climb = acquisition.gradients or differences(acquisition, free, unit, lower, upper)

    def objective(u: Array, which: np.ndarray[Any, np.dtype[np.intp]]) -> tuple[Array, Array]:
        if poll is not None:
            poll()
        x = begins[which]
        x[:, free] = np.clip(u * unit, lower[free], upper[free])
        found, slopes = climb(x)
        return -found / spread, -slopes[:, free] * unit / spread

    ended = minimise(
        objective,
        begins[:, free] / unit,
        lower[free] / unit,
        upper[free] / unit,
        inverse_hessians=0.1,
        tolerance=TOLERANCE,
        longest=LONGEST,
        evaluations=2 * ITERATIONS,
        points=evaluations,
        hopeless=HOPELESS,
    )
    top = int(np.argmin(ended.values))
    best_x = begins[top].copy()
    best_x[free] = np.clip(ended.x[top] * unit, lower[free], upper[free])
    return best_x, -float(ended.values[top]) * spread


def differences(
    acquisition: Acquisition,
    free: np.ndarray[Any, np.dtype[np.intp]],
    unit: Array,
    lower: Array,
    upper: Array,
) -> Callable[[Array], tuple[Array, Array]]:
    """Values (m,) and gradients (m, d) by the free coordinates, from differences that stay inside the box."""

    def climb(x: Array) -> tuple[Array, Array]:
        m, count = len(x), len(free)
        batch = np.repeat(x[:, None, :], 2 * count + 1, axis=1)
        rows = np.arange(count)
        batch[:, 1 + rows, free] = np.minimum(x[:, free] + STEP * unit, upper[free])
        batch[:, 1 + count + rows, free] = np.maximum(x[:, free] - STEP * unit, lower[free])
        values = values_in_chunks(acquisition, batch.reshape(-1, x.shape[1]), None).reshape(m, -1)
        width = batch[:, 1 + rows, free] - batch[:, 1 + count + rows, free]
        slopes = np.zeros_like(x)
        with np.errstate(invalid="ignore"):  # beside what isn't allowed there is no slope
            found = (values[:, 1 : 1 + count] - values[:, 1 + count :]) / width
        slopes[:, free] = np.where(np.isfinite(found), found, 0.0)
        return values[:, 0], slopes

    return climb


def distinct(points: Array, lengthscales: Array, count: int) -> list[int]:
    """The first `count` rows of `points` (m, d), best first, no two within .2 length scales of each other."""
    scaled = points[: 20 * count] / lengthscales
    chosen: list[int] = []
    for index in range(len(scaled)):
        if all(np.sum(np.square(scaled[index] - scaled[other])) > 0.04 for other in chosen):
            chosen.append(index)
            if len(chosen) == count:
                break
    return chosen
