"""A configuration given as nested dicts, brought to the same form as INI text: texts by section and key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from fechner.strategies.config.reading.ini import LONGEST, MOST_KEYS, MOST_SECTIONS, Raw, check_name
from fechner.strategies.config.reading.report import Report

DEEPEST = 8  # lists within lists
_SPECIAL = frozenset(",[]\"'#\\\n\r\t")


def read(config: Mapping[Any, Any], report: Report) -> tuple[Raw, dict[str, Any]]:
    """The texts of each section, and a copy of the mapping as plain data (dicts, lists, numbers, texts)."""
    raw: Raw = {}
    plain: dict[str, Any] = {}
    left = LONGEST
    for name, section in list(config.items()):
        if not isinstance(name, str):
            report.problem(
                "", "", "", f"a section's name must be text, not {_kind(name)}", code="bad_section"
            )
        elif not isinstance(section, Mapping):
            detail = f"must be a section, an object of keys and values, not {_kind(section)}"
            report.problem(name, "", "", detail, '{"common": {"parnames": ["x"]}}', "bad_section")
        elif len(raw) >= MOST_SECTIONS:
            report.problem("", "", "", f"more than {MOST_SECTIONS} sections", code="too_large")
            break
        else:
            check_name(name, name, report)
            keys = raw.setdefault(name.strip(), {})
            copy = plain.setdefault(name, {})
            for key, value in list(section.items()):
                left -= _read_key(name.strip(), key, value, keys, copy, left, report)
    return raw, plain


def _read_key(
    name: str,
    key: Any,
    value: Any,
    keys: dict[str, str | None],
    copy: dict[str, Any],
    left: int,
    report: Report,
) -> int:
    """Add one key to a section; answers the number of characters it took."""
    if not isinstance(key, str):
        report.problem(name, "", "", f"a key must be text, not {_kind(key)}", code="bad_value")
        return 0
    option = key.strip().lower()
    check_name(name, option, report)
    if option in keys:
        detail = "stands twice (upper and lower case are the same in a key)"
        report.problem(name, option, "", detail, "keep one of them", "duplicate_key")
        return 0
    if len(keys) >= MOST_KEYS:
        report.problem(name, "", "", f"more than {MOST_KEYS} keys in one section", code="too_large")
        return 0
    try:
        copy[key] = _plain(value, 0, [left])
        text = None if value is None else _text(copy[key], False)
    except (ValueError, OverflowError) as error:
        report.problem(name, option, "", str(error))
        keys[option] = None
        return 0
    keys[option] = text
    return len(text or "") + len(option)


def _plain(value: Any, depth: int, left: list[int]) -> Any:
    """The value as dicts, lists, numbers and texts; ValueError if it is something else or too much."""
    left[0] -= 1
    if left[0] < 0:
        raise ValueError("the configuration is too large")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        left[0] -= len(value)
        return str(value)
    if isinstance(value, Integral):
        number = int(value)
        if number.bit_length() > 1100:
            raise ValueError("the number is too large")
        return number
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else str(float(value))  # which JSON doesn't have
    if isinstance(value, list | tuple):
        if depth >= DEEPEST:
            raise ValueError(f"lists stand in lists more than {DEEPEST} deep")
        return [_plain(item, depth + 1, left) for item in value]
    if type(value).__module__ == "numpy" and callable(getattr(value, "tolist", None)):
        return _plain(value.tolist(), depth + 1, left)
    raise ValueError(f"must be a text, number, truth value or list, not {_kind(value)}")


def _text(value: Any, in_list: bool) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_text(item, True) for item in value) + "]"
    if isinstance(value, str) and in_list and (not value or value != value.strip() or _SPECIAL & set(value)):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def _kind(value: Any) -> str:
    names = {
        "NoneType": "null",
        "dict": "an object",
        "list": "a list",
        "str": "a text",
        "bool": "true or false",
    }
    name = type(value).__name__
    return names.get(name, "a number" if isinstance(value, int | float) else f"a {name}")
