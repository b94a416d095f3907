"""The threshold along one line: where the curve crosses a level, with a joint credible interval.

Intervals come from joint posterior samples of the whole curve, since marginal ones are wrong at any other
level (methods.md 3). A sample's crossing is the one in the mean curve's direction nearest to the mean curve's
crossing; a sample without any counts as -inf or +inf, by the side of the level on which it lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from fechner.strategies.models.normal import Array
from fechner.strategies.random import rng

SAMPLES = 1000


def crossings(curve: Array, level: float) -> tuple[Array, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Where a curve (m,) on positions 0 … m - 1 crosses `level`: fractional positions, and if upwards."""
    above = curve > level
    at = np.flatnonzero(above[1:] != above[:-1])
    return at + (level - curve[at]) / (curve[at + 1] - curve[at]), above[at + 1]


def threshold_line(
    values: Array, mean: Array, covariance: Array, level: float, interval: float, seed: int
) -> tuple[float | None, float | None, float | None, float | None]:
    """Estimate, interval and sd of the value at which the latent curve crosses `level`.

    Args:
        values: (m,) the parameter's raw values along the line, increasing.
        mean: (m,) and
        covariance: (m, m): the joint posterior of the latent curve.
        level: the latent level.
        interval: for instance .95.
        seed: of the samples; equal seeds use the same normal deviates on every line.

    Returns:
        Estimate (the median curve's crossing: the first one in the curve's direction of travel), lower and
        upper end (None on a side without crossing) and the sd over crossing samples; all in raw units.
    """
    grid = np.arange(len(values), dtype=float)
    rising = bool(mean[-1] >= mean[0])
    places, upward = crossings(mean, level)
    right_way = places[upward == rising]
    estimate = float(right_way[0]) if len(right_way) else (float(places[0]) if len(places) else None)
    if estimate is not None and not len(right_way):
        rising = not rising
    # where the mean never gets there, samples cross nearest to the end that it would cross beyond
    short = bool(mean.mean() < level)
    anchor = estimate if estimate is not None else (grid[-1] if short == rising else grid[0])
    samples = _sample(mean, covariance, seed)
    above = samples > level
    crossing = (above[:, 1:] & ~above[:, :-1]) if rising else (~above[:, 1:] & above[:, :-1])
    first, second = samples[:, :-1], samples[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        place = grid[:-1] + (level - first) / (second - first)
        away = np.where(crossing, np.abs(place - anchor), np.inf)
    nearest = np.argmin(away, axis=1)
    rows = np.arange(len(samples))
    crossed = crossing[rows, nearest]
    position = place[rows, nearest]
    # a sample wholly above a rising curve's level crossed it below the range, and so on
    over = np.mean(samples, axis=1) > level
    outside = np.where(over == rising, -np.inf, np.inf)
    position = np.where(crossed, position, outside)
    tail = (1.0 - interval) / 2
    lower, upper = np.quantile(position, [tail, 1 - tail], method="nearest")
    raw = np.interp(position[crossed], grid, values)
    return (
        None if estimate is None else float(np.interp(estimate, grid, values)),
        float(np.interp(lower, grid, values)) if np.isfinite(lower) else None,
        float(np.interp(upper, grid, values)) if np.isfinite(upper) else None,
        float(raw.std()) if len(raw) > 1 else None,
    )


def _sample(mean: Array, covariance: Array, seed: int) -> Array:
    """Joint samples (SAMPLES, m) of a smooth curve, through the covariance's leading eigenvectors."""
    eigenvalues, vectors = np.linalg.eigh(covariance)
    keep = eigenvalues > 1e-10 * max(float(eigenvalues[-1]), 1e-300)
    eigenvalues, vectors = eigenvalues[keep][::-1], vectors[:, keep][:, ::-1]
    # an eigenvector's sign is the solver's whim: fix it, so that common random numbers stay common
    vectors = vectors * np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)
    normal = rng(seed, "samples").standard_normal((len(mean), SAMPLES))[: len(eigenvalues)]
    out: Array = mean + normal.T @ (np.sqrt(eigenvalues)[:, None] * vectors.T)
    return out
