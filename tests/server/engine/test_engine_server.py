"""A server's limits, configuration and faults."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fechner.server.engine.effects import Commit
from fechner.server.engine.events import Loaded
from fechner.server.protocol.limits import Limits

from ..rig import Rig

SESSION = "6f1d2c3b-0000-4000-8000-000000000001"


def told(trial: int, outcome: Any = 1) -> dict[str, Any]:
    return {"trial": trial, "outcome": outcome}


# Limits


def test_a_stream_with_64_requests_waiting_is_not_read(rig: Rig, with_model: str) -> None:
    """And is read again when one is answered; nothing is refused."""
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", told(1))
    peer.send("ask")
    for _ in range(62):
        peer.send("info")
    assert not peer.paused
    peer.send("info")
    assert peer.paused
    rig.settle()
    assert not peer.paused
    assert len(peer.raw) == 3 + 64
    assert all(reply["ok"] for reply in peer.replies)


@pytest.mark.parametrize("value", [{"version": "1", "type": "info", "id": "x"}, [], None])
def test_a_datagram_peer_with_64_requests_waiting_is_refused(rig: Rig, with_model: str, value: Any) -> None:
    """What is too much gets limit_reached at once, whatever it is."""
    peer = rig.connect(stream=False)
    peer.ok("setup", {"config": with_model})
    peer.ok("ask")
    peer.ok("tell", told(1))
    peer.send("ask")
    for _ in range(63):
        peer.send("info")
    before = len(peer.raw)
    peer.send_value(value) if value is not None else peer.unreadable()
    assert len(peer.raw) == before + 1
    assert peer.last["error"]["code"] == "limit_reached"
    rig.settle()
    assert len(peer.raw) == before + 65


def test_a_connection_too_many_is_refused(new_rig: type[Rig]) -> None:
    """It is told why and closed; when one leaves there is room again."""
    rig = new_rig(limits=Limits(connections=2))
    one, two, three = (rig.connect() for _ in range(3))
    assert three.closed
    assert three.last["error"]["code"] == "limit_reached"
    three.vanish()
    one.vanish()
    assert not rig.connect().closed
    assert two.ok("hello")


@pytest.mark.parametrize(
    ("type_", "message"),
    [
        ("ask", {"n": 4}),
        ("tell", {"trials": [{"config": {"p": 0.1 * i}, "outcome": 1} for i in range(4)]}),
    ],
)
def test_trials_per_tell_and_per_ask(new_rig: type[Rig], type_: str, message: Any) -> None:
    """More of them than the limit are refused as a whole."""
    rig = new_rig(limits=Limits(trials_per_tell=3))
    peer = rig.setup()
    assert peer.error(type_, message)["code"] == "limit_reached"
    assert rig.session(peer).trials == []


def test_trials_per_session(new_rig: type[Rig]) -> None:
    """A full session hands out and takes no more trials, but pending ones can be told."""
    rig = new_rig(limits=Limits(trials_per_session=2))
    peer = rig.setup()
    peer.ok("ask")
    peer.ok("tell", {"config": {"p": 0.0}, "outcome": 1})
    assert peer.error("ask")["code"] == "limit_reached"
    assert peer.error("tell", {"config": {"p": 0.0}, "outcome": 1})["code"] == "limit_reached"
    assert peer.ok("tell", told(1))


# Faults of the server


def test_a_computation_that_fails_is_an_incident(new_rig: type[Rig], with_model: str) -> None:
    """The client gets an incident id and no traceback; the log explains it; the session goes on."""
    from fechner.server.engine.events import ComputeFailed
    from fechner.server.observing.faults import Fault
    from fechner.server.protocol.errors import FechnerError

    def broken(task: Any) -> Any:
        return ComputeFailed(task.task, FechnerError("internal", "x"), Fault("the cause"))

    rig = new_rig(compute=broken)
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", told(1))
    error = peer.error("ask", id="a")
    assert error["code"] == "internal"
    assert "Traceback" not in json.dumps(peer.last)
    incident = error["detail"].split("incident ")[1].rstrip(")")
    assert [log.fault and log.fault.trace for log in rig.logs if log.incident == incident] == ["the cause"]
    assert rig.session(peer).counts()["pending"] == 0
    assert peer.ok("info")


def test_a_record_that_cannot_be_read(rig: Rig) -> None:
    """A resume and a repeated id hear storage_failed; the engine goes on."""
    from fechner.server.engine.effects import Find, Load
    from fechner.server.engine.events import Found

    peer = rig.setup(session=SESSION)
    peer.ok("ask", id="a")
    peer.send("ask", id="a")
    find = rig.storage.popleft()
    assert isinstance(find, Find)
    rig.event(Found(find.token, None, None, error="disk on fire"))
    assert peer.last["error"]["code"] == "storage_failed"
    rig.settle()
    peer.vanish()
    for session in (SESSION, "last"):
        other = rig.connect()
        other.send("resume", {"session": session})
        load = rig.storage.popleft()
        assert isinstance(load, Load)
        rig.event(Loaded(load.token, None, error="disk on fire"))
        assert other.last["error"]["code"] == "storage_failed"
        assert other.ok("resume", {"session": session})
        other.vanish()


# The configuration of the server


def test_a_default_configuration(new_rig: type[Rig], space_filling: str) -> None:
    """A connection whose first session message is no setup gets a session; one that sets up gets its own."""
    rig = new_rig(default_config=space_filling)
    peer = rig.connect()
    peer.ok("hello")
    assert peer.ok("ask")["trials"][0]["trial"] == 1
    assert len(peer.raw) == 2
    assert rig.recorded(peer.last["session"])[0].type == "setup"
    other = rig.connect()
    other.ok("setup", {"config": space_filling.replace("[p]", "[q]")})
    assert list(other.ok("parameters")) == ["q"]
    third = rig.connect()
    assert third.error("ask", session=SESSION)["code"] == "unknown_session"


@pytest.mark.parametrize(
    ("forced", "value", "expected"),
    [
        ("native", {"type": "parameters"}, "unknown_version"),
        ("native", {"version": "1", "type": "parameters"}, "no_session"),
        ("aepsych-0.8", {"version": "1", "type": "parameters"}, None),
    ],
)
def test_a_forced_dialect(new_rig: type[Rig], forced: str, value: Any, expected: str | None) -> None:
    """Every connection speaks it, whatever its first request looks like."""
    peer = new_rig(dialect=forced).connect()
    peer.send_value(value)
    if expected is None:
        assert set(peer.last) == {"server_error", "message"}
    else:
        assert peer.last["error"]["code"] == expected


@pytest.mark.parametrize("broken", [True, False])
def test_a_forced_dialect_is_known_before_the_first_request(new_rig: type[Rig], broken: bool) -> None:
    """Input that is no request gets that dialect's error, not one that is readable in every one."""

    def said(forced: str) -> bytes:
        peer = new_rig(dialect=forced).connect()
        if broken:
            peer.unreadable()
        else:
            peer.send_value([1])
        return bytes(peer.raw[-1])

    assert said("aepsych-0.1") == b"bad request"
    assert set(json.loads(said("aepsych-0.8"))) == {"server_error", "message"}
    assert set(json.loads(said("native"))) == {"version", "type", "ok", "error"}
    assert set(json.loads(said("auto"))) == {"version", "type", "ok", "error", "server_error"}


def test_hello_says_what_there_is(rig: Rig) -> None:
    """Server, versions, limits, capabilities, auth; before and after a setup."""
    peer = rig.connect()
    reply = peer.ok("hello")
    assert set(reply) == {"server", "versions", "limits", "capabilities", "auth"}
    assert reply["versions"] == ["1", "0.01", None]
    assert reply["limits"]["waiting_requests"] == 64
    assert reply["auth"] == "none"
    assert "session" not in peer.last


def test_nothing_is_forgotten_or_kept_for_ever(rig: Rig) -> None:
    """After everybody has left the engine holds no connection, session, task or token."""
    peers = [rig.setup() for _ in range(3)]
    for peer in peers:
        peer.ok("ask", id="a")
        peer.send("ask", id="a")
        peer.send("ask")
        peer.vanish()
    rig.settle()
    state = rig.engine.state
    assert not any((state.connections, state.lanes, state.waiting, state.agenda))
    assert not [effect for effect in rig.storage if isinstance(effect, Commit)]
