"""Whether a record is whole: the chains of its messages, and the tables that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from fechner.database.form.message import NO_HASH, chain
from fechner.database.form.tables import Row, messages, metadata
from fechner.database.keeping.connection import Database
from fechner.database.keeping.urls import reason
from fechner.database.soundness.rebuilding import PROJECTIONS, UnsoundError, fold, message_rows, of_session


@dataclass(frozen=True, slots=True)
class Break:
    """A message that is not what was recorded.

    Attributes:
        session, seq: which.
        fault: `missing`; or `changed`, which it also seems to be when it stands in another's place.
    """

    session: str
    seq: int
    fault: Literal["missing", "changed"]

    def __str__(self) -> str:
        what = "is missing" if self.fault == "missing" else "was changed, or stands in another's place"
        return f"session {self.session}: message {self.seq} {what}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of a projection that is not what the messages give.

    Attributes:
        session: whose.
        table: where; `messages` if a message can't be projected (other differences aren't looked for then).
        key: the row's key, without the session.
        column: what differs; None if the row is missing, is too many or can't be computed.
        recorded, computed: the values, or rows; None where there is no row.
    """

    session: str
    table: str
    key: Row
    column: str | None
    recorded: object
    computed: object

    def __str__(self) -> str:
        key = ", ".join(f"{name} {value}" for name, value in self.key.items())
        where = f"session {self.session}: {self.table}" + (f" ({key})" if key else "")
        if self.table == "messages":
            return f"{where} gives no rows: {self.computed}"
        if self.column is not None:
            return (
                f"{where}: {self.column} is {_text(self.recorded)}, the messages give {_text(self.computed)}"
            )
        return f"{where}: the row is " + ("missing" if self.recorded is None else "not in the messages")


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else repr(value)


def breaks(session: str, rows: Iterable[sa.Row[Any]], n_messages: int | None) -> Iterator[Break]:
    """What is wrong with a session's chain.

    Args:
        session: its id.
        rows: its rows of ``messages``, in order.
        n_messages: how many there should be, if that is known.
    """
    previous: str | None = NO_HASH
    seq = 0
    for row in rows:
        while row.seq > seq + 1:  # what comes after a gap can't be checked against what is gone
            seq += 1
            previous = None
            yield Break(session, seq, "missing")
        seq = row.seq
        if previous is not None and not _follows(previous, row):
            yield Break(session, seq, "changed")
        previous = row.hash
    for missing in range(seq + 1, (n_messages or 0) + 1):
        yield Break(session, missing, "missing")


def _follows(previous: str, row: sa.Row[Any]) -> bool:
    try:
        return bool(chain(previous, dict(row._mapping)) == row.hash)
    except (TypeError, ValueError, AttributeError):  # bytes, say, or what is no time
        return False


def all_sessions(connection: sa.Connection) -> list[str]:
    """Every session that any table names."""
    named = sa.union(*(sa.select(table.c.session) for table in (messages, *PROJECTIONS))).subquery()
    return [str(row.session) for row in connection.execute(sa.select(named).order_by(named.c.session))]


class Checker:
    """Computes projections again, in a database in memory, and compares."""

    def __init__(self) -> None:
        self._scratch = Database(":memory:")
        with self._scratch.connection.begin():
            metadata.create_all(self._scratch.connection, checkfirst=False)

    def close(self) -> None:
        """Forget everything."""
        self._scratch.close()

    def differences(self, connection: sa.Connection, session: str) -> Iterator[Difference]:
        """Where a session's rows aren't what its messages give; reads in the connection's transaction."""
        scratch = self._scratch.connection
        with scratch.begin() as transaction:
            try:
                fold(scratch, session, message_rows(connection, session))
            except UnsoundError as error:
                cause = error.__cause__ or error
                transaction.rollback()
                yield Difference(session, "messages", {"seq": error.seq}, None, None, reason(cause))
                return  # every row that depends on it would differ too
            for table in PROJECTIONS:
                yield from _compare(
                    session,
                    table,
                    of_session(connection, table, session),
                    of_session(scratch, table, session),
                )
            transaction.rollback()


def differences(
    snapshot: Callable[[], AbstractContextManager[sa.Connection]], sessions: Iterable[str]
) -> Iterator[Difference]:
    """Where the tables beside ``messages`` aren't what the messages of some sessions give.

    Args:
        snapshot: gives a connection in one transaction; wanted anew for each session.
        sessions: their ids.
    """
    checker = Checker()
    try:
        for session in sessions:
            with snapshot() as connection:
                found = list(checker.differences(connection, session))
            yield from found
    finally:
        checker.close()


def _compare(
    session: str, table: sa.Table, recorded: Iterable[Row], computed: Iterable[Row]
) -> Iterator[Difference]:
    names = [column.name for column in table.primary_key.columns if column.name != "session"]
    there = {tuple(row[name] for name in names): row for row in recorded}
    for row in computed:
        key = tuple(row[name] for name in names)
        shown = dict(zip(names, key, strict=True))
        found = there.pop(key, None)
        if found is None:
            yield Difference(session, table.name, shown, None, None, row)
            continue
        for column, value in row.items():
            if found[column] != value:
                yield Difference(session, table.name, shown, column, found[column], value)
    for key, row in there.items():
        yield Difference(session, table.name, dict(zip(names, key, strict=True)), None, row, None)
