"""Several records become one: every session with all its messages, and where each came from."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fechner.database.errors import RecordError
from fechner.database.form.origins import note, origin
from fechner.database.form.tables import Row, forgotten, messages, metadata, origins
from fechner.database.keeping.connection import Database
from fechner.database.keeping.schema import prepare
from fechner.database.keeping.urls import record_file, record_url
from fechner.database.record import Record

#: Rows that are copied at a time.
PAGE = 1000


class ConflictError(RecordError):
    """Sessions that are in several records, but not alike; the text names each."""


@dataclass(frozen=True)
class Taken:
    """A session of the combined record: the record it is taken from, and those that have it too."""

    session: str
    source: str
    n_messages: int
    also_in: tuple[str, ...]


@dataclass(frozen=True)
class Combined:
    """What came together; `broken` names the message that was changed or is missing in its source."""

    sessions: list[Taken]
    broken: dict[str, int]


@dataclass
class _Source:
    """An open record: its name, connection, and each session's number of messages and last hash."""

    name: str
    connection: sa.Connection
    heads: dict[str, tuple[int, str]]


@dataclass
class _Choice:
    """Which source a session is taken from, and all that have it."""

    best: _Source
    found_in: list[_Source] = field(default_factory=list)


def combine(sources: Sequence[str | os.PathLike[str]], to: str | os.PathLike[str]) -> Combined:
    """Write a new record with every session of `sources`, which are only read.

    A session that several have is taken once if its messages are the same; where one record has only the
    beginning of what another has, the longer one counts. Records of older revisions are migrated in a copy.
    `to` appears when it is complete, or not at all.

    Raises:
        ConflictError: a session goes on differently in two records, or was forgotten in one; all are named.
        RecordError: a source can't be read, `to` can't be written or is there already.
    """
    file = record_file(record_url(to))
    if file is None:
        raise RecordError(f"{to} is no file; records are combined into one")
    if file.exists():
        raise RecordError(f"there is a {file} already")
    if not file.parent.is_dir():
        raise RecordError(f"there is no folder {file.parent}")
    with ExitStack() as stack:
        try:
            folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent))
            )
        except OSError as error:
            raise RecordError(f"{file} can't be written: {error.strerror}") from error
        try:
            opened = [_open(where, stack) for where in sources]
            choices = _choose(opened)
            part = folder / "combined.db"
            combined = _write(part, choices, opened)
            _put_in_place(part, file)
        except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise RecordError(f"the records can't be combined: {error}") from error
    return combined


def _open(where: str | os.PathLike[str], stack: ExitStack) -> _Source:
    """A source, its connection in a transaction that sees one state of it."""
    record = Record.open(where, read_only=True)
    stack.callback(record.close)
    connection = stack.enter_context(record.snapshot())
    last = sa.select(messages.c.session, sa.func.max(messages.c.seq).label("seq")).group_by(
        messages.c.session
    )
    newest = last.subquery()
    rows = connection.execute(
        sa.select(messages.c.session, messages.c.seq, messages.c.hash).join(
            newest, (messages.c.session == newest.c.session) & (messages.c.seq == newest.c.seq)
        )
    )
    return _Source(record.name, connection, {row.session: (row.seq, row.hash) for row in rows})


def _choose(opened: Sequence[_Source]) -> dict[str, _Choice]:
    """For each session the source that has most of it."""
    choices: dict[str, _Choice] = {}
    conflicts: list[str] = []
    gone: dict[str, _Source] = {}
    for source in opened:
        for session in sorted(source.heads):
            choice = choices.setdefault(session, _Choice(source))
            choice.found_in.append(source)
            if choice.best is source:
                continue
            differs_at, longer = _compare(choice.best, source, session)
            if differs_at is not None:
                conflicts.append(
                    f"session {session} differs between {choice.best.name} and {source.name} "
                    f"from message {differs_at} on"
                )
            choice.best = longer
        for row in source.connection.execute(sa.select(forgotten.c.session)):
            gone.setdefault(row.session, source)
    for session, source in gone.items():
        holders = choices[session].found_in if session in choices else []
        for holder in holders:
            if holder is not source and source not in holders:
                conflicts.append(
                    f"session {session} of {holder.name} was forgotten in {source.name}: forget it there too"
                )
    if conflicts:
        raise ConflictError("; ".join(conflicts))
    return choices


def _compare(one: _Source, other: _Source, session: str) -> tuple[int | None, _Source]:
    """The first message that differs, None if none does, and the source that has more of them."""
    pairs = zip_longest(_rows(one, messages, session), _rows(other, messages, session))
    for n, (a, b) in enumerate(pairs, 1):
        if a is None or b is None:
            return None, other if a is None else one
        if a != b:
            return n, one
    return None, one


def _rows(source: _Source, table: sa.Table, session: str) -> Iterator[Row]:
    """A session's rows of a table in the order of its primary key, a page at a time."""
    statement = sa.select(table).where(table.c.session == session).order_by(*table.primary_key)
    result = source.connection.execute(statement.execution_options(yield_per=PAGE))
    for row in result:
        yield dict(row._mapping)


def _write(part: Path, choices: dict[str, _Choice], opened: Sequence[_Source]) -> Combined:
    """The combined record, complete and closed."""
    at = datetime.now(UTC)
    database = Database(part)
    try:
        prepare(database)
        database.writing = True
        with database.connection.begin():
            for table in metadata.sorted_tables:
                if table is not origins:
                    _copy_table(database.connection, table, choices, opened)
            for session, choice in choices.items():
                for source in choice.found_in:
                    note(database.connection, _rows(source, origins, session))
                    came = origin(session, source.name, "record", source.heads[session][1], at)
                    note(database.connection, [came])
        database.writing = False
        record = Record(database)
        broken = {session: record.verify_chain(session) for session in choices}
    finally:
        database.close()
    taken = [
        Taken(
            session,
            choice.best.name,
            choice.best.heads[session][0],
            tuple(source.name for source in choice.found_in if source is not choice.best),
        )
        for session, choice in choices.items()
    ]
    return Combined(taken, {session: seq for session, seq in broken.items() if seq is not None})


def _copy_table(
    connection: sa.Connection, table: sa.Table, choices: dict[str, _Choice], opened: Sequence[_Source]
) -> None:
    """Each session's rows from its source; what is left of forgotten ones from every source, once."""
    insert: Any = sa.insert(table)
    if table is not forgotten:
        for session, choice in choices.items():
            rows = _rows(choice.best, table, session)
            while page := list(islice(rows, PAGE)):
                connection.execute(insert, page)
        return
    for source in opened:
        for row in source.connection.execute(sa.select(table)):
            if connection.execute(sa.select(table).where(table.c.session == row.session)).first() is None:
                connection.execute(insert, dict(row._mapping))


def _put_in_place(part: Path, file: Path) -> None:
    """Give the finished record its name, durably; never over a file that is there."""
    descriptor = os.open(part, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if file.exists():
        raise RecordError(f"there is a {file} already")
    os.replace(part, file)
    with suppress(OSError):  # Windows opens no folders
        descriptor = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
