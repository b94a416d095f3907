"""`fechner verify`: what it finds, what it mends, its JSON and its exit codes."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from fechner.database.keeping.lock import RecordLock

from .command_line import Run

FIRST = "6f1d2c3b-0000-4000-8000-000000000001"
SECOND = "a0a0a0a0-0000-4000-8000-000000000002"


def damage(db: Path, *statements: str) -> None:
    connection = sqlite3.connect(db, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_a_sound_record(run: Run, db: Path) -> None:
    """Exit 0, and the file stays as it is."""
    before = db.read_bytes()
    result = run("verify", "--db", db)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"record: {db}",
        "2 sessions: every message as recorded, every table as the messages give it",
    ]
    found = json.loads(run("verify", "--db", db, "--json").stdout)
    assert found == {
        "sound": True,
        "sessions": 2,
        "storage": [],
        "messages": [],
        "projections": [],
        "forgotten": [],
    }
    assert db.read_bytes() == before


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("UPDATE messages SET reply = '' WHERE seq = 2", "message 2 was changed"),
        ("DELETE FROM messages WHERE seq = 3", "message 3 is missing"),
        ("DELETE FROM messages WHERE seq = 5", "message 5 is missing"),
        ("UPDATE messages SET seq = 9 WHERE seq = 2", "message 2 is missing"),
    ],
    ids=["changed", "missing", "missing at the end", "moved"],
)
def test_a_damaged_message_is_named(run: Run, db: Path, statement: str, text: str) -> None:
    """Session and number on standard output, exit 1; and nothing is made of what is left."""
    damage(db, f"{statement} AND session = '{FIRST}'")
    result = run("verify", "--db", db)
    assert result.exit_code == 1
    assert f"session {FIRST}: {text}" in result.stdout
    assert SECOND not in result.stdout
    assert run("verify", SECOND[:5], "--db", db).exit_code == 0
    assert run("verify", FIRST, "--db", db).exit_code == 1
    before = db.read_bytes()
    refused = run("verify", "--rebuild", "--db", db)
    assert refused.exit_code == 1
    assert "nothing was made anew" in refused.stdout
    assert db.read_bytes() == before


def test_a_wrong_table_is_named_and_made_anew(run: Run, db: Path) -> None:
    """The row is named; --rebuild mends it and exits 0, and then all is sound."""
    damage(db, f"UPDATE trials SET status = 'pending' WHERE trial = 1 AND session = '{SECOND}'")
    result = run("verify", "--db", db)
    assert result.exit_code == 1
    assert (
        f"session {SECOND}: trials (trial 1): status is 'pending', the messages give 'told'" in result.stdout
    )
    assert "--rebuild" in result.stdout
    found = json.loads(run("verify", "--db", db, "--json").stdout)
    (difference,) = found["projections"]
    assert (difference["table"], difference["key"], difference["column"]) == (
        "trials",
        {"trial": 1},
        "status",
    )
    mended = run("verify", "--rebuild", "--db", db)
    assert mended.exit_code == 0
    assert "all tables made anew from" in mended.stdout
    assert run("verify", "--db", db).exit_code == 0


def test_a_session_whose_row_is_missing_is_found(run: Run, db: Path) -> None:
    """Its messages are enough to bring it back."""
    tables = ("trial_outcomes", "trial_parameters", "trials", "strategies", "sessions")
    damage(db, *(f"DELETE FROM {table} WHERE session = '{FIRST}'" for table in tables))
    result = run("verify", FIRST, "--db", db)
    assert result.exit_code == 1
    assert "sessions: the row is missing" in result.stdout
    assert run("verify", "--rebuild", "--db", db, "--json").exit_code == 0
    assert FIRST in run("sessions", "--db", db).stdout


def test_rebuilding_needs_the_record_for_itself(run: Run, db: Path) -> None:
    """A server that writes it is named; and it is all sessions or none."""
    with RecordLock(db, "fechner serve, port 5555"):
        result = run("verify", "--rebuild", "--db", db)
        assert result.exit_code == 1
        assert "fechner serve, port 5555" in result.stderr
        assert run("verify", "--db", db).exit_code == 0
    assert run("verify", FIRST, "--rebuild", "--db", db).exit_code == 2


def test_a_record_that_is_not_there(run: Run, tmp_path: Path) -> None:
    """Exit 1, and none is made."""
    for more in ([], ["--rebuild"]):
        assert run("verify", *more).exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_session_whose_row_is_missing_is_found_by_the_beginning_of_its_id(run: Run, db: Path) -> None:
    """As every other session is."""
    damage(db, "PRAGMA foreign_keys = OFF", f"DELETE FROM sessions WHERE session = '{FIRST}'")
    result = run("verify", FIRST[:8], "--db", db)
    assert result.exit_code == 1
    assert f"session {FIRST}: sessions: the row is missing" in result.stdout


def test_damaged_pages_are_named_though_nothing_can_be_read(run: Run, db: Path) -> None:
    """What SQLite finds is said first, then what could not be read."""
    connection = sqlite3.connect(db)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages'").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with db.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xaa" * size)
    result = run("verify", "--db", db)
    assert result.exit_code == 1
    assert "the file is damaged: " in result.stdout
    assert "malformed" in result.stderr
    found = run("verify", "--db", db, "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["sound"] is False
    assert json.loads(found.stdout)["storage"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE messages SET change = '{no JSON' WHERE seq = 2",
        'UPDATE messages SET change = \'{"type":"ask"}\' WHERE seq = 2',
        "UPDATE messages SET received_at = 'noon' WHERE seq = 2",
        "UPDATE messages SET reply = x'ff' WHERE seq = 2",
        "UPDATE messages SET reply = '{no JSON' WHERE seq = 2",
        "DELETE FROM messages WHERE seq = 2",
        "UPDATE trials SET asked_at = 'noon'",
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        ("show", FIRST),
        ("replay", FIRST),
        ("plot", FIRST, "--to", "a.png"),
        ("bundle", FIRST, "--to", "a.zip"),
        ("export", FIRST, "--to", "a.csv"),
        ("export", FIRST, "--to", "a.jsonl"),
        ("backup", "--to", "b.db"),
        ("combine", "fechner.db", "--to", "c.db"),
    ],
    ids=lambda command: command[0] + command[-1][1:],
)
def test_no_command_fails_without_a_word_on_a_damaged_record(
    run: Run, db: Path, command: tuple[str, ...], statement: str
) -> None:
    """It does what it can, or exits 1 and says what is wrong; `run` asserts that nothing else is raised."""
    damage(db, statement)
    if command[0] == "combine":
        command = (*command, "fechner.db")
    else:
        command = (*command, "--db", str(db))
    result = run(*command)
    assert result.exit_code in (0, 1)
    assert result.exit_code == 0 or "fechner: " in result.stderr or "message 2 " in result.stdout
