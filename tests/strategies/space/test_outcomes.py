"""What may be told."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.strategies.errors import FechnerError
from fechner.strategies.space.outcomes import clean_outcome, place_of
from fechner.strategies.specification import Outcome, Specification

BINARY = Outcome("heard", "binary")
SCALE = Outcome("rating", "ordinal", 5)
TIME = Outcome("time", "continuous")


def spec(*outcomes: Outcome) -> Specification:
    return Specification((), outcomes, ())


@pytest.mark.parametrize(
    ("outcomes", "told", "clean"),
    [
        ((BINARY,), 1, {"heard": 1.0}),
        ((BINARY,), True, {"heard": 1.0}),
        ((BINARY,), [0], {"heard": 0.0}),
        ((BINARY,), {"heard": 0}, {"heard": 0.0}),
        ((SCALE,), 4.0, {"rating": 4.0}),
        ((TIME,), -2.5, {"time": -2.5}),
        ((BINARY, TIME), {"time": 3, "heard": 1}, {"heard": 1.0, "time": 3.0}),
        ((BINARY, TIME), [1, 0.25], {"heard": 1.0, "time": 0.25}),
    ],
)
def test_good_outcomes(outcomes: tuple[Outcome, ...], told: Any, clean: dict[str, float]) -> None:
    """Numbers, lists in order and names in any order are understood."""
    assert clean_outcome(spec(*outcomes), told) == clean


@pytest.mark.parametrize(
    ("outcomes", "told", "text"),
    [
        ((BINARY,), 2, "2 is not 0 or 1"),
        ((BINARY,), "yes", "'yes' is not 0 or 1"),
        ((BINARY,), None, "None"),
        ((BINARY,), {"herd": 1}, "unknown: herd; missing: heard"),
        ((SCALE,), 5, "whole number from 0 to 4"),
        ((SCALE,), 1.5, "whole number"),
        ((TIME,), float("nan"), "finite"),
        ((TIME,), 10**400, "finite"),
        ((TIME,), True, "finite"),
        ((TIME,), -1e101, "1e+100"),
        ((BINARY, TIME), 1, "one value for 2 outcomes"),
        ((BINARY, TIME), [1], "1 outcomes for the 2"),
        ((BINARY, TIME), {"heard": 1}, "missing: time"),
    ],
)
def test_bad_outcomes_are_named(outcomes: tuple[Outcome, ...], told: Any, text: str) -> None:
    """Each fault says what is wrong, with the code bad_outcome and a place."""
    with pytest.raises(FechnerError) as error:
        clean_outcome(spec(*outcomes), told)
    assert error.value.code == "bad_outcome"
    assert text in error.value.detail
    assert error.value.where.startswith("message.outcome")


def test_misspelt_names_get_a_suggestion() -> None:
    """The hint names the nearest outcome."""
    with pytest.raises(FechnerError) as error:
        clean_outcome(spec(BINARY), {"herd": 1})
    assert "did you mean 'heard'?" in error.value.hint


def test_outcomes_are_found_by_name() -> None:
    """The first if none is named; a name that isn't there is refused with those that are."""
    assert [place_of(spec(BINARY, TIME), name) for name in (None, "heard", "time")] == [0, 0, 1]
    with pytest.raises(FechnerError) as error:
        place_of(spec(BINARY, TIME), "tiem")
    assert error.value.code == "bad_value"
    assert "heard, time" in error.value.hint
