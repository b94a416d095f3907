"""status: the server at a glance, whoever asks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fechner.server.protocol.dialects import NATIVE

from ..rig import Rig

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "wire.md"


def test_a_server_without_sessions(rig: Rig) -> None:
    """Counts and an empty list; nothing is set up and nothing is recorded by asking."""
    peer = rig.connect()
    rig.wait(5)
    status = peer.ok("status", id="a")
    assert (status["record"], status["read_only"], status["n_sessions"]) == ("rig.db", False, 0)
    assert status["sessions"] == []
    assert status["connections"] == {"open": 1, "limit": 1000}
    assert status["time"].endswith("Z")
    assert status["uptime_s"] == 105  # the rig's clock begins at 100, the engine's at 0
    assert rig.disk.order == []


def test_sessions_in_progress(rig: Rig, space_filling: str) -> None:
    """A line for each: what it is called, who holds it, how far it is; not for one that has ended."""
    peer = rig.connect()
    about = {"name": "pilot", "participant": "p01", "config": space_filling, "seed": 1}
    session = peer.request("setup", about)["session"]
    peer.ok("ask", {"n": 2})
    peer.ok("tell", {"trial": 1, "outcome": 1})
    rig.wait(3)
    other = rig.connect()
    (line,) = other.ok("status")["sessions"]
    assert line == {
        "session": session[:8],
        "name": "pilot",
        "participant": "p01",
        "connection": "peer-1",
        "dialect": "1",
        "strategy": 0,
        "stage": "init",
        "trials": {"asked": 2, "told": 1, "pending": 1, "skipped": 0},
        "ended": False,
        "waiting": 0,
        "computing": False,
        "heard_s": 3,
    }
    assert session not in json.dumps(other.last)
    peer.ok("exit")
    assert other.ok("status")["n_sessions"] == 0


def test_a_session_that_computes(rig: Rig, with_model: str) -> None:
    """It says so, and how many of its requests wait; asking doesn't wait for it."""
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", {"trial": 1, "outcome": 1})
    peer.send("ask")
    peer.send("info")
    rig.store_all()
    other = rig.connect()
    other.send("status")
    (line,) = other.last["message"]["sessions"]
    assert (line["computing"], line["waiting"]) == (True, 2)
    assert line["name"] is None


def test_of_many_sessions_those_heard_last_are_shown(
    rig: Rig, space_filling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reply has its bounds; all are counted."""
    monkeypatch.setattr("fechner.server.engine.status.MOST_LINES", 2)
    peers = []
    for _ in range(4):
        peers.append(rig.setup(space_filling))
        rig.wait(1)
    peers[0].ok("ping")
    status = rig.connect().ok("status")
    assert (status["n_sessions"], status["n_visible"]) == (4, 4)
    assert [line["connection"] for line in status["sessions"]] == ["peer-1", "peer-4"]


def test_what_happened_is_counted(rig: Rig, space_filling: str) -> None:
    """Requests by type, dialect and result, under names from fixed tables only."""
    peer = rig.setup(space_filling)
    peer.ok("ask", id="a")
    peer.ok("ask", id="a")
    peer.ok("ping", id="p")
    peer.error("tell", {"trial": 9, "outcome": 1})
    peer.error("telepathy")
    peer.ok("update", {"tell": {"trial": 1, "outcome": 1}})
    rig.connect().aepsych("ask", {})
    rig.connect().unreadable()
    assert rig.engine.counters.requests == {
        ("setup", "1", "ok"): 1,
        ("ask", "1", "ok"): 2,
        ("ping", "1", "ok"): 1,
        ("tell", "1", "unknown_trial"): 1,
        ("unknown", "1", "unknown_type"): 1,
        ("update", "1", "ok"): 1,
        ("ask", "aepsych-0.8", "no_session"): 1,
        ("unknown", "none", "bad_json"): 1,
    }
    totals = peer.ok("status")["counters"]
    assert (totals["requests"], totals["errors"], totals["connections"]) == (9, 4, 3)
    assert totals["replies"] == 9
    assert totals["bytes_out"] == sum(len(data) for one in rig.peers.values() for data in one.raw[:-1]) + len(
        b"".join(one.raw[-1] for number, one in rig.peers.items() if number > 1)
    )


def test_computations_are_counted_by_tier_and_source(new_rig: type[Rig], with_model: str) -> None:
    """Those begun ahead too; an ask counts under where its answer came from."""
    rig = new_rig(eager=True)
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", {"trial": 1, "outcome": 1})
    peer.ok("ask")
    peer.ok("query", {"query": "max"})
    counted = rig.engine.counters
    assert counted.computations["propose", "model", "eager"].n == 1
    assert counted.computations["propose", "model", "eager"].sum == pytest.approx(0.0025)
    assert counted.computations["query", "none", "request"].n == 1
    assert counted.answers == {("generator", "request"): 1, ("model", "eager"): 1}


def test_the_documented_fields_are_those_that_are_sent(rig: Rig, space_filling: str) -> None:
    """Of the reply, and of each line in it."""
    rows = re.findall(r"^\| `status` \| `(\w+)` \| (.*) \|$", PAGE.read_text("utf-8"), re.M)
    peer = rig.setup(space_filling)
    status = peer.ok("status")
    assert {name for name, _ in rows} == set(status)
    shapes = {name: set(re.findall(r'"(\w+)"', what)) for name, what in rows}
    assert shapes["sessions"] == set(status["sessions"][0])
    assert shapes["counters"] == set(status["counters"])
    assert shapes["connections"] == set(status["connections"])
    assert shapes["workers"] == set(status["workers"])
    assert set(status["computations"]) <= shapes["computations"]


def test_faults_of_status_change_nothing(rig: Rig, space_filling: str) -> None:
    """A field that it doesn't have is an error, which is on no record."""
    peer = rig.setup(space_filling)
    before = len(rig.recorded(rig.session(peer).id))
    assert peer.error("status", {"x": 1})["code"] == "unknown_field"
    assert len(rig.recorded(rig.session(peer).id)) == before
    assert NATIVE.parse({"version": "1", "type": "status"}).fault is None
