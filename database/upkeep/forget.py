"""Removing a person's sessions from a record, so that what is left still explains itself.

Each session leaves one row in ``forgotten``: when it went, how many messages it had, the hash of its last
one, and why. An older copy of the record can be held against it; nothing that was said follows from it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from fechner.database.errors import RecordError
from fechner.database.form.tables import Row, forgotten, messages, metadata, sessions, strategies
from fechner.database.keeping.connection import BUSY_TIMEOUT_MS, Database
from fechner.database.keeping.schema import prepare
from fechner.database.keeping.urls import reason, record_file, record_url

#: Keys of metadata that name a person.
_PERSON = ("participant", "subject", "observer", "listener")


def sessions_of(connection: sa.Connection, participant: str) -> list[Row]:
    """The sessions that name a participant, in a setup's participant or in its metadata, oldest first.

    Each row has session, created_at, n_messages, names (of its strategies) and participants (all that it
    names: a session goes as a whole).
    """
    found = connection.execute(
        sa.select(
            strategies.c.session,
            strategies.c.name,
            strategies.c.participant,
            strategies.c.metadata_json,
            sessions.c.created_at,
            sessions.c.n_messages,
        )
        .join(sessions, sessions.c.session == strategies.c.session)
        .order_by(sessions.c.created_at, strategies.c.session, strategies.c.strategy)
    )
    by_session: dict[str, Row] = {}
    named = set()
    for row in found:
        one = by_session.setdefault(
            row.session,
            {
                "session": row.session,
                "created_at": row.created_at,
                "n_messages": row.n_messages,
                "names": [],
                "participants": [],
            },
        )
        people = [row.participant, *_people(json.loads(row.metadata_json))]
        one["names"] += [row.name] if row.name and row.name not in one["names"] else []
        one["participants"] += [
            who for who in dict.fromkeys(people) if who and who not in one["participants"]
        ]
        if participant in people:
            named.add(row.session)
    return [row for session, row in by_session.items() if session in named]


def mentions(connection: sa.Connection, participant: str, besides: Sequence[str]) -> list[str]:
    """Other sessions in whose requests the text occurs somewhere, for a person to look at."""
    text = json.dumps(participant)[1:-1]
    found = connection.execute(
        sa.select(messages.c.session)
        .where(
            sa.or_(*(messages.c.request.contains(one, autoescape=True) for one in {text, participant})),
        )
        .distinct()
        .order_by(messages.c.session)
    ).scalars()
    return [session for session in found if session not in besides]


def forget(
    where: str | os.PathLike[str], participant: str, reason_given: str, now: datetime | None = None
) -> list[Row]:
    """Remove the sessions of a participant from every table and overwrite what they took up.

    Nobody else may write meanwhile: take `fechner.database.keeping.lock.RecordLock` first.

    Returns:
        The rows of `sessions_of`, as they were, each with the last hash.

    Raises:
        RecordError: it can't be done, or it is done but the file's log couldn't be cleared (it says which).
    """
    database = Database(where)
    try:
        prepare(database)
        if database.connection.dialect.name == "sqlite":
            with closing(database.connection.connection.cursor()) as cursor:
                cursor.execute("PRAGMA secure_delete=ON")
        database.writing = True
        with database.connection.begin():
            rows = sessions_of(database.connection, participant)
            _remove(database.connection, rows, reason_given, now or datetime.now(UTC))
    except sa.exc.SQLAlchemyError as error:
        raise RecordError(f"nothing was removed from {database.name}: {reason(error)}") from error
    finally:
        database.writing = False
        database.close()
    if rows:
        _overwrite(where)
    return rows


def _people(found: dict[str, Any]) -> list[str]:
    """Whom metadata names, under keys such as participant_id."""
    return [
        str(value)
        for key, value in found.items()
        if any(word in key.lower() for word in _PERSON) and isinstance(value, str | int)
    ]


def _remove(connection: sa.Connection, rows: list[Row], reason_given: str, at: datetime) -> None:
    last = (
        sa.select(messages.c.hash)
        .where(messages.c.session == sa.bindparam("id"))
        .order_by(messages.c.seq.desc())
        .limit(1)
    )
    for row in rows:
        id_ = row["session"]
        row["last_hash"] = connection.execute(last, {"id": id_}).scalar() or ""
        for table in reversed(metadata.sorted_tables):  # also an earlier tombstone of a session come back
            connection.execute(sa.delete(table).where(table.c.session == id_))
        connection.execute(
            sa.insert(forgotten).values(
                session=id_,
                forgotten_at=at,
                n_messages=row["n_messages"],
                last_hash=row["last_hash"],
                reason=reason_given,
            )
        )


def _overwrite(where: str | os.PathLike[str]) -> None:
    """Leave nothing of the rows removed in the database's own files."""
    file = record_file(record_url(where))
    if file is None:
        if record_url(where).get_backend_name() == "postgresql":
            _vacuum_postgresql(where)
        return
    try:
        with closing(
            sqlite3.connect(file, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
        ) as connection:
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("VACUUM")
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error as error:
        raise RecordError(f"the sessions are removed, but {file} could not be rewritten: {error}") from error
    if busy:
        raise RecordError(
            f"the sessions are removed, but another program reads {file}, so its log {file}-wal still holds "
            "them: it is cleared when that program ends"
        )


def _vacuum_postgresql(where: str | os.PathLike[str]) -> None:
    database = Database(where)
    try:
        connection = database.connection.execution_options(isolation_level="AUTOCOMMIT")
        for table in metadata.sorted_tables:
            connection.exec_driver_sql(f"VACUUM (FULL) {table.name}")
    except sa.exc.SQLAlchemyError as error:
        raise RecordError(f"the sessions are removed, but VACUUM FULL failed: {reason(error)}") from error
    finally:
        database.close()
