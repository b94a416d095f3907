"""Computing the projections anew from the messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa

from fechner.database.errors import RecordError
from fechner.database.form import statements
from fechner.database.form.changes import read
from fechner.database.form.projections import Rows, project
from fechner.database.form.tables import (
    Row,
    as_stored,
    messages,
    sessions,
    strategies,
    trial_outcomes,
    trial_parameters,
    trials,
)
from fechner.database.keeping.prepared import Statements
from fechner.database.keeping.writing import write

#: The tables that follow from the messages, in an order in which they can be filled.
PROJECTIONS = (sessions, strategies, trials, trial_parameters, trial_outcomes)

#: Messages projected at a time.
PAGE = 500


class UnsoundError(RecordError):
    """A message can't be projected after those before it."""

    def __init__(self, session: str, seq: int, cause: Exception) -> None:
        super().__init__(f"session {session}: message {seq} can't be projected: {cause}")
        self.session, self.seq = session, seq


def rebuild(connection: sa.Connection) -> int:
    """Empty the projections and fill them again, in the connection's transaction.

    Returns:
        How many messages they follow from.

    Raises:
        UnsoundError: a message can't be projected.
    """
    for table in reversed(PROJECTIONS):
        connection.execute(sa.delete(table))
    named = connection.execute(sa.select(messages.c.session).distinct().order_by(messages.c.session)).all()
    return sum(fold(connection, row.session, message_rows(connection, row.session)) for row in named)


def fold(connection: sa.Connection, session: str, rows: Iterable[sa.Row[Any]]) -> int:
    """Write what a session's messages, given in order, give to its empty projections; says how many they are.

    Raises:
        UnsoundError: names the first message that can't be projected; those before it are.
    """
    there = iter(rows)
    prepared = Statements()
    n_messages = 0
    while page := list(islice(there, PAGE)):
        n_messages += len(page)
        try:
            _write(connection, page, prepared)
        except Exception:
            for row in page:  # which one is it?
                try:
                    _write(connection, [row], prepared)
                except Exception as error:
                    raise UnsoundError(session, row.seq, error) from error
    return n_messages


def _write(connection: sa.Connection, page: list[sa.Row[Any]], prepared: Statements) -> None:
    rows = Rows()
    for row in page:
        change = None if row.change is None else read(row.change)
        project(rows, row.session, row.seq, row.received_at, change)
    with connection.begin_nested():
        write(connection, rows, prepared)


def message_rows(connection: sa.Connection, session: str) -> Iterator[sa.Row[Any]]:
    """A session's rows of ``messages`` in order, a page at a time."""
    after = 0
    while True:
        values = {"session": session, "after": after, "limit": PAGE}
        rows = connection.execute(statements.PAGE_AS_STORED, values).all()
        yield from rows
        if len(rows) < PAGE:
            return
        after = rows[-1].seq


def of_session(connection: sa.Connection, table: sa.Table, session: str) -> Iterator[Row]:
    """A session's rows of a table, by their key."""
    rows = as_stored(table).where(table.c.session == session).order_by(*table.primary_key.columns)
    return (dict(row._mapping) for row in connection.execute(rows))
