"""Reading a record: rows and pages of it, and messages, changes and tables' rows made of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from fechner.database.errors import RecordError, UnreadableError
from fechner.database.form.changes import Change, read
from fechner.database.form.message import Message, unescape_id
from fechner.database.form.tables import Row
from fechner.database.keeping.connection import Database
from fechner.database.keeping.urls import reason

#: Messages read at a time where a session is read through.
PAGE = 1000


class Reader:
    """Reads a record.

    Args:
        database: the connection to it.
        turn: held while it is used, also while a fault is mended: another thread may write.
    """

    def __init__(self, database: Database, turn: threading.RLock) -> None:
        self._database, self._turn = database, turn

    def rows(self, statement: sa.Select[Any], **values: Any) -> Sequence[sa.Row[Any]]:
        """All rows of a statement with these values."""
        with self.snapshot() as connection:
            return connection.execute(statement, values).all()

    def pages(self, statement: sa.Select[Any], session: str) -> Iterator[sa.Row[Any]]:
        """A session's messages, a page at a time: nothing is held between pages, so others may write."""
        after = 0
        while True:
            rows = self.rows(statement, session=session, after=after, limit=PAGE)
            yield from rows
            if len(rows) < PAGE:
                return
            after = rows[-1].seq

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """The connection in one transaction.

        Raises:
            RecordError: the record can't be read.
        """
        with self._turn:
            try:
                with self._database.connection.begin():
                    yield self._database.connection
            except sa.exc.SQLAlchemyError as error:
                self._database.reset()
                name = self._database.name
                raise RecordError(f"the record {name} can't be read: {reason(error)}") from error


def message_of(row: sa.Row[Any]) -> Message:
    """A row of ``messages`` as the message that it is.

    Raises:
        UnreadableError: it holds what no message holds.
    """
    values = dict(row._mapping)
    try:
        if values["client_id"] is not None:
            values["client_id"] = unescape_id(values["client_id"])
        values["type"] = unescape_id(values["type"])
        if values["change"] is not None:
            values["change"] = read(values["change"])
    except (ValueError, TypeError) as error:
        raise _unreadable(values["session"], values["seq"]) from error
    if not (isinstance(values["request"], str) and isinstance(values["reply"], str)):
        raise _unreadable(values["session"], values["seq"])
    return Message(**values)


def change_of(row: sa.Row[Any], session: str) -> Change:
    """The change in a row with ``seq`` and ``change``.

    Raises:
        UnreadableError: there is none in it.
    """
    try:
        return read(row.change)
    except (ValueError, TypeError) as error:
        raise _unreadable(session, row.seq) from error


def _unreadable(session: str, seq: int) -> UnreadableError:
    return UnreadableError(f"message {seq} of session {session} can't be read")


def row_of(row: sa.Row[Any]) -> Row:
    """A row with the columns ``…_json`` parsed and named without the ending.

    Raises:
        UnreadableError: one of them holds no JSON.
    """
    values = row._mapping
    try:
        return {
            name.removesuffix("_json"): json.loads(value)
            if name.endswith("_json") and value is not None
            else value
            for name, value in values.items()
        }
    except (ValueError, TypeError) as error:
        raise UnreadableError(f"a row of session {values['session']} can't be read") from error
