"""Every kind of change that was ever recorded is read, fits its type, and is written as it was."""

from __future__ import annotations

import json
import types
import typing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fechner.database.form.change_parts import PARTS
from fechner.database.form.changes import CHANGES, Change, read
from fechner.database.form.message import to_json
from fechner.database.form.projections import Rows, project
from fechner.database.record import Record

HERE = Path(__file__).parent
EXAMPLES = sorted((HERE / "changes").glob("*.json"))
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)

#: The tables that get rows; what isn't here touches only the session.
ROWS = {"ask": "trials", "setup": "strategies", "skip": "skips", "correct": "corrections"}


def faults(value: Any, hint: Any, where: str = "") -> list[str]:
    """Where a value is not of a type: fields that are missing, unknown or out of order among them."""
    if hint is Any:
        return []
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.NotRequired, typing.Required):
        return faults(value, arguments[0], where)
    if origin in (typing.Union, types.UnionType):
        return min((faults(value, one, where) for one in arguments), key=len)
    if origin is typing.Literal:
        return [] if value in arguments else [f"{where}: {value!r}"]
    if origin is list:
        return (
            [fault for i, one in enumerate(value) for fault in faults(one, arguments[0], f"{where}.{i}")]
            if isinstance(value, list)
            else [f"{where}: {value!r} is no list"]
        )
    if origin is dict:
        return (
            [fault for key, one in value.items() for fault in faults(one, arguments[1], f"{where}.{key}")]
            if isinstance(value, dict)
            else [f"{where}: {value!r} is no mapping"]
        )
    if not typing.is_typeddict(hint):
        kind = (int, float) if hint is float else hint
        fits = isinstance(value, kind) and (hint is bool or not isinstance(value, bool))
        return [] if fits else [f"{where}: {value!r} is no {hint.__name__}"]
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no mapping"]
    found = [f"{where}.{name} is missing" for name in sorted(hint.__required_keys__ - set(value))]
    found += [f"{where}.{name} is unknown" for name in value if name not in hint.__annotations__]
    for name in [name for name in hint.__annotations__ if name in value]:
        found += faults(value[name], hint.__annotations__[name], f"{where}.{name}")
    return found


def fields(change: Any, hint: Any) -> set[tuple[str, str]]:
    """The fields, each with its type's name, that a value of a type has."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if typing.is_typeddict(hint):
        there = {(hint.__name__, name) for name in change}
        return there.union(*(fields(change[name], hint.__annotations__[name]) for name in change))
    if origin is typing.NotRequired:
        return fields(change, arguments[0])
    if origin is list:
        return set().union(*(fields(one, arguments[0]) for one in change))
    if origin is dict:
        return set().union(*(fields(one, arguments[1]) for one in change.values()))
    return set()


@pytest.fixture(params=EXAMPLES, ids=lambda file: file.stem)
def text(request: pytest.FixtureRequest) -> str:
    """A change as its column has it."""
    return str(request.param.read_text("ascii"))


def test_a_change_fits_its_type(text: str) -> None:
    """It has the fields that its type has, and no others."""
    change = read(text)
    assert faults(change, CHANGES[change["type"]]) == []


def test_a_change_is_written_as_it_was(text: str) -> None:
    """To the byte, since the hash covers it."""
    assert to_json(read(text)) == text


def test_a_change_gives_rows(text: str) -> None:
    """Those of its kind, and what it says of the session."""
    change, rows = read(text), Rows()
    project(rows, "s", 3, NOON, change)
    [(session, touched)] = rows.sessions_touched.items()
    assert (session, touched["b_n_messages"]) == ("s", 3)
    assert (touched["b_ended_at"] == NOON) == (change["type"] == "exit")
    if change["type"] == "tell":
        assert len(rows.tells) + len(rows.trials) == len(change["trials"]) > 0
    else:
        filled = [name for name in ROWS.values() if getattr(rows, name)]
        assert filled == [ROWS[change["type"]]] if change["type"] in ROWS else filled == []


def test_there_is_an_example_of_every_field() -> None:
    """Also of those that only some changes have."""
    changes = [read(file.read_text("ascii")) for file in EXAMPLES]
    assert {change["type"] for change in changes} == set(CHANGES)
    there = set().union(*(fields(change, CHANGES[change["type"]]) for change in changes))
    every = {(one.__name__, name) for one in (*CHANGES.values(), *PARTS) for name in one.__annotations__}
    # a GPU, and a model that can't be computed
    assert every - there == {("Left", "device"), ("Left", "warnings")}


@pytest.mark.parametrize("file", sorted(HERE.glob("record-*.db")), ids=lambda file: file.stem)
def test_every_change_of_a_golden_record_fits_its_type(file: Path) -> None:
    """The types are those of the records that there are."""
    with Record.open(file, read_only=True) as record:
        changes: list[Change] = [one for id_ in record.all_sessions() for _, _, one in record.changes(id_)]
    assert changes
    assert [fault for change in changes for fault in faults(change, CHANGES[change["type"]])] == []


def test_what_does_not_fit_is_noticed() -> None:
    """The check of these tests sees faults."""
    tell = json.loads((HERE / "changes" / "tell.json").read_text("ascii"))
    tell["trials"][0] |= {"trial": "1", "unknown": 1}
    del tell["trials"][0]["asked"]
    assert faults(tell, CHANGES["tell"]) == [
        ".trials.0.asked is missing",
        ".trials.0.unknown is unknown",
        ".trials.0.trial: '1' is no int",
    ]
