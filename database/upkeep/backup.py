"""Copies of a record: a whole one while a server writes to it, and one of a single session."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from fechner.database.errors import RecordError
from fechner.database.export.files import whole
from fechner.database.form.tables import as_stored, forgotten, messages, metadata, sessions
from fechner.database.keeping.connection import BUSY_TIMEOUT_MS, Database, make_private, tidy
from fechner.database.keeping.schema import is_older, prepare
from fechner.database.keeping.urls import reason, record_file, record_url
from fechner.database.record import Record
from fechner.database.soundness.checking import breaks

_MESSAGES = (
    as_stored(messages)
    .where(messages.c.session == sa.bindparam("id"))
    .order_by(messages.c.seq)
    .execution_options(yield_per=1000)
)


@dataclass(frozen=True)
class Copy:
    """What a copy holds.

    Attributes:
        n_sessions, n_messages: how much.
        broken: by session, the first message that the record already had changed, missing or misplaced.
    """

    n_sessions: int
    n_messages: int
    broken: dict[str, int]


def backup(where: str | os.PathLike[str], to: str | os.PathLike[str]) -> Copy:
    """Copy a record in an SQLite file, as of one moment, and check the copy; others may write meanwhile.

    The copy gets its name when it is on disk, whole and checked.

    Raises:
        RecordError: there is no such record, the copy can't be written or isn't sound, or its name is taken.
    """
    source, target = record_file(record_url(where)), Path(to)
    if source is None:
        name = record_url(where).render_as_string()
        raise RecordError(f"{name} is no file; its database server's own tool (pg_dump) copies it")
    _refuse_unknown(source)
    if target.exists():
        raise RecordError(f"{target} exists already; a backup replaces nothing")
    try:
        with whole(target) as part:
            part.unlink(missing_ok=True)
            _vacuum_into(source, part)
            copy = check(part)
    except (OSError, sqlite3.Error, sa.exc.SQLAlchemyError) as error:
        raise RecordError(f"the record {source} can't be copied to {target}: {reason(error)}") from error
    return copy


def check(file: Path) -> Copy:
    """Check a record's pages, and every session's chain; the record may be of an earlier revision.

    Raises:
        RecordError: SQLite finds the file damaged.
    """
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            raise RecordError(f"{file} is damaged: {found}")
    broken: dict[str, int] = {}
    database = Database(file, read_only=True)
    try:
        with database.connection.begin():
            counts = database.connection.execute(sa.select(sessions.c.session, sessions.c.n_messages)).all()
            for session, n_messages in counts:
                rows = database.connection.execute(_MESSAGES, {"id": session})
                first = next(breaks(session, rows, n_messages), None)
                if first is not None:
                    broken[session] = first.seq
    finally:
        database.close()
    return Copy(len(counts), sum(row.n_messages for row in counts), broken)


def copy_sessions(record: Record, ids: Sequence[str], to: Path) -> None:
    """A new record in a file with some sessions of another; the same sessions give the same bytes."""
    database = Database(to)
    try:
        prepare(database)
        database.writing = True
        with record.snapshot() as source, database.connection.begin():
            for table in metadata.sorted_tables:
                if table is forgotten:
                    continue
                rows = source.execute(
                    sa.select(table).where(table.c.session.in_(ids)).order_by(*table.primary_key)
                )
                for page in rows.mappings().partitions(1000):
                    database.connection.execute(sa.insert(table), [dict(row) for row in page])
    finally:
        database.writing = False
        database.close()


def _refuse_unknown(file: Path) -> None:
    """Refuse what is no record, or one of a newer Fechner."""
    database = Database(file, read_only=True)
    try:
        is_older(database)
    finally:
        database.close()


def _vacuum_into(source: Path, to: Path) -> None:
    make_private(to, stat.S_IMODE(source.stat().st_mode) & 0o666)  # a copy is for whom the record is for
    with closing(
        sqlite3.connect(
            f"{source.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            timeout=BUSY_TIMEOUT_MS / 1000,
        )
    ) as connection:
        connection.execute("VACUUM INTO ?", (str(to),))
    tidy(source)
    with to.open("rb+") as file:
        os.fsync(file.fileno())
