"""Records on a PostgreSQL server: connections whose commits are durable, and the right to write."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from fechner.database.errors import RecordError
from fechner.database.keeping.urls import hide_password, reason

#: First half of the advisory lock's key ("FECH"); the other half tells schemas of one database apart.
_KEY = 0x46454348
#: What libpq is told: give up on a server that doesn't answer, notice one that is gone.
_CONNECT = {"connect_timeout": 10, "keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 3}

_TAKE = sa.text("SELECT pg_try_advisory_lock(:key, hashtext(current_schema()))")
_HOLDER = sa.text(
    "SELECT a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = CAST(:key AS oid)"
    " AND l.objid = CAST(hashtext(current_schema())::bigint & 4294967295 AS oid)"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def engine(url: sa.URL, read_only: bool) -> sa.Engine:
    """The engine of a record at a URL."""
    made = sa.create_engine(
        url,
        poolclass=NullPool,
        connect_args={**_CONNECT, "application_name": f"fechner, process {os.getpid()}"},
    )
    if read_only:  # what is read belongs together, though a server writes meanwhile
        return made.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")

    def make_durable(connection: Any, _: object) -> None:
        """Also after the server was away: then the lock is gone, and somebody else may have it."""
        lock = _held.get(url)
        if lock is not None:
            lock.renew()
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION synchronous_commit = on")
        connection.commit()

    sa.event.listen(made, "connect", make_durable)
    return made


class AdvisoryLock:
    """The right to write a record at a URL: an advisory lock on a connection that is kept for it alone.

    The server frees it when the connection ends, so also when this process is killed.

    Raises:
        RecordError: somebody else holds it (the text names them), or the server can't be asked.
    """

    def __init__(self, url: sa.URL, text: str) -> None:
        self.name = hide_password(url)
        self._url, self._turn = url, threading.Lock()
        # The name is cut after 63 bytes, so what tells processes apart comes first.
        who = f"process {os.getpid()} on {socket.gethostname()} ({text})"
        self._engine = sa.create_engine(
            url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={**_CONNECT, "application_name": who.encode("ascii", "replace").decode()[:63]},
        )
        self._connection: sa.Connection | None = None
        self._take()
        _held[url] = self

    def renew(self) -> None:
        """Take it again if the connection was lost.

        Raises:
            RecordError: somebody else has it by now, or the server can't be asked.
        """
        with self._turn:
            if self._connection is not None:
                try:
                    self._connection.execute(sa.text("SELECT 1"))
                    return
                except sa.exc.SQLAlchemyError:
                    self._connection.close()
                    self._connection = None
            self._take()

    def release(self) -> None:
        """Give it up; again does nothing."""
        if _held.get(self._url) is self:
            del _held[self._url]
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _take(self) -> None:
        try:
            connection = self._engine.connect()
        except (sa.exc.SQLAlchemyError, ImportError) as error:
            raise RecordError(f"the record {self.name} can't be locked: {reason(error)}") from error
        try:
            if connection.execute(_TAKE, {"key": _KEY}).scalar():
                self._connection = connection
                return
            holder = connection.execute(_HOLDER, {"key": _KEY}).scalar() or "another program"
        except sa.exc.SQLAlchemyError as error:
            connection.close()
            raise RecordError(f"the record {self.name} can't be locked: {reason(error)}") from error
        connection.close()
        raise RecordError(f"the record {self.name} is in use by {holder}")


#: The locks that this process holds.
_held: dict[sa.URL, AdvisoryLock] = {}
