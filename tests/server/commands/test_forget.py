"""`fechner forget`: it says what would go, asks, and says what it did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fechner.database.keeping.lock import RecordLock
from fechner.server import Server

from .command_line import Run

FIRST = "6f1d2c3b-0000-4000-8000-000000000001"


def test_nothing_goes_without_a_yes(run: Run, db: Path) -> None:
    """Without --yes, and nobody to ask: the sessions are listed, exit 2, and all are there still."""
    result = run("forget", "--participant", "P1", "--db", db)
    assert result.exit_code == 2
    assert FIRST in result.stdout
    assert "--yes" in result.stderr
    assert len(json.loads(run("sessions", "--db", db, "--json").stdout)) == 2


def test_what_was_done_is_said(run: Run, db: Path) -> None:
    """How much went, what stays; the record verifies afterwards, and nobody finds the sessions."""
    result = run("forget", "--participant", "P1", "--yes", "--db", db)
    assert result.exit_code == 0, result.stderr
    assert "2 sessions with 9 messages removed" in result.stdout
    assert json.loads(run("sessions", "--db", db, "--json").stdout) == []
    verified = run("verify", "--db", db)
    assert verified.exit_code == 0
    assert "2 sessions were removed on request" in verified.stdout
    for command in ("show", "verify", "replay"):
        said = run(command, FIRST[:9], "--db", db)
        assert said.exit_code == 1
        assert f"there is no session {FIRST}: `fechner forget` removed it on 2" in said.stderr
    found = json.loads(run("verify", "--db", db, "--json").stdout)
    assert [(row["n_messages"], len(row["last_hash"])) for row in found["forgotten"]] == [(5, 64), (4, 64)]


def test_it_speaks_json(run: Run, db: Path) -> None:
    """With the last hash of each session."""
    found = json.loads(run("forget", "--participant", "P1", "--yes", "--json", "--db", db).stdout)
    assert found["done"] is True
    assert [len(row["last_hash"]) for row in found["sessions"]] == [64, 64]


@pytest.mark.parametrize(("who", "code"), [("nobody", 1), (" ", 2)])
def test_nobody_of_that_name(run: Run, db: Path, who: str, code: int) -> None:
    """The name is told back."""
    result = run("forget", "--participant", who, "--yes", "--db", db)
    assert result.exit_code == code
    assert "participant" in result.stderr


def test_a_record_in_use_is_refused(run: Run, db: Path) -> None:
    """While a server has it; the server is named."""
    with RecordLock(db, "fechner serve on 127.0.0.1:5555"):
        result = run("forget", "--participant", "P1", "--yes", "--db", db)
    assert result.exit_code == 1
    assert "fechner serve on 127.0.0.1:5555" in result.stderr
    assert len(json.loads(run("sessions", "--db", db, "--json").stdout)) == 2


def test_copies_of_the_trials_are_named(run: Run, db: Path, space_filling: str) -> None:
    """A session that began with seed data of that person's keeps them, and is listed."""
    config = space_filling.replace("SobolGenerator", "auto\nmodel = GPClassificationModel")
    config = config.replace("max_asks = 4", "max_asks = 4\nseed_data_conditions = same")
    config += "[same]\nparticipant_id = [P1]\n"
    with Server(db) as server:
        reply = server.connect().request({"version": "1", "type": "setup", "message": {"config": config}})
        assert reply["message"]["seed_data"] == {"same": 3}
    result = run("forget", "--participant", "P1", "--yes", "--db", db)
    assert result.exit_code == 0
    assert f"not removed: session {reply['session']} began with a copy" in result.stdout
    assert run("replay", reply["session"], "--verify", "--db", db).exit_code == 0
    found = json.loads(run("forget", "--participant", "P1", "--json", "--yes", "--db", db).stdout)
    assert found["copied_into"] == []


def test_what_a_database_server_keeps_is_said(run: Run, postgres_schema: Any, space_filling: str) -> None:
    """Its log can't be reached from here."""
    where = postgres_schema()
    with Server(where) as server:
        setup = {"config": space_filling, "participant": "P1"}
        reply = server.connect().request({"version": "1", "type": "setup", "message": setup})
        assert reply["ok"]
    result = run("forget", "--participant", "P1", "--yes", "--db", where)
    assert result.exit_code == 0
    assert "1 session with 1 messages removed" in result.stdout
    assert "server's own log" in result.stderr
