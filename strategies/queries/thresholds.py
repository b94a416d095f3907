"""The threshold along one line: where the curve crosses a level, with a joint credible interval.

Intervals come from joint posterior samples of the whole curve, since marginal ones are wrong at any other
level (docs/explanation/methods.md, Queries and intervals). A sample's crossing is the one in the mean curve's
direction nearest to the mean curve's crossing; a sample without any counts as -inf or +inf, by the side of
the level on which it lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fechner.strategies.numerics.arrays import Array


def crossings(curve: Array, level: float) -> tuple[Array, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Where a curve (m,) on positions 0 … m - 1 crosses `level`: fractional positions, and if upwards."""
    above = curve > level
    at = np.flatnonzero(above[1:] != above[:-1])
    return at + (level - curve[at]) / (curve[at + 1] - curve[at]), above[at + 1]


def threshold_line(
    values: Array, mean: Array, samples: Array, level: float, interval: float
) -> tuple[float | None, float | None, float | None, float | None]:
    """Estimate, interval and sd of the value at which the latent curve crosses `level`.

    Args:
        values: (m,) the parameter's raw values along the line, increasing.
        mean: (m,) the mean latent curve.
        samples: (s, m) joint samples of the latent curve.
        level: the latent level.
        interval: for instance .95.

    Returns:
        Estimate (the first crossing of the mean curve in the direction from its one end to the other),
        lower and upper end (None on a side without crossing) and the sd over the samples that cross; all in
        raw units.
    """
    grid = np.arange(len(values), dtype=float)
    estimate, rising = mean_crossing(mean, level)
    # where the mean never gets there, samples cross nearest to the end that it would cross beyond
    short = bool(mean.mean() < level)
    anchor = estimate if estimate is not None else (grid[-1] if short == rising else grid[0])
    above = samples > level
    crossing = (above[:, 1:] & ~above[:, :-1]) if rising else (~above[:, 1:] & above[:, :-1])
    first, second = samples[:, :-1], samples[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        place = grid[:-1] + (level - first) / (second - first)
        away = np.where(crossing, np.abs(place - anchor), np.inf)
    nearest = np.argmin(away, axis=1)
    rows = np.arange(len(samples))
    crossed = crossing[rows, nearest]
    # a sample wholly above a rising curve's level crossed it below the range, and so on
    over = np.mean(samples, axis=1) > level
    position = np.where(crossed, place[rows, nearest], np.where(over == rising, -np.inf, np.inf))
    lower, upper = _interval(position, interval)
    raw = np.interp(position[crossed], grid, values)
    return (
        None if estimate is None else float(np.interp(estimate, grid, values)),
        float(np.interp(lower, grid, values)) if np.isfinite(lower) else None,
        float(np.interp(upper, grid, values)) if np.isfinite(upper) else None,
        float(raw.std()) if len(raw) > 1 else None,
    )


def _interval(position: Array, interval: float) -> tuple[float, float]:
    """The ends of the interval of positions (s,), some of which are infinite.

    Equal tails are cut off, but where one end is open, for more than a tail lies beyond the range, nothing is
    cut off there: then all that may be left out is left out at the other end.
    """
    tail = (1.0 - interval) / 2
    lower, upper = (float(v) for v in np.quantile(position, [tail, 1 - tail], method="nearest"))
    if np.isposinf(upper) and np.isfinite(lower):
        lower = float(np.quantile(position, 2 * tail, method="nearest"))
    elif np.isneginf(lower) and np.isfinite(upper):
        upper = float(np.quantile(position, 1 - 2 * tail, method="nearest"))
    return lower, upper


def mean_crossing(mean: Array, level: float) -> tuple[float | None, bool]:
    """Where the mean curve (m,) crosses `level`, as a fractional position, and whether upwards is meant."""
    rising = bool(mean[-1] >= mean[0])
    places, upward = crossings(mean, level)
    if not len(places):
        return None, rising
    if not np.any(upward == rising):
        rising = not rising
    return float(places[upward == rising][0]), rising
