"""The columns of an export: how they are called, and which type and unit they have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fechner.database.form.tables import Row

#: The columns that every export has, before and after those of parameters and outcomes.
BEFORE = ("session", "name", "participant", "strategy", "stage", "trial", "status", "asked_at", "told_at")
AFTER = ("response_time", "confidence", "post_mean", "post_sd")
_FIXED = frozenset((*BEFORE, "outcome", *AFTER))
_WHOLE = ("binary", "ordinal", "integer")
#: Beyond this a double no longer holds every whole number.
MOST_WHOLE = 2.0**53


@dataclass(frozen=True, slots=True)
class Column:
    """A column that not every export has.

    Attributes:
        title: as it stands above the column.
        kind: ``parameter``, ``outcome``, ``extra`` or ``asked``.
        name: what the session calls it.
        stimulus: 1 or 2 where the trial has two, else 0.
        dtype: of pandas: ``float64``, ``Int64``, ``boolean``, or ``object`` for text.
        unit: for people, as the configuration names it.
    """

    title: str
    kind: str
    name: str
    stimulus: int
    dtype: str
    unit: str = ""


@dataclass(slots=True)
class Values:
    """What is known about the values of one column."""

    kinds: set[str | None] = field(default_factory=set)
    units: dict[str, None] = field(default_factory=dict)
    whole: bool = True
    text: bool = False

    def dtype(self) -> str:
        """The column's type in pandas."""
        if self.text:
            return "object"
        return "Int64" if self.whole and self.kinds and self.kinds <= set(_WHOLE) else "float64"

    def unit(self) -> str:
        """The unit; both where sessions differ."""
        return " or ".join(self.units)

    def see(self, value: Any) -> None:
        """Take a value into account."""
        if isinstance(value, str):
            self.text = True
        elif isinstance(value, int | float):
            self.whole = self.whole and abs(value) <= MOST_WHOLE and value == int(value)


def read_declared(text: str) -> list[dict[str, Any]]:
    """Parameters or outcomes as a setup declared them: name, type, unit."""
    return [item if isinstance(item, dict) else {"name": str(item)} for item in json.loads(text)]


def parameter_title(name: str, stimulus: int = 0) -> str:
    """The title of a parameter's column."""
    title = f"par.{name}" if name in _FIXED else name
    return f"{title}_{stimulus}" if stimulus else title


def asked_title(name: str, stimulus: int = 0) -> str:
    """The title of the column for what was asked where something else was shown."""
    return f"asked.{name}_{stimulus}" if stimulus else f"asked.{name}"


def outcome_title(name: str, strategy: Row) -> str:
    """The title of an outcome's column: ``outcome`` for a strategy's only one without a name of its own."""
    if name == "outcome_1" and len(strategy["outcomes"]) == 1:
        return "outcome"
    taken = {item["name"] for item in strategy["parameters"]}
    return f"outcome.{name}" if name in taken or (name in _FIXED and name != "outcome") else name


def merge_told(client_time: str | None, extra: str | None) -> dict[str, Any]:
    """A trial's extras by name, plain values: what is nested becomes JSON text."""
    found = {} if client_time is None else {"client_time": json.loads(client_time)}
    if extra is not None:
        found |= json.loads(extra)
    return {
        name: json.dumps(value) if isinstance(value, list | dict) else value for name, value in found.items()
    }


def stimuli(name: str, value: Any) -> Iterator[tuple[tuple[str, int], Any]]:
    """A parameter's value, or its two values, each with the key of its column."""
    if not isinstance(value, list):
        yield (name, 0), value
    elif len(value) == 1:
        yield (name, 0), value[0]
    else:
        for stimulus, one in enumerate(value, 1):
            yield (name, stimulus), one


def declare(values: dict[Any, Values], key: Any, item: Mapping[str, Any]) -> None:
    """Take a setup's declaration of a parameter or an outcome into account."""
    about = values.setdefault(key, Values())
    about.kinds.add(item.get("type"))
    if item.get("unit"):
        about.units[item["unit"]] = None


def side_by_side(values: dict[tuple[str, int], Values]) -> Iterator[tuple[tuple[str, int], Values]]:
    """The columns of one parameter beside each other, parameters in the order in which they came."""
    order = {name: place for place, name in enumerate(dict.fromkeys(name for name, _ in values))}
    yield from sorted(values.items(), key=lambda item: (order[item[0][0]], item[0][1]))


def plain_dtype(kinds: set[type]) -> str:
    """The type of a column of plain JSON values of these types."""
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "Int64"
    return "float64" if kinds and kinds <= {int, float} else "object"
