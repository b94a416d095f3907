"""Statements prepared for SQLite write what SQLAlchemy writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from fechner.database.form import statements
from fechner.database.form.tables import metadata
from fechner.database.keeping.prepared import Row, Statements
from fechner.database.record import Record

from ..talk import Talk


def tables(connection: sa.Connection) -> dict[str, Any]:
    """Everything that is stored, as it is stored."""
    return {
        table.name: sorted(map(tuple, connection.exec_driver_sql(f"SELECT * FROM {table.name}").all()))
        for table in metadata.sorted_tables
    }


def plainly(
    self: Statements, connection: sa.Connection, statement: sa.Insert | sa.Update, rows: Sequence[Row]
) -> int:
    """As SQLAlchemy does it."""
    return connection.execute(statement, list(rows)).rowcount


def test_a_prepared_statement_writes_the_same(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times, truth values, JSON, missing values, constants of the statement: stored alike, bit by bit."""
    entries = [
        talk.setup(),
        talk.ask((1, {"level": 0.1}), (2, {"level": 0.2}), (3, {"level": 0.3})),
        talk.tell(1, {"outcome_1": 1}),
        talk.entry("info"),
        talk.entry("skip", {"type": "skip", "trial": 2, "again": False, "reason": "late"}),
        talk.entry("exit", {"type": "exit"}),
    ]
    stored = []
    for prepared in (True, False):
        with Record.open("sqlite://") as record, monkeypatch.context() as patched:
            if not prepared:
                patched.setattr(Statements, "execute", plainly)
            assert record.append([[entry] for entry in entries]) == [None] * len(entries)
            with record.snapshot() as connection:
                stored.append(tables(connection))
    assert stored[0] == stored[1]


def test_an_error_is_sqlalchemys(record: Record) -> None:
    """So that whoever writes learns the same from it."""
    row = {"b_session": "s", "b_trial": 1, "told_at": datetime.now(UTC), "told_seq": 1, "extra_json": None}
    skips = dict(statements.WRITES)["skips"]
    with record.snapshot() as connection:
        assert Statements().execute(connection, skips, [row]) == 0
        assert Statements().execute(connection, skips, [row, row]) == 0
    trial = {"session": "s", "trial": 1, "stimulus": 0, "name": "p", "number": 0.5, "text": None}
    inserts = dict(statements.WRITES)["trial_parameters"]
    with pytest.raises(sa.exc.IntegrityError), record._database.connection.begin():
        Statements().execute(record._database.connection, inserts, [trial])
