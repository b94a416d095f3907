"""A server's status as people see it, at any width and height."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from fechner.server.commands.frames import Frame, shortened, span

SERVER: dict[str, Any] = {
    "server": "fechner 0.1.0",
    "record": "pilot.db",
    "read_only": False,
    "uptime_s": 7380.0,
    "connections": {"open": 3, "limit": 1000},
    "n_sessions": 0,
    "n_visible": 0,
    "sessions": [],
    "workers": {"n": 1, "busy": 1, "deaths": 0},
    "computations": {"running": {"request": 1}, "waiting": {"speculative": 2}},
    "counters": {"requests": 120, "errors": 1, "failed_commits": 0, "log_errors": 0},
}


def session(number: int, **more: Any) -> dict[str, Any]:
    one = {
        "session": f"{number:08x}",
        "name": "hearing threshold, left ear first",
        "participant": f"participant-{number:02}",
        "connection": "127.0.0.1:4711",
        "dialect": "aepsych-0.8",
        "strategy": 0,
        "stage": "opt",
        "trials": {"asked": 12, "told": 11, "pending": 1, "skipped": 0},
        "ended": False,
        "waiting": 0,
        "computing": False,
        "heard_s": 3.4,
    }
    return {**one, **more}


def with_sessions(*sessions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        **SERVER,
        "n_sessions": len(sessions),
        "n_visible": len(sessions),
        "sessions": list(sessions),
        **more,
    }


def drawn(status: dict[str, Any], width: int = 80, height: int = 24, **options: Any) -> list[str]:
    """The lines of a frame."""
    out = io.StringIO()
    Console(file=out, width=width, height=height, highlight=False).print(Frame(status, **options))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_a_server_without_sessions() -> None:
    """Three lines about the server, and that there is nothing else."""
    assert drawn(SERVER) == [
        "fechner 0.1.0, up 2.0 h, record pilot.db",
        "0 sessions, 3 of 1000 connections, 1 of 1 worker busy, 2 computations waiting",
        "120 requests, 1 error",
        "",
        "no session in progress",
    ]


def test_every_column_fits_80_columns() -> None:
    """Names are shortened, what is counted is not."""
    lines = drawn(with_sessions(*(session(number) for number in range(5))))
    assert max(map(len, lines)) <= 80
    assert lines[4].split() == [
        *("session", "name", "participant", "wire", "stage", "asked", "told", "open", "heard", "now")
    ]
    assert "0.8  opt" in lines[6]
    assert lines[6].endswith("12   11    1    3 s idle")
    assert [line.split("…")[-1].split()[0] for line in lines[6:]] == [f"t-0{n}" for n in range(5)]


def test_at_120_columns_names_and_dialects_are_whole() -> None:
    """As there is room."""
    lines = drawn(with_sessions(session(1)), width=120)
    assert max(map(len, lines)) <= 120
    for whole in ("hearing threshold, left ear first", "participant-01", "aepsych-0.8"):
        assert whole in lines[-1]


@pytest.mark.parametrize("width", [20, 40, 60, 79, 99, 100, 200])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    """Whatever it is called and however many trials it has."""
    many = session(1, name="n" * 300, participant="p" * 300, stage="s" * 50)
    many["trials"] = {"asked": 99_999, "told": 99_998, "pending": 1, "skipped": 0}
    assert max(map(len, drawn(with_sessions(many), width=width))) <= width


def test_more_sessions_than_lines() -> None:
    """What doesn't fit is counted; nothing scrolls."""
    lines = drawn(with_sessions(*(session(n) for n in range(50))), height=20, fill=True, note="Ctrl-C ends")
    assert len(lines) <= 20
    shown = sum("participant" not in line and "opt" in line for line in lines)
    assert f"and {50 - shown} more" in lines
    assert lines[-1] == "Ctrl-C ends"


@pytest.mark.parametrize(
    ("more", "now"),
    [
        ({}, "idle"),
        ({"waiting": 1, "computing": True}, "computing"),
        ({"waiting": 2}, "working"),
        ({"connection": None, "dialect": None, "heard_s": None}, "left"),
    ],
)
def test_what_a_session_does(more: dict[str, Any], now: str) -> None:
    """In one word."""
    assert drawn(with_sessions(session(1, **more)))[-1].split()[-1] == now


def test_sessions_of_others_and_faults_are_counted() -> None:
    """Whoever may not see a session learns that it is there."""
    counters = {"requests": 1, "errors": 0, "failed_commits": 2, "log_errors": 3}
    status = {**SERVER, "n_sessions": 6, "n_visible": 4, "counters": counters, "read_only": True}
    lines = drawn(status)
    assert "2 sessions of others" in lines
    assert "and 4 more" in lines
    assert lines[0].endswith("record pilot.db (read-only)")
    assert "1 request, 0 errors, 2 commits failed, 3 errors in the log" in lines


def test_what_clients_call_things_steers_no_terminal() -> None:
    """Neither by control characters nor by markup."""
    text = "\n".join(drawn(with_sessions(session(1, name="\x1b[2J\a[bold]a[/bold]", participant="\n\r"))))
    assert "\x1b" not in text
    assert "[bold]a[/bold]" in "\n".join(drawn(with_sessions(session(1, name="[bold]a[/bold]")), width=120))


def test_times_and_names_in_short() -> None:
    """In the largest unit; names keep their ends."""
    assert [span(s) for s in (0.4, 59, 60, 900, 5400, 90000, 900000)] == [
        *("0 s", "59 s", "1.0 min", "15 min", "1.5 h", "1.0 d", "10 d")
    ]
    assert shortened("participant-07", 10) == "partic…-07"
    assert shortened("p07", 10) == "p07"
