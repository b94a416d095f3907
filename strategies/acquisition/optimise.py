"""Maximising an acquisition function: a scrambled-Sobol scan, then the best few refined in length-scale
units.

The refinement is scipy's L-BFGS-B from each start, with u = x / l as its variables, so that one unit is one
length scale in every direction; gradients are central differences evaluated in one call, unless the function
has its own. The answer is never worse than the scan's best.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from fechner.strategies.acquisition.acquisition import Acquisition
from fechner.strategies.generators.sobol import sobol
from fechner.strategies.models.normal import Array
from fechner.strategies.random import key
from scipy.optimize import minimize

STEP = 1e-4  # of the differences, in length scales
ITERATIONS = 15


def values_in_chunks(acquisition: Acquisition, x: Array, poll: Callable[[], None] | None) -> Array:
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
    poll: Callable[[], None] | None = None,
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
        box: lower and upper ends (d,) in unit space; the whole unit box if None.
        poll: called between evaluations; may raise to cancel.
    """
    d = len(lengthscales)
    lower, upper = (np.zeros(d), np.ones(d)) if box is None else (box[0].copy(), box[1].copy())
    for dimension, value in (fixed or {}).items():
        lower[dimension] = upper[dimension] = value
    points = lower + (upper - lower) * sobol(key(seed, "scan"), d, 0, scan)
    values = values_in_chunks(acquisition, points, poll)
    order = np.argsort(-values, kind="stable")
    best_x, best_value = points[order[0]].copy(), float(values[order[0]])
    free = np.flatnonzero(upper > lower)
    if not len(free):
        return best_x, best_value
    unit = np.clip(lengthscales[free], 0.02, 2.0)
    left = [10**9 if evaluations is None else evaluations]

    def objective(u: Array, base: Array) -> tuple[float, Array]:
        if poll is not None:
            poll()
        left[0] -= 1
        x = base.copy()
        x[free] = np.clip(u * unit, lower[free], upper[free])
        value, slope = _differences(acquisition, x, free, unit, lower, upper)
        nonlocal best_x, best_value
        if np.isfinite(value) and value > best_value:
            best_x, best_value = x, value
        if not (np.isfinite(value) and np.all(np.isfinite(slope))):
            return 1e10, np.zeros(len(free))
        return -value * size, -slope * unit * size

    spread = float(values[order[0]] - np.median(values[np.isfinite(values)]))
    size = 1.0 / spread if spread > 1e-300 else 1.0  # so that the optimiser's tolerances mean something
    bounds = list(zip(lower[free] / unit, upper[free] / unit, strict=True))
    begins = [points[order[index]] for index in distinct(points[order], lengthscales, starts)]
    if acquisition.gradients is not None:
        x, value = _refined_together(acquisition, np.array(begins), free, unit, bounds, size, left[0], poll)
        return (x, value) if value > best_value else (best_x, best_value)
    for begin in begins:
        if left[0] <= 0:
            break
        options = {"maxiter": ITERATIONS, "maxfun": min(left[0], 2 * ITERATIONS), "ftol": 1e-5, "gtol": 1e-4}
        minimize(
            objective,
            begin[free] / unit,
            args=(begin,),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options=options,
        )
    return best_x, best_value


def _refined_together(
    acquisition: Acquisition,
    begins: Array,
    free: np.ndarray,
    unit: Array,
    bounds: list[tuple[float, float]],
    size: float,
    evaluations: int,
    poll: Callable[[], None] | None,
) -> tuple[Array, float]:
    """The best point (d,) met and its value when all starts (s, d) climb at once.

    One L-BFGS-B maximises the sum over the starts, so that every gradient is one batched call: a call of a
    torch acquisition function costs much more than a point.
    """
    assert acquisition.gradients is not None
    low, high = (np.array(ends) * unit for ends in zip(*bounds, strict=True))
    best_x, best_value = begins[0].copy(), -np.inf

    def objective(u: Array) -> tuple[float, Array]:
        nonlocal best_x, best_value
        if poll is not None:
            poll()
        x = begins.copy()
        x[:, free] = np.clip(u.reshape(len(begins), -1) * unit, low, high)
        assert acquisition.gradients is not None
        values, slopes = acquisition.gradients(x)
        sound = np.isfinite(values) & np.isfinite(slopes).all(axis=1)
        top = int(np.argmax(np.where(sound, values, -np.inf)))
        if sound[top] and values[top] > best_value:
            best_x, best_value = x[top].copy(), float(values[top])
        climb = np.where(sound[:, None], slopes[:, free] * unit, 0.0)
        return -float(values[sound].sum()) * size, -climb.ravel() * size

    options = {
        "maxiter": ITERATIONS,
        "maxfun": min(evaluations, 2 * ITERATIONS),
        "ftol": 1e-6,
        "gtol": 1e-4,
    }
    start = (begins[:, free] / unit).ravel()
    minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds * len(begins), options=options)
    return best_x, best_value


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


def _differences(
    acquisition: Acquisition, x: Array, free: np.ndarray, unit: Array, lower: Array, upper: Array
) -> tuple[float, Array]:
    """Value and gradient (by the free coordinates of x) from differences that stay inside the box."""
    count = len(free)
    batch = np.tile(x, (2 * count + 1, 1))
    rows = np.arange(count)
    batch[1 + rows, free] = np.minimum(x[free] + STEP * unit, upper[free])
    batch[1 + count + rows, free] = np.maximum(x[free] - STEP * unit, lower[free])
    values = acquisition.values(batch)
    width = batch[1 + rows, free] - batch[1 + count + rows, free]
    return float(values[0]), (values[1 : 1 + count] - values[1 + count :]) / width
