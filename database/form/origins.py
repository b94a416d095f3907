"""Where sessions came from that another file brought, and whether one that was forgotten would come back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from fechner.database.form.projections import storable
from fechner.database.form.tables import Row, forgotten, origins


def origin(session: str, source: str, kind: str, hash_: str, at: datetime) -> Row:
    """A row of the table: `kind` is ``"record"`` or ``"aepsych"``, `hash_` says what the source held."""
    return {"session": session, "source": storable(source), "kind": kind, "hash": hash_, "imported_at": at}


def note(connection: sa.Connection, rows: Iterable[Row]) -> int:
    """Add the origins that aren't noted yet, in the connection's transaction; says how many these were."""
    n = 0
    for row in rows:
        key = [origins.c[name] == row[name] for name in ("session", "source", "hash")]
        if connection.execute(sa.select(origins.c.kind).where(*key)).first() is None:
            connection.execute(sa.insert(origins), row)
            n += 1
    return n


def of_session(connection: sa.Connection, session: str) -> list[Row]:
    """Where a session came from, in the order in which it came; nothing if it was recorded here."""
    statement = sa.select(origins).where(origins.c.session == session)
    rows = connection.execute(statement.order_by(origins.c.imported_at, origins.c.source))
    return [dict(row._mapping) for row in rows]


def forgotten_at(connection: sa.Connection, session: str) -> datetime | None:
    """When `fechner forget` removed the session from this record; None if it didn't."""
    statement = sa.select(forgotten.c.forgotten_at).where(forgotten.c.session == session)
    at: datetime | None = connection.execute(statement).scalar()
    return at
