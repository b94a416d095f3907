"""Maximising where some coordinates take levels only: integers, binaries, choices, steps.

The function is seen at the nearest levels, so that no rounding comes after the choice. All combinations are
tried where they are few, the continuous coordinates refined for each where there are any; else the scan's
best is improved by exchanging one coordinate's level at a time and refining the continuous ones, in turn.
Where levels are fine the scan's best climbs as if they were continuous, and levels nearby are exchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from fechner.strategies.acquisition.acquisition import Acquisition
from fechner.strategies.acquisition.optimise import maximise, values_in_chunks
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.space.parameters import Space

#: Levels of a coordinate up to which all are exchanged; of finer ones those NEARBY on either side.
COARSE = 256
NEARBY = 16
#: Levels beyond which a coordinate counts as continuous.
MOST_LEVELS = 4096
#: Combinations up to which all are tried, without and with continuous coordinates beside them.
MOST_COMBINATIONS = 4096
MOST_BESIDE = 16
ROUNDS = 4

Levels = Sequence[Array | None]


def levels_of(
    space: Space, lower: Array | None = None, upper: Array | None = None
) -> tuple[Array | None, ...]:
    """The unit values of each free parameter's levels, increasing; None where it is (nearly) continuous.

    `lower` and `upper` (d,) leave those between them; where that is none, the parameter counts as continuous.
    """
    found: list[Array | None] = []
    for place, count in enumerate(space.n_levels):
        if count is None or count > MOST_LEVELS:
            found.append(None)
            continue
        grid = space.levels(place)
        if lower is not None and upper is not None:
            grid = grid[(grid >= lower[place]) & (grid <= upper[place])]
        found.append(grid if len(grid) else None)
    return tuple(found)


def snap(x: Array, levels: Levels) -> Array:
    """x (m, d) with every coordinate that has levels at the nearest one."""
    out = np.array(x)
    for dimension, grid in enumerate(levels):
        if grid is not None:
            middles = 0.5 * (grid[1:] + grid[:-1])
            out[:, dimension] = grid[np.searchsorted(middles, x[:, dimension])]
    return out


def maximise_on(
    acquisition: Acquisition,
    lengthscales: Array,
    levels: Levels,
    *,
    seed: int,
    scan: int,
    starts: int,
    evaluations: int | None,
    fixed: Mapping[int, float],
    points: Array | None = None,
    poll: Poll | None = None,
) -> tuple[Array, float]:
    """The best point found (d,), at levels where there are any, and its value; otherwise as `maximise`.

    Without starts nothing is refined.
    """
    fixed = dict(fixed)
    free = [i for i in range(len(lengthscales)) if i not in fixed]
    exchanged = [i for i in free if levels[i] is not None]

    def search(
        function: Acquisition,
        held: Mapping[int, float],
        scan: int = scan,
        starts: int = starts,
        evaluations: int | None = evaluations,
        points: Array | None = None,
    ) -> tuple[Array, float]:
        return maximise(
            function, lengthscales, seed=seed, scan=scan, starts=starts, evaluations=evaluations,
            fixed=held, points=points, poll=poll,
        )  # fmt: skip

    if not exchanged:
        return search(acquisition, fixed, points=points)
    grids: list[Array] = [grid for i in exchanged if (grid := levels[i]) is not None]
    count = float(np.prod([float(len(grid)) for grid in grids]))
    if len(exchanged) == len(free) and count <= MOST_COMBINATIONS:
        held = [fixed.get(i, 0.0) for i in range(len(lengthscales))]
        return _best_of_all(acquisition, np.array(held), free, grids, poll)
    if count <= MOST_BESIDE:
        each = int(count)
        tries = [
            search(
                acquisition,
                fixed | dict(zip(exchanged, held, strict=True)),
                max(64, scan // each),
                max(1, starts // each) if starts else 0,
                None if evaluations is None else max(1, evaluations // each),
                None if points is None else _with(points, exchanged, held),
            )
            for held in product(*(grid.tolist() for grid in grids))
        ]
        return max(tries, key=lambda found: found[1])
    own = [None if i in fixed else grid for i, grid in enumerate(levels)]
    coarse = [grid if grid is not None and len(grid) <= COARSE else None for grid in own]
    x, _ = search(_snapped(acquisition, coarse), fixed, points=points)
    x = snap(x[None], own)[0]
    return _exchanged(acquisition, x, own, exchanged, fixed, ROUNDS if starts else 0, search, poll)


def _best_of_all(
    acquisition: Acquisition, held: Array, free: Sequence[int], grids: Sequence[Array], poll: Poll | None
) -> tuple[Array, float]:
    """The best of all combinations of levels of the free coordinates, the others as in `held` (d,)."""
    combinations = np.array(list(product(*grids)))
    every = np.tile(held, (len(combinations), 1))
    every[:, list(free)] = combinations
    values = values_in_chunks(acquisition, every, poll)
    best = int(np.argmax(values))
    return every[best], float(values[best])


def _exchanged(
    acquisition: Acquisition,
    x: Array,
    levels: Levels,
    exchanged: Sequence[int],
    fixed: Mapping[int, float],
    rounds: int,
    search: Callable[..., tuple[Array, float]],
    poll: Poll | None,
) -> tuple[Array, float]:
    """x (d,) improved by one coordinate's level at a time, and by the continuous ones in between."""
    value = float(acquisition.values(x[None])[0])
    for _ in range(rounds):
        before = value
        for dimension in exchanged:
            grid = levels[dimension]
            assert grid is not None
            if len(grid) > COARSE:
                place = int(np.searchsorted(grid, x[dimension]))
                grid = grid[max(0, place - NEARBY) : place + NEARBY + 1]
            batch = np.tile(x, (len(grid), 1))
            batch[:, dimension] = grid
            found = values_in_chunks(acquisition, batch, poll)
            if float(found.max()) > value:
                x, value = batch[int(np.argmax(found))], float(found.max())
        if value <= before:
            break
        held = {**fixed, **{i: float(x[i]) for i in exchanged}}
        refined, better = search(acquisition, held, 64, 2)
        if better > value:
            x, value = refined, better
    return x, value


def _with(points: Array, dimensions: Sequence[int], values: Sequence[float]) -> Array:
    """The points (m, d) with these values in these dimensions."""
    out = points.copy()
    out[:, list(dimensions)] = values
    return out


def _snapped(acquisition: Acquisition, levels: Levels) -> Acquisition:
    """The function at the nearest levels, flat along the coordinates that have any."""
    flat = [i for i, grid in enumerate(levels) if grid is not None]
    inner, scan = acquisition.gradients, acquisition.scan

    def gradients(x: Array) -> tuple[Array, Array]:
        assert inner is not None
        values, slopes = inner(snap(x, levels))
        slopes = np.array(slopes)
        slopes[:, flat] = 0.0
        return values, slopes

    return replace(
        acquisition,
        values=lambda x: acquisition.values(snap(x, levels)),
        gradients=None if inner is None else gradients,
        scan=None if scan is None else lambda points, poll: scan(snap(points, levels), poll),
    )
