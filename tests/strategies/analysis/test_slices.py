"""What a figure shows of a strategy: trials, predictions, thresholds, along one or two parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fechner.strategies.analysis import slice_of
from fechner.strategies.analysis.slices import crossings
from fechner.strategies.errors import FechnerError
from fechner.strategies.strategy import Strategy

Make = Callable[..., Strategy]


def test_one_parameter(told: Make) -> None:
    """The curve rises, lies in its band, and passes the target at the threshold, in its interval."""
    found = slice_of(told(["x"], lambda c: c["x"] > 0.4), target=0.6)
    assert found.points.shape == (30, 1)
    assert found.n_trials == 30
    assert found.mean is not None
    assert found.lower is not None
    assert found.upper is not None
    assert found.mean.shape == found.axes[0].shape
    assert (found.lower <= found.mean).all()
    assert (found.mean <= found.upper).all()
    assert found.threshold is not None
    assert found.threshold.value == pytest.approx(0.4, abs=0.1)
    assert found.threshold.lower is not None
    assert found.threshold.upper is not None
    assert found.threshold.lower < found.threshold.value < found.threshold.upper
    assert np.interp(found.threshold.value, found.axes[0], found.mean) == pytest.approx(0.6, abs=0.03)


def test_two_parameters(told: Make) -> None:
    """The surface has the first parameter first; the contour runs between its ends."""
    found = slice_of(told(["x", "y"], lambda c: c["y"] > 0.2 + 0.5 * c["x"]))
    assert found.mean is not None
    assert found.target == 0.75
    assert found.mean[0, -1] > 0.75 > found.mean[-1, 0]
    assert found.threshold is None
    assert found.contour is not None
    assert found.contour.along == 0
    assert (found.contour.lower <= found.contour.upper).all()
    middle = len(found.contour.at) // 2
    assert found.contour.lower[middle] < 0.5 < found.contour.upper[middle]


def test_a_slice_of_two_parameters(told: Make) -> None:
    """One is held: only trials near it belong to the slice, and the threshold is that at its value."""
    found = slice_of(told(["x", "y"], lambda c: c["y"] > 0.2 + 0.5 * c["x"]), held={"x": 0.5})
    assert [parameter.name for parameter in found.parameters] == ["y"]
    assert found.held == {"x": "0.5 deg"}
    assert 0 < len(found.points) < found.n_trials == 30
    assert found.threshold is not None
    assert found.threshold.value == pytest.approx(0.45, abs=0.15)


def test_continuous_outcomes_have_no_target_of_their_own(told: Make) -> None:
    """One that is named counts where it is reached once; a curve that passes it twice has no threshold."""
    strategy = told(["x"], lambda c: 1 - (c["x"] - 0.5) ** 2, outcome="continuous")
    assert slice_of(strategy).target is None
    assert slice_of(strategy).threshold is None
    found = slice_of(strategy, target=0.9)
    assert not found.binary
    assert found.threshold is None
    assert crossings(np.array([0.0, 1.0, 0.0, 1.0]), 0.5).tolist() == [3]


def test_without_a_model_there_are_the_trials(told: Make) -> None:
    """Space-filling stages only: no prediction."""
    found = slice_of(told(["x"], lambda c: c["x"] > 0.4, model=False))
    assert found.mean is None
    assert found.threshold is None
    assert len(found.points) == 30


@pytest.mark.parametrize(
    ("names", "held", "code", "text"),
    [
        (["x", "y", "z"], {}, "bad_value", "3 parameters are free"),
        (["x"], {"x": 0.5}, "bad_value", "every parameter is held"),
        (["x", "y"], {"w": 0.5}, "unknown_parameter", "unknown: 'w'"),
        (["x", "y"], {"x": 7}, "out_of_bounds", "outside"),
    ],
)
def test_what_cannot_be_drawn(told: Make, names: list[str], held: Any, code: str, text: str) -> None:
    """The error says what could be."""
    strategy = told(names, lambda c: c["x"] > 0.4, n=4)
    with pytest.raises(FechnerError, match=text) as raised:
        slice_of(strategy, held=held)
    assert raised.value.code == code


def test_nothing_told_is_nothing_to_draw(told: Make) -> None:
    """An error, not an empty picture."""
    with pytest.raises(FechnerError) as raised:
        slice_of(told(["x"], lambda c: True, n=0))
    assert raised.value.code == "not_enough_data"
