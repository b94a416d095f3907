"""What notebooks hand over, as plain values: numpy's numbers and arrays may stand for numbers and lists."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from fechner.strategies.errors import FechnerError


def plain(value: Any) -> Any:
    """`value` with numpy's scalars as Python's and its arrays as lists, inside dicts and lists as well."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def whole(value: Any, name: str, least: int) -> int:
    """A whole number, `least` or more, numpy's included.

    Raises:
        FechnerError: bad_value.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        hint = f"a whole number, {least} or more"
        raise FechnerError("bad_value", f"{name} can't be {value!r}", name, hint)
    return number


def mapped(value: Any, name: str) -> dict[str, Any]:
    """A mapping as a plain dict.

    Raises:
        FechnerError: bad_value.
    """
    try:
        return {key: plain(one) for key, one in dict(value).items()}
    except (TypeError, ValueError):
        hint = "{parameter: value}"
        raise FechnerError("bad_value", f"{name} is {type(value).__name__}", name, hint) from None
