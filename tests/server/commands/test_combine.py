"""`fechner combine`: what it prints, its JSON, its exit codes; sessions replay afterwards."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

from .command_line import Run

FIRST = "6f1d2c3b-0000-4000-8000-000000000001"
SECOND = "a0a0a0a0-0000-4000-8000-000000000002"


def half(db: Path, to: Path) -> Path:
    """A copy without the last message of the second session."""
    shutil.copy(db, to)
    with sqlite3.connect(to) as connection:
        connection.execute(
            "DELETE FROM messages WHERE session = ? AND seq ="
            " (SELECT max(seq) FROM messages WHERE session = ?)",
            (SECOND, SECOND),
        )
    connection.close()
    return to


def test_combined_sessions_replay(run: Run, db: Path, tmp_path: Path) -> None:
    """Every one, to the last bit."""
    result = run("combine", half(db, tmp_path / "half.db"), db, "--to", "all.db")
    assert result.exit_code == 0
    assert "2 sessions written to all.db" in result.stdout
    assert FIRST in result.stdout
    for session in (FIRST, SECOND):
        assert run("replay", session, "--db", "all.db").exit_code == 0
    result = run("combine", db, half(db, tmp_path / "half.db"), "--to", "again.db", "--json")
    found = json.loads(result.stdout)
    assert [(one["session"], Path(one["source"]).name) for one in found["sessions"]] == [
        (FIRST, "fechner.db"),
        (SECOND, "fechner.db"),
    ]


def test_what_is_refused(run: Run, db: Path, tmp_path: Path) -> None:
    """One record: usage; a conflict: exit 1, by name, and nothing written."""
    assert run("combine", db, "--to", "all.db").exit_code == 2
    other = tmp_path / "other.db"
    shutil.copy(db, other)
    with sqlite3.connect(other) as connection:
        connection.execute("UPDATE messages SET reply = '{}' WHERE session = ? AND seq = 2", (FIRST,))
    connection.close()
    result = run("combine", db, other, "--to", "all.db")
    assert result.exit_code == 1
    assert f"session {FIRST} differs" in result.stderr
    assert "nothing was written" in result.stderr
    assert not (tmp_path / "all.db").exists()
    result = run("combine", other, other, "--to", "all.db")
    assert result.exit_code == 0
    assert f"session {FIRST}: message 2" in result.stderr
