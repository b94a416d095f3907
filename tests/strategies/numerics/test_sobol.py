"""Scrambled Sobol points."""

import numpy as np
import pytest
from scipy.stats import qmc

from fechner.strategies.numerics import sobol as module
from fechner.strategies.numerics.sobol import MOST_DIMENSIONS, direction_numbers, sobol


@pytest.mark.parametrize("d", [1, 2, 7, MOST_DIMENSIONS])
def test_unscrambled_sequence_is_scipys(monkeypatch: pytest.MonkeyPatch, d: int) -> None:
    """Without scrambling and shift the points are those of scipy's Sobol sequence."""

    class Zeros:
        def integers(self, low: int, high: int, size: object, dtype: type) -> np.ndarray:
            return np.zeros(size, dtype=dtype)  # type: ignore[call-overload]

    monkeypatch.setattr(module, "rng", lambda *parts: Zeros())
    ours = module._block.__wrapped__(0, d, 10) - 0.5 / 2**32
    theirs = qmc.Sobol(d, scramble=False, bits=32).random_base2(10)
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_prefixes_agree() -> None:
    """However many points are drawn at once, point i is the same."""
    whole = sobol(3, 4, 0, 500)
    pieces = np.vstack([sobol(3, 4, i, 1) for i in range(500)])
    np.testing.assert_array_equal(whole, pieces)


def test_every_elementary_interval_holds_one_point() -> None:
    """Scrambling keeps the net property: 2^m points fall into the 2^m slices of each axis once."""
    points = sobol(11, MOST_DIMENSIONS, 0, 256)
    slices = np.sort(np.floor(points * 256).astype(int), axis=0)
    np.testing.assert_array_equal(slices, np.arange(256)[:, None].repeat(MOST_DIMENSIONS, axis=1))


def test_seeds_and_balance() -> None:
    """Another seed gives other points; each has discrepancy far below random points'."""
    assert not np.array_equal(sobol(1, 2, 0, 8), sobol(2, 2, 0, 8))
    random = np.random.default_rng(0).random((256, 2))
    assert qmc.discrepancy(sobol(5, 2, 0, 256)) < 0.1 * qmc.discrepancy(random)


def test_more_dimensions_than_the_table() -> None:
    """Dimensions beyond the table are filled, inside the box, the same each time."""
    points = sobol(1, MOST_DIMENSIONS + 3, 5, 4)
    assert points.shape == (4, MOST_DIMENSIONS + 3)
    assert ((points > 0) & (points < 1)).all()
    np.testing.assert_array_equal(points, sobol(1, MOST_DIMENSIONS + 3, 0, 9)[5:])


def test_direction_numbers_are_distinct_powers_in_the_first_dimension() -> None:
    """The first dimension is van der Corput's sequence."""
    assert direction_numbers(1)[0].tolist() == [1 << (31 - b) for b in range(32)]
