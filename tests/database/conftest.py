"""A record to write to, and messages to write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fechner.database.record import Record

from .talk import Talk


@pytest.fixture
def talk() -> Talk:
    """One session's messages."""
    return Talk()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a record can be made."""
    return tmp_path / "record.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """The kinds of database that a record can be in: what uses this, or a fixture below, runs with each."""
    return str(request.param)


@pytest.fixture
def where(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The name of a place for a new record."""
    if kind == "sqlite":
        return str(tmp_path / "record.db")
    return str(request.getfixturevalue("postgres_schema")())


@pytest.fixture
def elsewhere(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The name of another one."""
    if kind == "sqlite":
        return str(tmp_path / "other.db")
    return str(request.getfixturevalue("postgres_schema")())


@pytest.fixture
def record(where: str) -> Iterator[Record]:
    """A new record."""
    with Record.open(where) as record:
        yield record


@pytest.fixture
def file_record(file: Path) -> Iterator[Record]:
    """A new record in an SQLite file."""
    with Record.open(file) as record:
        yield record
