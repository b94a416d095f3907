"""`fechner backup` and `fechner bundle`."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pandas as pd

from .command_line import Run

FIRST = "6f1d2c3b-0000-4000-8000-000000000001"
SECOND = "a0a0a0a0-0000-4000-8000-000000000002"


def test_a_backup_is_a_record(run: Run, db: Path, tmp_path: Path) -> None:
    """It says what it copied, and the copy verifies and replays like the record."""
    result = run("backup", "--to", "copy.db", "--db", db)
    assert result.exit_code == 0, result.stderr
    assert "2 sessions with 9 messages copied to copy.db" in result.stdout
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert run("verify", "--db", "copy.db").exit_code == 0
    assert run("replay", FIRST, "--db", "copy.db").exit_code == 0


def test_a_backup_in_json(run: Run, db: Path) -> None:
    """For programs."""
    found = json.loads(run("backup", "--to", "copy.db", "--db", db, "--json").stdout)
    assert (found["sessions"], found["messages"], found["broken_chains"]) == (2, 9, {})


def test_a_backup_of_what_is_not_sound(run: Run, db: Path, tmp_path: Path) -> None:
    """Exit 1, with the message named; the copy is kept."""
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("UPDATE messages SET reply = '{}' WHERE session = ? AND seq = 2", (FIRST,))
    result = run("backup", "--to", "copy.db", "--db", db)
    assert result.exit_code == 1
    assert f"message 2 of session {FIRST}" in result.stderr
    assert (tmp_path / "copy.db").exists()


def test_a_backup_replaces_nothing(run: Run, db: Path) -> None:
    """Exit 1."""
    assert run("backup", "--to", "copy.db", "--db", db).exit_code == 0
    result = run("backup", "--to", "copy.db", "--db", db)
    assert result.exit_code == 1
    assert "exists already" in result.stderr


def test_a_bundle_holds_a_session(run: Run, db: Path, tmp_path: Path) -> None:
    """Configuration, messages, record, data, versions and a README; nothing of other sessions."""
    assert run("bundle", FIRST, "--to", "one.zip", "--db", db).exit_code == 0
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == [
            "README.md", "configuration_0.ini", "record.db", "messages.jsonl", "trials.csv", "versions.json",
        ]  # fmt: skip
        assert all(SECOND.encode() not in archive.read(name) for name in archive.namelist())
        archive.extractall(tmp_path / "one")
    folder = tmp_path / "one"
    assert "max_aks" in (folder / "configuration_0.ini").read_text()
    assert len((folder / "messages.jsonl").read_text().splitlines()) == 5
    frame = pd.read_csv(folder / "trials.csv", parse_dates=["asked_at", "told_at"])
    assert len(frame) == 2
    assert str(frame["asked_at"].dtype).startswith("datetime64")
    assert json.loads((folder / "versions.json").read_text())["computed_by"][0]["seq"] == 1
    assert "2 trials, 2 with an outcome" in (folder / "README.md").read_text()
    assert run("replay", "last", "--verify", "--db", folder / "record.db").exit_code == 0


def test_a_bundle_is_the_same_again(run: Run, db: Path, tmp_path: Path) -> None:
    """To the last byte."""
    for name in ("a.zip", "b.zip"):
        assert run("bundle", "last", "--to", name, "--db", db, "--json").exit_code == 0
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_bundle_that_cannot_be_written(run: Run, db: Path) -> None:
    """Exit 1, with the reason."""
    result = run("bundle", "last", "--to", "no-folder/one.zip", "--db", db)
    assert result.exit_code == 1
    assert "can't write no-folder/one.zip" in result.stderr
