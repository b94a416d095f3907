"""The tables beside the messages follow from the messages alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fechner.database as database
from fechner.database.form.message import escape_id, unescape_id
from fechner.database.form.projections import split_value, storable
from fechner.database.form.tables import metadata
from fechner.database.record import Entry, Record

from ..talk import Talk


def _tables(record: Record) -> dict[str, list[tuple[Any, ...]]]:
    with record.snapshot() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(table.select().order_by(*table.primary_key.columns))
            ]
            for table in metadata.sorted_tables
        }


def _course(talk: Talk) -> list[Entry]:
    return [
        talk.setup(),
        talk.ask((1, {"level": 0.1}), (2, {"level": [0.2, 0.3]})),
        talk.entry("ask", ok=False),
        talk.tell(2, {"outcome_1": 1}, shown={"level": [0.2, 0.4]}),
        talk.tell(3, None, asked=False, config={}, model_data=False, extra={"note": "pause"}),
        talk.entry("finish_strategy", {"type": "finish_strategy", "strategy": 0, "stage": "init"}),
        talk.entry("exit", {"type": "exit"}),
        talk.entry("resume", {"type": "resume", "strategy": 0}),
        talk.setup(strategy=1),
        talk.ask((4, {"level": 0.1}), strategy=1),
        talk.entry("skip", {"type": "skip", "trial": 4, "reason": "", "again": True}),
        talk.entry("correct", {"type": "correct", "trial": 2, "strategy": 0, "outcome": {"outcome_1": 0}}),
        talk.entry("resume", {"type": "resume", "strategy": 1, "environment": {"threads": 1}}),
        talk.entry("correct", {"type": "correct", "trial": 2, "strategy": 0, "outcome": None}),
        talk.entry("info"),
    ]


def test_grouping_makes_no_difference(talk: Talk) -> None:
    """One by one, as one group or as one request, the same entries give the same tables."""
    entries = _course(talk)
    found = []
    for group in ([[entries]], [[[entry] for entry in entries]], [[[entry]] for entry in entries]):
        with Record.open(":memory:") as record:
            for requests in group:
                assert record.append(requests) == [None] * len(requests)
            found.append(_tables(record))
    assert found[0] == found[1] == found[2]


def test_tables_can_be_computed_again_from_the_messages(record: Record, talk: Talk) -> None:
    """What is read from ``messages``, appended to a new record, gives every table again, hashes included."""
    assert record.append([_course(talk)]) == [None]
    with Record.open(":memory:") as again:
        for message in record.messages(talk.session):
            values = {name: getattr(message, name) for name in Entry.__slots__}
            assert again.append([[Entry(**values)]]) == [None]
        assert _tables(again) == _tables(record)


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [
        (None, None, None),
        (True, 1.0, None),
        (3, 3.0, None),
        (0.1, 0.1, None),
        ("left", None, "left"),
        (10**400, None, str(10**400)),
        (float("inf"), None, "inf"),
        ([1], None, "[1]"),
        ("a\0\udc00", None, "a\ufffd\ufffd"),
    ],
)
def test_a_value_is_a_number_or_a_text(value: Any, number: float | None, text: str | None) -> None:
    """Finite numbers go to the number column, everything else to the text column."""
    assert split_value(value) == (number, text)


@given(st.text())
def test_any_text_can_be_stored(text: str) -> None:
    """Stored texts can be encoded and hold no NUL; ordinary ones are unchanged."""
    stored = storable(text)
    assert stored is not None
    assert "\0" not in stored
    assert len(stored.encode()) >= len(text)
    assert storable(stored) == stored


@given(st.text(), st.text())
def test_ids_stay_different(first: str, second: str) -> None:
    """An id comes back as it was, whatever characters it has, and two ids never become one."""
    assert unescape_id(escape_id(first)) == first
    assert "\0" not in escape_id(first).encode().decode()
    assert (escape_id(first) == escape_id(second)) == (first == second)


def test_public_names_can_be_imported_from_the_folder() -> None:
    """Every name in ``__all__`` is there, and others are an error."""
    assert all(getattr(database, name).__name__ == name for name in database.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        database.nothing  # noqa: B018
