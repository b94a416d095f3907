"""What other programs' values become."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from fechner.database.aepsych.plain_values import plain


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (10**308, 10**308),
        (10**309, "1" + "0" * 309),
        (-(10**309), "-1" + "0" * 309),
        ({10**309: [math.inf]}, {"1" + "0" * 309: ["inf"]}),
        ((1.5, -0.0, math.nan, 1 + 2j), [1.5, -0.0, "nan", "(1+2j)"]),
    ],
)
def test_numbers_beyond_a_float_s_are_written_out(value: Any, expected: Any) -> None:
    """Whoever takes a number for a measurement can make a float of it."""
    assert plain(value) == expected


def test_numbers_beyond_what_python_writes_are_written_too() -> None:
    """Python refuses to write more than 4,300 digits."""
    found = plain(10**5000)
    assert isinstance(found, str)
    assert int(found, 16) == 10**5000
    assert json.dumps(found)
