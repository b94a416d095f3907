"""`fechner sessions`, `show`, `export`, `replay`: what they print, their JSON, their exit codes."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from fechner.server import Server

from .command_line import Run

FIRST = "6f1d2c3b-0000-4000-8000-000000000001"
SECOND = "a0a0a0a0-0000-4000-8000-000000000002"


def parsed(result: Any) -> Any:
    """Standard output as JSON, with the record's name elsewhere."""
    assert result.stderr.startswith("record: ")
    return json.loads(result.stdout)


@pytest.mark.parametrize("command", [["sessions"], ["show", "last"], ["replay", "last"], ["export", "last"]])
def test_the_record_is_named_first(run: Run, db: Path, command: list[str]) -> None:
    """The first line says which record it is about, and the program exits 0."""
    more = ["--to", "out.csv"] if command[0] == "export" else []
    result = run(*command, *more, "--db", db)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == f"record: {db}"


@pytest.mark.parametrize("command", [["sessions"], ["show", "last"], ["replay", "last"], ["export", "last"]])
def test_a_record_that_is_not_there(run: Run, command: list[str], tmp_path: Path) -> None:
    """The reason stands on standard error, the exit code is 1, and no file is made."""
    more = ["--to", "out.csv"] if command[0] == "export" else []
    result = run(*command, *more)
    assert result.exit_code == 1
    assert result.stderr.startswith("fechner: ")
    assert "fechner.db" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_record(run: Run, tmp_path: Path) -> None:
    """It is refused by name and left as it is."""
    file = tmp_path / "notes.txt"
    file.write_text("dear diary" * 100)
    result = run("sessions", "--db", file)
    assert result.exit_code == 1
    assert "notes.txt" in result.stderr
    assert file.read_text() == "dear diary" * 100


def test_show_says_where_a_session_came_from(run: Run, db: Path, tmp_path: Path) -> None:
    """The files that brought it, and when; nothing is said of one that was recorded here."""
    assert "brought by" not in run("show", FIRST, "--db", db).stdout
    assert parsed(run("show", FIRST, "--db", db, "--json"))["origins"] == []
    assert run("combine", db, db, "--to", "all.db").exit_code == 0
    assert f"brought by {db} (record) on 2" in run("show", FIRST, "--db", "all.db").stdout
    (origin,) = parsed(run("show", FIRST, "--db", "all.db", "--json"))["origins"]
    assert (origin["source"], origin["kind"], len(origin["hash"])) == (str(db), "record", 64)


def test_show_leaves_out_what_a_trial_has_not(run: Run, db: Path, space_filling: str) -> None:
    """A parameter of another strategy is an empty cell."""
    with Server(db) as server:
        channel = server.connect()
        for type_, message in (
            ("setup", {"config": space_filling.replace("[p]", "[q]")}),
            ("ask", {}),
        ):
            channel.request({"version": "1", "type": type_, "session": SECOND, "message": message})
    assert "None" not in run("show", SECOND, "--db", db).stdout


def test_sessions(run: Run, db: Path) -> None:
    """One line each, oldest first."""
    result = run("sessions", "--db", db)
    lines = [line for line in result.stdout.splitlines() if FIRST in line or SECOND in line]
    assert [line.split()[0] for line in lines] == [FIRST, SECOND]
    assert "hearing" in lines[0]
    rows = parsed(run("sessions", "--db", db, "--json"))
    assert [(row["session"], row["n_trials"], row["n_told"]) for row in rows] == [
        (FIRST, 2, 2),
        (SECOND, 2, 1),
    ]
    assert rows[0]["ended_at"] is not None
    assert rows[1]["ended_at"] is None


def test_show(run: Run, db: Path) -> None:
    """Strategies, stages, trials, warnings, failures."""
    result = run("show", SECOND, "--db", db)
    assert result.exit_code == 0
    assert f"session {SECOND}" in result.stdout
    assert "strategy 0 (seeing P1), seed 1" in result.stdout
    assert "max_aks" in result.stdout
    assert "1 failed requests" in result.stdout
    shown = parsed(run("show", SECOND, "--db", db, "--json"))
    assert [trial["status"] for trial in shown["trials"]] == ["told", "pending"]
    assert shown["trials"][0]["outcome"] == {"outcome_1": 1.0}
    assert [warning["type"] for warning in shown["warnings"]] == ["setup"]
    assert [failure["type"] for failure in shown["failures"]] == ["tell"]


@pytest.mark.parametrize(
    ("wanted", "found"), [("6f1", FIRST), (FIRST, FIRST), ("A0A0", SECOND), ("last", SECOND)]
)
def test_a_session_is_named_by_its_beginning(run: Run, db: Path, wanted: str, found: str) -> None:
    """Or as a whole, or as the last one."""
    assert parsed(run("show", wanted, "--db", db, "--json"))["session"]["session"] == found


