"""Searching where coordinates take levels: exhaustive where few, never worse than the best level found."""

from __future__ import annotations

import numpy as np

from fechner.strategies.acquisition.acquisition import Acquisition
from fechner.strategies.acquisition.levels import levels_of, maximise_on, snap
from fechner.strategies.space.parameters import space
from fechner.strategies.specification import Parameter

SPACE = space(
    (
        Parameter("p", "continuous", 0.0, 1.0),
        Parameter("k", "integer", 1.0, 5.0),
        Parameter("side", "categorical", choices=("a", "b", "c")),
        Parameter("on", "binary", 0.0, 1.0),
        Parameter("always", "fixed", value=3),
        Parameter("size", "integer", 1.0, 100.0, "log"),
        Parameter("fine", "integer", 0.0, 5000.0),
        Parameter("level", "continuous", 0.0, 1.0, step=0.1),
        Parameter("gap", "discrete", choices=(1.0, 2.0, 5.0)),
    )
)
OPTIONS = {"seed": 1, "scan": 128, "starts": 2, "evaluations": None}


def test_levels_are_the_codes_of_the_values() -> None:
    """Each level decodes to its own value; very fine integers count as continuous."""
    levels = levels_of(SPACE)
    assert [None if grid is None else len(grid) for grid in levels] == [None, 5, 3, 2, 100, None, 11, 3]
    for place, name in ((1, "k"), (2, "side"), (4, "size"), (6, "level"), (7, "gap")):
        grid = levels[place]
        assert grid is not None
        values = []
        for unit in grid:
            point = np.full(SPACE.d, 0.5)
            point[place] = unit
            values.append(SPACE.decode(point)[name])
        assert len(set(values)) == len(grid)
        assert np.all(np.diff(grid) > 0)


def test_snapping() -> None:
    """Coordinates with levels move to the nearest one, others stay."""
    levels = levels_of(SPACE)
    x = np.random.default_rng(0).uniform(size=(50, SPACE.d))
    snapped = snap(x, levels)
    assert np.array_equal(snapped[:, 0], x[:, 0])
    assert np.array_equal(snap(snapped, levels), snapped)
    assert np.abs(snapped - x)[:, 1].max() <= 0.1


def test_all_combinations_where_there_are_few() -> None:
    """With levels only the answer is the exhaustive maximum, whatever the scan sees."""
    levels = (np.linspace(0.05, 0.95, 10), np.linspace(0.1, 0.9, 5))
    table = np.random.default_rng(3).uniform(size=(10, 5))

    def values(x: np.ndarray) -> np.ndarray:
        return table[np.searchsorted(levels[0], x[:, 0]), np.searchsorted(levels[1], x[:, 1])]

    x, value = maximise_on(Acquisition(values, 8, 1e-5), np.ones(2), levels, fixed={}, **OPTIONS)
    assert value == table.max()
    assert values(x[None])[0] == value
    held, value = maximise_on(
        Acquisition(values, 8, 1e-5), np.ones(2), levels, fixed={1: float(levels[1][2])}, **OPTIONS
    )
    assert held[1] == levels[1][2]
    assert value == table[:, 2].max()


def test_levels_beside_continuous_coordinates() -> None:
    """A narrow optimum at one level of two is found, its continuous coordinate refined."""
    levels = (None, np.linspace(0.05, 0.95, 10), np.linspace(0.1, 0.9, 5))
    best = np.array([0.377, levels[1][7], levels[2][1]])
    scales = np.array([0.2, 0.05, 0.05])

    def values(x: np.ndarray) -> np.ndarray:
        away = np.abs(x - best) / np.array([0.2, 0.5, 0.5])
        return -np.square(away[:, 0]) - away[:, 1] - away[:, 2]

    x, value = maximise_on(Acquisition(values, 64, 1e-5), scales, levels, fixed={}, **OPTIONS)
    assert np.array_equal(x[1:], best[1:])
    assert abs(x[0] - best[0]) < 0.01
    assert value > -1e-2


def test_every_combination_has_its_own_continuous_optimum() -> None:
    """Up to 16 combinations beside continuous coordinates: a peak at one level that no scan point sees."""
    levels = (None, np.linspace(0.05, 0.95, 10))

    def values(x: np.ndarray) -> np.ndarray:
        wide = -np.square(x[:, 0] - 0.9)
        narrow = 0.1 - 3.0 * np.abs(x[:, 0] - 0.111)
        return np.where(np.abs(x[:, 1] - levels[1][3]) < 1e-9, narrow, wide)

    x, value = maximise_on(Acquisition(values, 64, 1e-5), np.full(2, 0.1), levels, fixed={}, **OPTIONS)
    assert x[1] == levels[1][3]
    assert value > 0.09


def test_fine_levels_are_compared_with_their_neighbours() -> None:
    """Beyond what is exchanged as a whole the answer is the best level near the climb's end."""
    grid = (np.arange(1000) + 0.5) / 1000
    table = -np.square(grid - 0.3333) * 10
    told = int(np.argmax(table))
    table[told] = -1.0  # a trial that was asked already: nothing is left to learn there

    def values(x: np.ndarray) -> np.ndarray:
        at = np.abs(x[:, :1] - grid[None]).argmin(axis=1)
        return np.where(np.any(x[:, :1] == grid[None], axis=1), table[at], -np.square(x[:, 0] - 0.3333) * 10)

    x, value = maximise_on(
        Acquisition(values, 64, 1e-5), np.full(1, 0.2), (grid,), fixed={}, **{**OPTIONS, "scan": 32}
    )
    assert value == table.max()
    assert x[0] in grid
