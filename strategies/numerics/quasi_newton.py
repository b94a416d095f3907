"""Minimising a smooth function in a box from several starts at once: projected BFGS, every start on its own.

J. Nocedal & S. J. Wright (2006), Numerical Optimization, 2nd edition: BFGS update of the inverse Hessian
(eq. 6.17), sufficient decrease (eq. 3.4) with quadratic interpolation (eq. 3.58). D. P. Bertsekas (1982),
Projected Newton methods, SIAM J. Control Optim. 20:221-246: coordinates at a bound whose gradient points out
of the box are held. Dimensions are few (up to about 30), so the inverse Hessian is dense.

One call of the function evaluates one point of each start that still moves, so that its cost per call is
shared; the starts are decoupled all the same: each has its own step, curvature and end.

Notation: s starts, p coordinates; x (s, p); H (s, p, p) inverse Hessians.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fechner.strategies.numerics.arrays import Array

#: (k, p) points and which starts (k,) they belong to, to (k,) values and (k, p) gradients.
Function = Callable[[Array, np.ndarray[Any, np.dtype[np.intp]]], tuple[Array, Array]]

SUFFICIENT = 1e-4
SHORTEST = 1e-3  # of a step, before the curvature is doubted


@dataclass(frozen=True)
class Minimum:
    """Where the starts ended.

    Attributes:
        x: (s, p) the best points met.
        values: (s,) their values; infinite where a start was never finite.
        inverse_hessians: (s, p, p) at the end.
        evaluations: number of calls of the function.
        points: number of points evaluated.
    """

    x: Array
    values: Array
    inverse_hessians: Array
    evaluations: int
    points: int


def minimise(
    function: Function,
    starts: Array,
    lower: Array,
    upper: Array,
    *,
    inverse_hessians: Array | float,
    tolerance: float,
    longest: float = np.inf,
    evaluations: int = 100,
    points: int | None = None,
    hopeless: float | None = None,
) -> Minimum:
    """Minimise `function` from `starts` (s, p) inside `lower` and `upper` (p,).

    Args:
        function: values that are not finite are never accepted.
        starts: moved inside the box.
        lower, upper: the box.
        inverse_hessians: (s, p, p) or (p, p), positive definite: the first steps' scale and directions. A
            number, where nothing is known, is the first step's scale only, and corrected after it.
        tolerance: a start ends when its next step promises less than this.
        longest: the longest step in any coordinate.
        evaluations: limit on the calls of the function.
        points: limit on the points evaluated, over all starts.
        hopeless: a start ends when its value lies further above the best start's than `hopeless` times what
            its last step brought; None lets all go on.
    """
    count, p = starts.shape
    unknown = isinstance(inverse_hessians, float)
    scaled = inverse_hessians * np.eye(p) if unknown else np.asarray(inverse_hessians)
    first = np.broadcast_to(scaled, (count, p, p))
    x, hessians = np.clip(starts, lower, upper), first.copy()
    values, slopes = np.full(count, np.inf), np.zeros((count, p))
    begun = np.zeros(count, dtype=bool)  # whether the start itself has been evaluated
    fresh = np.ones(count, dtype=bool)  # whether the curvature is the one given
    alive = np.ones(count, dtype=bool)
    steps, lengths, promised = np.zeros((count, p)), np.ones(count), np.zeros(count)
    brought = np.full(count, np.inf)
    calls = used = 0
    while alive.any() and calls < evaluations:
        moving = np.flatnonzero(alive)
        if points is not None:
            moving = moving[: points - used]
            if not len(moving):
                break
        trial = np.clip(x[moving] + lengths[moving, None] * steps[moving], lower, upper)
        found, gradients = function(trial, moving)
        calls, used = calls + 1, used + len(moving)
        sound = np.isfinite(found) & np.isfinite(gradients).all(axis=1)
        moved = trial - x[moving]
        expected = np.einsum("ij,ij->i", slopes[moving], moved)
        enough = sound & (~begun[moving] | (found <= values[moving] + SUFFICIENT * np.minimum(expected, 0.0)))
        for place, start in enumerate(moving.tolist()):
            if enough[place]:
                if begun[start]:
                    change = gradients[place] - slopes[start]
                    if unknown and fresh[start]:
                        _rescale(hessians[start], moved[place], change)
                    _update(hessians[start], moved[place], change)
                    fresh[start] = False
                    brought[start] = values[start] - found[place]
                x[start], values[start], slopes[start] = trial[place], found[place], gradients[place]
                begun[start] = True
                alive[start] = _aim(start, x, slopes, hessians, lower, upper, steps, promised, longest)
                alive[start] &= promised[start] > tolerance
                lengths[start] = 1.0
            elif not begun[start]:
                alive[start] = False
            else:
                lengths[start] *= _shorter(expected[place], found[place] - values[start], sound[place])
                if lengths[start] < SHORTEST:
                    hessians[start] = first[start]
                    alive[start] = not fresh[start] and _aim(
                        start, x, slopes, hessians, lower, upper, steps, promised, longest
                    )
                    fresh[start] = True
                    lengths[start] = 0.1
        if hopeless is not None and begun.any():
            best = values.min()
            alive &= ~(values - best > hopeless * np.maximum(brought, promised))
    return Minimum(x, values, hessians, calls, used)


def _aim(
    start: int,
    x: Array,
    slopes: Array,
    hessians: Array,
    lower: Array,
    upper: Array,
    steps: Array,
    promised: Array,
    longest: float,
) -> bool:
    """Set the next step of `start` and what it promises; whether there is any."""
    slope = slopes[start]
    free = ~(((x[start] <= lower) & (slope > 0)) | ((x[start] >= upper) & (slope < 0)))
    steps[start] = 0.0
    if not free.any():
        return False
    step = -hessians[start][np.ix_(free, free)] @ slope[free]
    gain = -float(step @ slope[free])
    if not gain > 0:
        return False
    size = float(np.max(np.abs(step)))
    steps[start, free] = step * min(1.0, longest / size)
    promised[start] = 0.5 * gain * min(1.0, longest / size)
    return True


def _shorter(expected: float, rise: float, sound: bool) -> float:
    """What to multiply a step's length by that did not bring enough: by interpolation, .1 to .5."""
    if not sound or expected >= 0:
        return 0.25
    return float(np.clip(-0.5 * expected / max(rise - expected, 1e-300), 0.1, 0.5))


def _rescale(inverse: Array, moved: Array, change: Array) -> None:
    """The size that an inverse Hessian (p, p) should have after a first step (Nocedal & Wright, eq. 6.20)."""
    curvature = float(moved @ change)
    if curvature > 0:
        inverse[:] = np.eye(len(moved)) * (curvature / float(change @ change))


def _update(inverse: Array, moved: Array, change: Array) -> None:
    """BFGS's update of an inverse Hessian (p, p) in place; none where the curvature isn't positive."""
    curvature = float(moved @ change)
    if curvature <= 1e-10 * float(np.sqrt((moved @ moved) * (change @ change))):
        return
    product = inverse @ change
    factor = (1.0 + float(change @ product) / curvature) / curvature
    cross = np.outer(product, moved) / curvature
    inverse += factor * np.outer(moved, moved) - cross - cross.T
