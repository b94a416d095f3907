"""Copies of a record: a whole one while a server writes to it, and one of a single session."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from fechner.database.connection import BUSY_TIMEOUT_MS, Database, record_file, record_url
from fechner.database.errors import RecordError
from fechner.database.export_files import whole
from fechner.database.record import Record
from fechner.database.schema import prepare
from fechner.database.tables import forgotten, metadata


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
    Record.open(source, read_only=True).close()
    if target.exists():
        raise RecordError(f"{target} exists already; a backup replaces nothing")
    try:
        with whole(target) as part:
            part.unlink(missing_ok=True)
            _vacuum_into(source, part)
            copy = check(part)
    except (OSError, sqlite3.Error) as error:
        raise RecordError(f"the record {source} can't be copied to {target}: {error}") from error
    return copy


def check(file: Path) -> Copy:
    """Check a record's pages, and every session's chain.

    Raises:
        RecordError: SQLite finds the file damaged.
    """
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            raise RecordError(f"{file} is damaged: {found}")
    with Record.open(file, read_only=True) as record:
        sessions = record.sessions()
        broken = {row["session"]: record.verify_chain(row["session"]) for row in sessions}
    count = sum(row["n_messages"] for row in sessions)
    return Copy(len(sessions), count, {id_: seq for id_, seq in broken.items() if seq is not None})


def copy_sessions(record: Record, sessions: Sequence[str], to: Path) -> None:
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
                    sa.select(table).where(table.c.session.in_(sessions)).order_by(*table.primary_key)
                )
                for page in rows.mappings().partitions(1000):
                    database.connection.execute(sa.insert(table), [dict(row) for row in page])
    finally:
        database.writing = False
        database.close()


def _vacuum_into(source: Path, to: Path) -> None:
    with closing(
        sqlite3.connect(
            f"{source.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            timeout=BUSY_TIMEOUT_MS / 1000,
        )
    ) as connection:
        connection.execute("VACUUM INTO ?", (str(to),))
    with to.open("rb+") as file:
        os.fsync(file.fileno())
