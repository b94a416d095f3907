"""Reading the tables of a foreign SQLite file: plain SQL, nothing of the file is executed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from fechner.database.errors import RecordError
from fechner.database.keeping.connection import BUSY_TIMEOUT_MS

#: Longer texts and blobs aren't read.
LONGEST = 64 * 1024 * 1024


class ForeignFile:
    """An SQLite file, open for reading only; only ordinary tables are read, no views and no virtual tables.

    Raises:
        RecordError: there is no such file, or it is no SQLite database.
    """

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise RecordError(f"there is no file {file}")
        self.name = str(file)
        address = file.absolute().as_uri()
        try:
            self._connection = _connect(f"{address}?mode=ro")
            try:
                self._tables = self._names()
            except sqlite3.OperationalError:
                self._connection.close()
                log = Path(f"{file}-wal")
                if log.exists() and log.stat().st_size:
                    raise
                # In a folder that can't be written to, a log that isn't there can't be looked into either.
                self._connection = _connect(f"{address}?mode=ro&immutable=1")
                self._tables = self._names()
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            raise RecordError(f"{file} can't be read: {error}") from error

    def __enter__(self) -> ForeignFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        return table in self._tables

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns; none if there is no such table."""
        if not self.has(table):
            return []
        try:
            found = self._connection.execute(f"PRAGMA table_info({_quote(table)})").fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise RecordError(f"table {table} of {self.name} can't be read: {error}") from error
        return [str(row[1]) for row in found]

    def rows(self, table: str, columns: Sequence[str], order: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """A table's rows in an order; columns that it doesn't have are None, none come if it isn't there.

        Raises:
            RecordError: the table can't be read.
        """
        try:
            there = self.columns(table)
            if not there:
                return
            chosen = ", ".join(
                _quote(name) if name in there else f"NULL AS {_quote(name)}" for name in columns
            )
            by = ", ".join(_quote(name) for name in order if name in there)
            statement = f"SELECT {chosen} FROM {_quote(table)}" + (f" ORDER BY {by}" if by else "")
            for row in self._connection.execute(statement):
                yield dict(zip(columns, row, strict=True))
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            raise RecordError(f"table {table} of {self.name} can't be read: {error}") from error

    def _names(self) -> frozenset[str]:
        found = self._connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        return frozenset(
            str(name) for name, sql in found if not str(sql).upper().lstrip().startswith("CREATE VIRTUAL")
        )


def _connect(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_MS / 1000)
    # What SQLite advises for files of unknown origin.
    for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "mmap_size=0"):
        connection.execute(f"PRAGMA {pragma}")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
