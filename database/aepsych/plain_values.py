"""Plain Python values as JSON-able ones, for what comes from files of other programs."""

from __future__ import annotations

import base64
import json
import math
from datetime import date, datetime, time, timedelta
from typing import Any

from fechner.database.aepsych.pickled_values import LARGEST, RefusedPickleError, measure


def plain(value: Any) -> Any:
    """The value as JSON can hold it; what JSON has no form for becomes text.

    Dates are written as ISO 8601, durations in seconds, bytes as text if they are UTF-8 and else in base 64,
    sets as lists. Numbers that aren't finite, too large for a float, or complex are written out; keys become
    texts.

    Raises:
        RefusedPickleError: it is too deep or too large.
    """
    measure(value, LARGEST)
    return _plain(value)


def _integer(value: int) -> int | str:
    """It, or a text if no float is so large; Python writes only so many decimal digits."""
    try:
        float(value)
    except OverflowError:
        return str(value) if value.bit_length() < 10_000 else hex(value)
    return value


def json_value(text: str) -> Any:
    """A JSON text's value.

    Raises:
        ValueError: it is none, or too deep.
        RefusedPickleError: its value is too deep or too large.
    """
    try:
        return plain(json.loads(text))
    except RecursionError:
        raise ValueError("too deep") from None


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {
            key if isinstance(key, str) else str(_plain(key)): _plain(item) for key, item in value.items()
        }
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in value), key=lambda item: json.dumps(item))
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes | bytearray):
        try:
            return bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            return base64.b64encode(value).decode("ascii")
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value)


__all__ = ["RefusedPickleError", "json_value", "plain"]
