"""A record with two sessions, and a way to run the command line on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fechner.server import Server
from fechner.server.cli import app

from .command_line import Run

FIRST = "6f1d2c3b-0000-4000-8000-000000000001"
SECOND = "a0a0a0a0-0000-4000-8000-000000000002"


def talk(file: Path, config: str) -> None:
    """A finished session and one with a pending trial and a failed request."""
    with Server(file) as server:
        for session, name in ((FIRST, "hearing"), (SECOND, "seeing")):
            channel = server.connect()

            def send(type_: str, message: Any, channel: Any = channel, session: str = session) -> Any:
                envelope = {"version": "1", "type": type_, "session": session}
                return channel.request({**envelope, "message": message})

            setup = {"config": config + "max_aks = 3\n", "seed": 1, "name": name, "participant": "P1"}
            assert send("setup", setup)["ok"]
            assert send("ask", {"n": 2})["ok"]
            assert send("tell", {"trial": 1, "outcome": 1, "response_time": 0.5, "extra": {"eye": "left"}})[
                "ok"
            ]
            if session == FIRST:
                assert send("tell", {"trial": 2, "outcome": 0})["ok"]
                assert send("exit", {})["ok"]
            else:
                assert not send("tell", {"trial": 9, "outcome": 0})["ok"]


@pytest.fixture
def db(tmp_path: Path, space_filling: str) -> Path:
    """A record with two sessions."""
    file = tmp_path / "fechner.db"
    talk(file, space_filling)
    return file


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `fechner …` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Result:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run
