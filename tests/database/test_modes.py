"""Who else on the machine can read a record: nobody, unless its owner says so."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from fechner.database.record import Record
from fechner.database.upkeep.backup import backup, copy_sessions
from fechner.database.upkeep.combine import combine

from .talk import Talk

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")


def modes(folder: Path) -> dict[str, int]:
    """Of all files but locks, which hold no data."""
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    return {name: mode for name, mode in found.items() if not name.endswith(".lock")}


def test_a_record_is_its_owners_only(tmp_path: Path, talk: Talk) -> None:
    """So are SQLite's files beside it, and what is made of it."""
    file = tmp_path / "record.db"
    with Record.open(file) as record:
        assert record.append([[talk.setup()]]) == [None]
        assert modes(tmp_path) == {"record.db": 0o600, "record.db-wal": 0o600, "record.db-shm": 0o600}
    backup(file, tmp_path / "backup.db")
    with Record.open(file, read_only=True) as record:
        copy_sessions(record, [talk.session], tmp_path / "session.db")
    combine([file, tmp_path / "session.db"], tmp_path / "both.db")
    assert set(modes(tmp_path).values()) == {0o600}


def test_a_record_that_was_shared_stays_so(tmp_path: Path, talk: Talk) -> None:
    """With the files beside it and its backups, as far as the umask lets them."""
    file = tmp_path / "record.db"
    Record.open(file).close()
    file.chmod(0o640)
    with Record.open(file) as record:
        assert record.append([[talk.setup()]]) == [None]
        assert set(modes(tmp_path).values()) == {0o640}
    before = os.umask(0o022)
    try:
        backup(file, tmp_path / "backup.db")
    finally:
        os.umask(before)
    assert set(modes(tmp_path).values()) == {0o640}
