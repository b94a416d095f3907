"""What AEPsych wrote: pickles through the restricted reader, and SQLite files. Nothing of it is run."""

from __future__ import annotations

import codecs
import json
import os
import pickle
import pickletools
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from unittest import mock

from fechner.database.aepsych.restricted_pickle import RefusedPickleError, read
from fechner.database.aepsych.sessions import read_file
from fechner.database.errors import RecordError
from fechner.server.importing.session import entries
from fechner.strategies.config import check
from fechner.strategies.specification import Specification

from .harness import Harness
from .mutate import Mutator

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)

#: What Python does when somebody else's code runs.
_ALARMING = ("exec", "compile", "import", "pickle.find_class", "os.system", "os.exec", "os.spawn", "os.fork")
_ALARMING += ("subprocess.Popen", "open", "socket.connect", "os.remove", "os.rename", "ctypes.dlopen")

_watched: list[str] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched is not None and event in _ALARMING:
        _watched.append(f"{event} {str(arguments)[:100]}")


_hooked = False


@contextmanager
def nothing_runs() -> Iterator[None]:
    """Fail if anything is executed, imported or opened meanwhile."""
    global _watched, _hooked
    if not _hooked:
        for name in ("raw_unicode_escape", "unicode_escape"):
            codecs.lookup(name)  # Python imports these when they are used
        sys.addaudithook(_hook)
        _hooked = True
    _watched = []
    try:
        yield
        assert not _watched, f"it was executed: {_watched}"
    finally:
        _watched = None


def _plain(value: Any, depth: int = 0) -> None:
    """Containers, numbers, texts, bytes, dates: nothing that could do anything."""
    plain = (type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset)
    assert type(value) in plain or type(value).__module__ in ("datetime", "numpy", "decimal", "uuid"), type(
        value
    )
    if depth < 5:
        items = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list | tuple):
            for item in items:
                _plain(item, depth + 1)


def pickled(data: bytes) -> None:
    """A pickle is plain data, or refused."""
    with nothing_runs():
        try:
            value = read(data)
        except RefusedPickleError as error:
            str(error).encode("utf-8", "strict")
            return
    _plain(value)


def instructions(mutator: Mutator, data: bytes) -> bytes:
    """Bytes, or whole instructions moved, repeated and left out."""
    rng = mutator.rng
    if rng.random() < 0.5:
        return mutator.bytes(data)
    pieces = _pieces(data) + (_pieces(mutator.example()) if rng.random() < 0.5 else [])
    for _ in range(rng.choice((1, 2, 4))):
        if not pieces:
            break
        i, j = rng.randrange(len(pieces)), rng.randrange(len(pieces))
        match rng.randrange(4):
            case 0:
                del pieces[i]
            case 1:
                pieces.insert(i, pieces[j])
            case 2:
                pieces[i], pieces[j] = pieces[j], pieces[i]
            case _:
                codes = [op.code.encode("latin-1") for op in pickletools.opcodes]
                pieces.insert(i, rng.choice(codes) + rng.randbytes(rng.choice((0, 0, 1, 2, 4))))
    return b"".join(pieces)


def _pieces(data: bytes) -> list[bytes]:
    places: list[int] = []
    try:
        places = [place for _, _, place in pickletools.genops(data) if place is not None]
    except Exception:
        return [data]
    return [data[a:b] for a, b in zip(places, [*places[1:], len(data)], strict=True)]


@lru_cache(maxsize=100)
def _checked(text: str, no_end: Literal["error", "warning"]) -> Specification:
    return check(text, no_end=no_end)


def _check(config: Any, no_end: Literal["error", "warning"] = "error") -> Specification:
    """Most files have the configuration of the example that they were made of: it is checked once."""
    return _checked(config, no_end) if isinstance(config, str) else check(config, no_end=no_end)


def file(data: bytes) -> None:
    """A file is sessions that can go on record, or no file of AEPsych's."""
    with (
        mock.patch("fechner.server.importing.session.check", _check),
        tempfile.TemporaryDirectory(dir=_memory()) as folder,
    ):
        path = Path(folder) / "foreign.db"
        path.write_bytes(data)
        try:
            found = read_file(path)
        except RecordError as error:
            str(error).encode("utf-8", "strict")
            return
        for session in found.sessions:
            came = entries(session, NOON)
            for entry in came.entries:
                json.loads(entry.request)
                json.dumps(entry.change, allow_nan=False).encode()
            json.dumps([came.notes, came.refused])


def _memory() -> str | None:
    """A folder that no disk is behind, where there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def rows(mutator: Mutator, data: bytes) -> bytes:
    """Bytes of a file, or values in its tables."""
    rng = mutator.rng
    if rng.random() < 0.3:
        return mutator.bytes(data)
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.deserialize(data)
            tables = [
                row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
            ]
            for _ in range(rng.choice((1, 2, 4))):
                _change(connection, mutator, rng.choice(tables))
            connection.commit()
            return connection.serialize()
        except (sqlite3.Error, IndexError, OverflowError, UnicodeError):
            return mutator.bytes(data)


def _change(connection: sqlite3.Connection, mutator: Mutator, table: str) -> None:
    rng = mutator.rng
    columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
    found = connection.execute(f'SELECT rowid, * FROM "{table}"').fetchall()
    column = rng.choice(columns)
    if not found or rng.random() < 0.1:
        connection.execute(f'ALTER TABLE "{table}" RENAME COLUMN "{column}" TO "{column}x"')
        return
    row = rng.choice(found)
    value = row[1 + columns.index(column)]
    if isinstance(value, bytes) and rng.random() < 0.8:
        new: Any = instructions(mutator, value) if rng.random() < 0.5 else _repickled(mutator, value)
    elif isinstance(value, str) and rng.random() < 0.6:
        new = mutator.bytes(value.encode()).decode("utf-8", "replace")
    else:
        new = rng.choice(
            (None, 0, -1, 2**62, 1e308, -0.0, "", "x", "\0", "2023-02-30", b"", b"\x80", "[1]", "nan")
        )
    if rng.random() < 0.05:
        connection.execute(f'DELETE FROM "{table}" WHERE rowid = ?', (row[0],))
    else:
        connection.execute(f'UPDATE OR IGNORE "{table}" SET "{column}" = ? WHERE rowid = ?', (new, row[0]))


def _repickled(mutator: Mutator, data: bytes) -> bytes:
    """Another plain value, pickled."""
    try:
        value = read(data)
    except RefusedPickleError:
        return mutator.bytes(data)
    for _ in range(mutator.rng.choice((1, 2, 3))):
        value = mutator.value(value)
    return pickle.dumps(value, mutator.rng.randrange(6))


PICKLE = Harness("pickle", pickled, instructions)
FILE = Harness("aepsych_file", file, rows)
