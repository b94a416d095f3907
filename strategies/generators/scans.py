"""Choosing among scanned points: the best of them, or one drawn by its acquisition value."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fechner.strategies.acquisition.acquisition import Acquisition
from fechner.strategies.acquisition.optimise import values_in_chunks
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.randomness import key, rng
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.space.parameters import Space

GRID = "AcqfGridSearchGenerator"
DRAWN = "AcqfThompsonSamplerGenerator"


def scanned_point(
    name: str,
    function: Acquisition,
    space: Space,
    *,
    seed: int,
    scan: int,
    fixed: Mapping[int, float],
    points: Array | None,
    logarithmic: bool,
    poll: Poll | None = None,
) -> Array:
    """One of `scan` points of a scrambled Sobol sequence, at levels and steps, (d,).

    The best of them (GRID), or one drawn with a probability in proportion to what its value is above the
    least (DRAWN).

    Args:
        name: GRID or DRAWN.
        function: what is evaluated.
        space: the search space.
        seed: of the points and of the draw.
        scan: how many points.
        fixed: values in unit space of dimensions that are not free.
        points: (m, d) to take in place of Sobol points.
        logarithmic: whether the values are logarithms; what is compared is what they are logarithms of.
        poll: called between evaluations; may raise to cancel.
    """
    if points is None:
        points = np.array(sobol(key(seed, "scan"), space.d, 0, scan))
        for dimension, value in fixed.items():
            points[:, dimension] = value
    shown = space.displayed(points, tuple(fixed))
    values = values_in_chunks(function, shown, poll)
    if name == GRID:
        return np.array(shown[int(np.argmax(values))])
    return np.array(shown[drawn(values, logarithmic, rng(seed, "draw"))])


def drawn(values: Array, logarithmic: bool, random: np.random.Generator) -> int:
    """The place of one of `values` (m,); those that are not finite are never drawn if others are."""
    finite = np.isfinite(values)
    if not finite.any():
        return int(random.integers(len(values)))
    weights = np.zeros(len(values))
    best = float(values[finite].max())
    if logarithmic:
        weights[finite] = np.exp(values[finite] - best)
    else:
        weights[finite] = values[finite] - values[finite].min()
    if not weights.sum() > 0:
        weights = finite.astype(float)
    totals = np.cumsum(weights)
    return int(np.searchsorted(totals, random.random() * totals[-1], side="right"))
