"""A server that only reads lets sessions be looked at, and changes and records nothing."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.server.engine.effects import Commit

from ..disk import Disk
from ..rig import Rig


@pytest.fixture
def recorded(new_rig: type[Rig]) -> tuple[Disk, str]:
    """A disk with a session of two points, one told, and its id."""
    rig = new_rig()
    peer = rig.setup()
    peer.ok("ask", {"n": 2})
    peer.ok("tell", {"trial": 1, "outcome": 1})
    return rig.disk, rig.session(peer).id


@pytest.fixture
def reading(new_rig: type[Rig], recorded: tuple[Disk, str]) -> Rig:
    """A rig that only reads that disk."""
    return new_rig(disk=recorded[0], read_only=True)


def test_a_session_can_be_looked_at(reading: Rig, recorded: tuple[Disk, str]) -> None:
    """Resume to observe, then info, parameters and get_config; nothing goes to the disk."""
    disk, session = recorded
    before = len(disk.order)
    peer = reading.connect()
    assert peer.ok("hello")["server"].startswith("fechner")
    resumed = peer.ok("resume", {"session": "last", "observe": True})
    assert resumed["session"] == session
    assert [trial["trial"] for trial in resumed["pending"]] == [2]
    assert peer.ok("info")["trials"]["told"] == 1
    assert set(peer.ok("parameters")) == {"p"}
    assert "common" in peer.ok("get_config")
    assert peer.error("query", {"query": "max"}, id="q")["code"] == "no_model"
    assert len(disk.order) == before


def test_many_may_look_at_once_without_resuming(reading: Rig, recorded: tuple[Disk, str]) -> None:
    """Who names the session may ask about it, and nobody holds it."""
    _, session = recorded
    first, second = reading.connect(), reading.connect()
    for peer in (first, second, first):
        assert peer.ok("info", session=session)["session"] == session
    assert first.ok("parameters")


@pytest.mark.parametrize(
    ("type_", "message"),
    [
        ("setup", {"config": "[common]"}),
        ("ask", {}),
        ("tell", {"trial": 2, "outcome": 1}),
        ("update", {"tell": {"trial": 2, "outcome": 1}, "ask": {}}),
        ("skip", {"trial": 2}),
        ("correct", {"trial": 1, "outcome": 0}),
        ("finish_strategy", {}),
        ("resume", {"strategy": 0}),
        ("exit", {}),
    ],
)
@pytest.mark.parametrize("observing", [True, False])
def test_what_changes_a_session_is_refused(
    reading: Rig, recorded: tuple[Disk, str], type_: str, message: Any, observing: bool
) -> None:
    """The error is read_only, says what to do, and leaves no trace."""
    disk, session = recorded
    before = len(disk.order)
    peer = reading.connect()
    if observing:
        peer.ok("resume", {"session": session, "observe": True})
    error = peer.error(type_, message, session=session, id="c")
    assert error["code"] == "read_only"
    assert type_.split("_")[0] in error["detail"] or type_ == "update"
    assert error["hint"]
    assert len(disk.order) == before
    assert not reading.tasks
    assert peer.ok("info", session=session)["trials"]["pending"] == 1


def test_aepsych_s_clients_may_look_at_the_session_that_the_server_names(
    new_rig: type[Rig], recorded: tuple[Disk, str]
) -> None:
    """They have no word for observing; with --resume the server does it for them."""
    disk, session = recorded
    reading = new_rig(disk=disk, read_only=True, default_session="last")
    before = len(disk.order)
    peer = reading.connect()
    assert peer.aepsych("info")["strat_count"] == 1
    assert "read" in peer.aepsych("ask", {"num_points": 1})["server_error"]
    assert len(disk.order) == before
    assert session


def test_no_commit_is_ever_asked_for(reading: Rig, recorded: tuple[Disk, str]) -> None:
    """Not even for what doesn't wait for it."""
    peer = reading.connect()
    for type_ in ("info", "parameters", "ask", "nonsense"):
        peer.send(type_, {}, session=recorded[1])
        while reading.storage:
            assert not isinstance(reading.storage[0], Commit)
            reading.store()