def test_sessions_that_cannot_be_told(run: Run, db: Path) -> None:
    """None begins so: exit 1."""
    for wanted in ("zzz", ""):
        result = run("show", wanted, "--db", db)
        assert result.exit_code == 1
        assert "there is no session" in result.stderr


def test_replay_recomputes_every_ask(run: Run, db: Path) -> None:
    """Identical: exit 0, with or without --verify."""
    for more in ([], ["--verify"]):
        result = run("replay", FIRST, "--db", db, *more)
        assert result.exit_code == 0
        assert "identical: 1 asks recomputed" in result.stdout
    found = parsed(run("replay", FIRST, "--db", db, "--verify", "--json"))
    assert (found["identical"], found["asks"]) == (True, 1)
    assert found["trials"] == {"asked": 2, "told": 2, "pending": 0, "skipped": 0}


def test_replay_without_computing(run: Run, db: Path) -> None:
    """It reads the session back; with --verify that makes no sense."""
    result = run("replay", FIRST, "--db", db, "--skip-computations")
    assert result.exit_code == 0
    assert "nothing computed" in result.stdout
    assert parsed(run("replay", FIRST, "--db", db, "--skip-computations", "--json"))["identical"] is None
    assert run("replay", FIRST, "--db", db, "--skip-computations", "--verify").exit_code == 2


def test_a_record_that_was_changed(run: Run, db: Path) -> None:
    """Replay names the first ask that differs and where the chain of hashes breaks: exit 1."""
    with sqlite3.connect(db) as connection:
        [(change,)] = connection.execute(
            "select change from messages where session = ? and type = 'ask'", (FIRST,)
        ).fetchall()
        changed = json.loads(change)
        changed["left"]["points"][0][0][0] = 0.123
        connection.execute(
            "update messages set change = ? where session = ? and type = 'ask'", (json.dumps(changed), FIRST)
        )
    connection.close()
    result = run("replay", FIRST, "--db", db)
    assert result.exit_code == 1
    assert "message 2 is the first that differs, in its points" in result.stdout
    assert "message 2 was changed" in result.stdout
    result = run("replay", FIRST, "--db", db, "--json")
    assert result.exit_code == 1
    assert parsed(result)["first_difference"]["seq"] == 2
    assert parsed(result)["broken_chain"] == 2
    assert run("replay", SECOND, "--db", db).exit_code == 0


def test_export(run: Run, db: Path, tmp_path: Path) -> None:
    """One row per trial of one session, or of all."""
    result = run("export", FIRST, "--to", "one.csv", "--db", db)
    assert result.exit_code == 0
    assert "2 trials written to one.csv" in result.stdout
    with open(tmp_path / "one.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["session"], row["trial"], row["status"]) for row in rows] == [
        (FIRST, "1", "told"),
        (FIRST, "2", "told"),
    ]
    assert {"p", "outcome", "response_time", "extra.eye"} <= set(rows[0])
    assert "4 trials" in run("export", "--all", "--to", "all.csv", "--db", db).stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--to", "x.csv"], 2),
        (["last", "--all", "--to", "x.csv"], 2),
        (["last", "--to", "x.xlsx"], 2),
        (["last"], 2),
        (["last", "--to", "nowhere/x.csv"], 1),
    ],
)
def test_exports_that_cannot_be(run: Run, db: Path, arguments: list[str], code: int) -> None:
    """Used wrongly: 2; not possible: 1; the reason stands on standard error."""
    result = run("export", *arguments, "--db", db)
    assert result.exit_code == code
    assert result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["sessions"],
        ["show", "last"],
        ["replay", "last"],
        ["verify"],
        ["export", "--all", "--to", "out/a.parquet"],
        ["export", "last", "--to", "out/a.jsonl"],
        ["backup", "--to", "out/b.db"],
        ["bundle", "last", "--to", "out/c.zip"],
        ["combine", "fechner.db", "fechner.db", "--to", "out/d.db"],
    ],
    ids=lambda command: command[0] + command[-1],
)
def test_what_only_reads_leaves_nothing_beside_the_record(run: Run, db: Path, command: list[str]) -> None:
    """No log, and the record as it was."""
    out = db.parent / "out"
    out.mkdir()
    before, names = db.read_bytes(), sorted(db.parent.iterdir())
    result = run(*command, *([] if command[0] == "combine" else ["--db", db]))
    assert result.exit_code == 0
    assert sorted(db.parent.iterdir()) == names
    assert db.read_bytes() == before


def test_names_that_clients_made_up_steer_no_terminal(run: Run, tmp_path: Path, space_filling: str) -> None:
    """Neither by control characters nor by markup."""
    with Server(tmp_path / "fechner.db") as server:
        message = {"config": space_filling, "name": "\x1b[2J[red]x[/red]", "participant": "[/]"}
        assert server.connect().request({"version": "1", "type": "setup", "message": message})["ok"]
    result = run("sessions")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert "[2J[red]x[/red]" in result.stdout
    assert "[/]" in result.stdout
    shown = run("show", "last")
    assert shown.exit_code == 0
    assert "\x1b" not in shown.stdout
