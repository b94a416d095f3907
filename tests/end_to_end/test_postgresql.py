"""A record on a real PostgreSQL: an experiment, kill -9, another server that goes on, the same asks."""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fechner.server import Server


@pytest.fixture
def url(postgres_schema: Callable[[], str]) -> str:
    """An empty database."""
    return postgres_schema()


def course(call: Any, experiments: Any, from_: int, to: int) -> list[Any]:
    """Trials `from_` to `to` of an experiment: what was asked."""
    asked = []
    for _ in range(from_, to + 1):
        (trial,) = call("ask")["trials"]
        asked.append(trial)
        call("tell", {"trial": trial["trial"], "outcome": experiments.heard(trial["config"])})
    return asked


@pytest.mark.long
def test_a_session_goes_on_after_a_kill(
    serve: Any, fechner: Any, tools: Any, experiments: Any, url: str, tmp_path: Path
) -> None:
    """What was acknowledged is there, what comes next is what an undisturbed session on SQLite asks."""
    setup = {"config": experiments.config("EAVC", 3, 5), "seed": 11}
    with Server(tmp_path / "undisturbed.db") as undisturbed:
        channel = undisturbed.connect()

        def call(type_: str, message: Any = None) -> Any:
            return channel.request(tools.request(type_, message))["message"]

        call("setup", setup)
        expected = course(call, experiments, 1, 8)

    first = serve("--db", url, "--workers", "1")
    wire = first.wire()
    session = wire.call("setup", setup, session=str(uuid.uuid4()))["session"]
    asked = course(wire.call, experiments, 1, 5)
    pending = wire.call("ask")["trials"]
    with pytest.raises(RuntimeError, match=f"in use by process {first.pid} "):
        serve("--db", url, "--workers", "0")
    first.kill()

    second = serve("--db", url, "--workers", "0")
    wire = second.wire()
    resumed = wire.call("resume", {"session": "last"})
    assert (resumed["session"], resumed["pending"]) == (session, pending)
    (trial,) = pending
    wire.call("tell", {"trial": 6, "outcome": experiments.heard(trial["config"])})
    wire.call("correct", {"trial": 6, "outcome": experiments.heard(trial["config"])})
    asked += [trial, *course(wire.call, experiments, 7, 8)]
    assert asked == expected
    assert second.stop() == 0

    for command in (["verify"], ["replay", "last", "--verify"], ["sessions"], ["show", "last"]):
        done = fechner(*command, "--db", url)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "1 session: every message as recorded" in fechner("verify", "--db", url).stdout
    assert fechner("verify", "--rebuild", "--db", url).returncode == 0
    assert fechner("export", "last", "--to", "trials.csv", "--db", url).returncode == 0
    with (tmp_path / "trials.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["level"]) for row in rows] == [trial["config"]["level"] for trial in expected]


def test_a_record_on_postgresql_is_served_read_only(
    serve: Any, tools: Any, experiments: Any, url: str
) -> None:
    """Beside the server that writes it, and always as it is by now."""
    writer = serve("--db", url, "--workers", "0").wire()
    session = writer.call("setup", {"config": experiments.config("EAVC", 3, 5), "seed": 11})["session"]
    reader = serve("--db", url, "--workers", "0", "--read-only").wire()
    for told in range(3):
        assert reader.call("info", session=session)["trials"]["told"] == told
        course(writer.call, experiments, told + 1, told + 1)
    error = reader.exchange(tools.request("ask", session=session))["error"]
    assert error["code"] == "read_only"


def test_a_password_is_shown_to_nobody(fechner: Any, tmp_path: Path) -> None:
    """Not in what is printed, nor in the error."""
    for command in (["serve", "--port", "0", "--workers", "0"], ["sessions", "--json"], ["verify"]):
        done = fechner(*command, "--db", f"postgresql://me:se:cret@/db?host={tmp_path}&password=secret")
        assert done.returncode == 1
        assert "postgresql" in done.stdout + done.stderr
        assert "cret" not in json.dumps([done.stdout, done.stderr])
