"""One connection to the database that holds a record, set up so that a commit is durable."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from fechner.database.errors import RecordError
from fechner.database.keeping import postgresql
from fechner.database.keeping.urls import hide_password, reason, record_file, record_url

#: How long a write waits for another program's transaction, in milliseconds.
BUSY_TIMEOUT_MS = 5000


class Database:
    """A connection and the SQLAlchemy engine behind it.

    Every access happens in a transaction, ``with database.connection.begin():``; set `writing` before one
    that writes, so that SQLite takes its write lock at the start and not halfway.
    """

    def __init__(
        self, where: str | os.PathLike[str], *, read_only: bool = False, copy_of: Database | None = None
    ) -> None:
        self.url = record_url(where)
        self.read_only = read_only
        self._copy_of = copy_of
        self.writing = False
        self.file = record_file(self.url)
        self.name = str(self.file) if self.file else hide_password(self.url)
        try:
            if self.url.get_backend_name() == "sqlite":
                self._check_file()
                engine = sa.create_engine("sqlite://", creator=self._sqlite, poolclass=NullPool)
                sa.event.listen(engine, "begin", self._begin)
            elif self.url.get_backend_name() == "postgresql":
                engine = postgresql.engine(self.url, read_only)
            else:
                raise RecordError(f"{self.name} is neither SQLite nor PostgreSQL")
            self.connection = engine.connect()
        except ModuleNotFoundError as error:
            raise RecordError(
                f"the record {self.name} can't be opened: {error}; `pip install fechner[postgres]` brings it"
            ) from error
        except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError, ImportError) as error:
            raise RecordError(f"the record {self.name} can't be opened: {reason(error)}") from error

    def reset(self) -> None:
        """Give up a transaction whose commit failed; SQLAlchemy thinks that such a one is over."""
        if not self.connection.closed and not self.connection.invalidated:
            with suppress(Exception):
                self.connection.connection.rollback()

    def close(self) -> None:
        """Close the connection; SQLite then moves its log into the file."""
        self.connection.close()
        if self.read_only and self.file is not None and self._copy_of is None:
            tidy(self.file)

    def _check_file(self) -> None:
        if self.file is None:
            return
        if not self.file.parent.is_dir():
            raise RecordError(
                f"the record {self.name} can't be opened: there is no folder {self.file.parent}"
            )
        if self.file.is_dir():
            raise RecordError(f"the record {self.name} can't be opened: it is a folder")
        if self.read_only and not self.file.exists():
            raise RecordError(f"there is no record {self.name}")

    def copy(self) -> Database:
        """A private copy of a record in an SQLite file, under its name, that goes when it is closed."""
        return Database(self.url.render_as_string(False), read_only=self.read_only, copy_of=self)

    def _sqlite(self) -> sqlite3.Connection:
        if self._copy_of is not None:
            connection = _connect("")  # in memory while it is small, then in a temporary file
            source = self._copy_of.connection.connection.dbapi_connection
            assert isinstance(source, sqlite3.Connection)
            source.backup(connection)
            return connection
        if self.file is None:
            connection = _connect("file::memory:")
        elif not self.read_only:
            make_private(self.file)
            connection = _connect(f"{self.file.absolute().as_uri()}?mode=rwc")
        else:
            return self._sqlite_read_only(self.file.absolute().as_uri())
        connection.execute("PRAGMA journal_mode=WAL").fetchone()
        for pragma in ("synchronous=FULL", "fullfsync=ON", "checkpoint_fullfsync=ON", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _sqlite_read_only(self, address: str) -> sqlite3.Connection:
        connection = _connect(f"{address}?mode=ro")
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            log = Path(f"{self.file}-wal")
            if log.exists() and log.stat().st_size:
                raise
            # In a folder that can't be written to, a log that isn't there can't be looked into either.
            connection = _connect(f"{address}?mode=ro&immutable=1")
        return connection

    def _begin(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if self.writing else "BEGIN")


def make_private(file: Path, mode: int = 0o600) -> None:
    """Make a file that isn't there, for its owner only: it will hold what participants did.

    SQLite gives the files beside it the same mode; whoever wants to share a record changes it once.
    """
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode))


def tidy(file: Path) -> None:
    """Remove the empty log that SQLite makes for a reader and leaves behind; nothing while others have it.

    SQLite itself does so when a connection that may write is the last one to go; it writes nothing then.
    """
    log = Path(f"{file}-wal")
    with suppress(OSError, sqlite3.Error):
        if log.stat().st_size == 0:
            with closing(_connect(f"{file.absolute().as_uri()}?mode=rw")) as connection:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _connect(address: str) -> sqlite3.Connection:
    # isolation_level None: transactions begin where SQLAlchemy begins them, those that change the schema too.
    return sqlite3.connect(
        address, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_MS / 1000
    )
