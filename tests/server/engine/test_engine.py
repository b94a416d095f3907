"""The engine as a state machine: envelopes, order, barriers, what is recorded, what waits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..rig import Rig

SESSION = "6f1d2c3b-0000-4000-8000-000000000001"


def told(trial: int, outcome: Any = 1) -> dict[str, Any]:
    return {"trial": trial, "outcome": outcome}


# Envelope


def test_a_reply_carries_the_envelope(rig: Rig, space_filling: str) -> None:
    """Version, type, id, session, ok, message and timing, and a line end after it."""
    peer = rig.connect()
    reply = peer.request("setup", {"config": space_filling, "seed": 1}, id="c-1", session=SESSION)
    assert peer.raw[-1].endswith(b"}\n")
    assert list(reply) == ["version", "type", "id", "session", "ok", "message", "timing"]
    assert (reply["version"], reply["type"], reply["id"], reply["session"]) == ("1", "setup", "c-1", SESSION)
    reply = peer.request("ask")
    assert "id" not in reply
    assert reply["timing"] == {"queue_ms": 0, "compute_ms": 0, "tier": "generator", "from": "request"}


def test_datagrams_have_no_line_end(rig: Rig) -> None:
    """Where each reply is a message of its own nothing follows it."""
    peer = rig.connect(stream=False)
    peer.ok("hello")
    assert peer.raw[-1].endswith(b"}")


@pytest.mark.parametrize(
    ("request_", "code", "where"),
    [
        ({"version": "1"}, "bad_request", "type"),
        ({"version": "1", "type": 7}, "bad_request", "type"),
        ({"version": "1", "type": "aks"}, "unknown_type", "type"),
        ({"version": "1", "type": "ask", "idd": 1}, "unknown_field", "idd"),
        ({"version": "1", "type": "ask", "id": 1}, "bad_request", "id"),
        ({"version": "1", "type": "ask", "id": "x" * 65}, "bad_request", "id"),
        ({"version": "1", "type": "ask", "session": 1}, "bad_request", "session"),
        ({"version": "1", "type": "ask", "session": "S"}, "bad_value", "session"),
        ({"version": "1", "type": "ask", "message": "now"}, "bad_value", "message"),
        ({"version": "1", "type": "ask", "message": None}, "bad_value", "message"),
        ({"version": "1", "type": "ask", "message": {"m": 1}}, "unknown_field", "message.m"),
        ({"version": "1", "type": "ask", "message": {"n": 0}}, "bad_value", "message.n"),
        ({"version": "1", "type": "ask", "message": {"n": 1.5}}, "bad_value", "message.n"),
        ({"version": "1", "type": "ask", "message": {"n": True}}, "bad_value", "message.n"),
        ({"version": "1", "type": "update", "message": {}}, "bad_value", "message.tell"),
        (
            {"version": "1", "type": "update", "message": {"tell": {"tria": 1}}},
            "unknown_field",
            "message.tell.tria",
        ),
        ({"version": "2", "type": "ask"}, "unknown_version", "version"),
        ({"type": "ask"}, "unknown_version", "version"),
    ],
)
def test_requests_of_a_wrong_form(rig: Rig, request_: Any, code: str, where: str) -> None:
    """Each fault has its code and its place, and the connection stays."""
    peer = rig.setup()
    peer.send_value(request_)
    rig.settle()
    assert (peer.last["error"]["code"], peer.last["error"]["where"]) == (code, where)
    assert not peer.closed
    assert peer.ok("ask")["trials"][0]["trial"] == 1


@pytest.mark.parametrize("value", [[], "ask", 7, None, True])
def test_a_value_that_is_no_object(rig: Rig, value: Any) -> None:
    """It is a bad request, readable in either dialect before one is known; the connection stays."""
    peer = rig.connect()
    peer.send_value(value)
    assert peer.last["error"]["code"] == "bad_request"
    assert "object" in peer.last["server_error"]
    assert peer.ok("hello")
    peer.send_value(value)
    assert peer.last["error"]["code"] == "bad_request"
    assert "server_error" not in peer.last
    assert not peer.closed


@pytest.mark.parametrize("version", ["2", "0.02", 1, 1.0, "", "v" * 300])
def test_an_unknown_version(rig: Rig, version: Any) -> None:
    """It is named, answered in either dialect's form, and doesn't decide the connection's dialect."""
    peer = rig.connect()
    peer.send_value({"version": version, "type": "ask"})
    assert peer.last["error"]["code"] == "unknown_version"
    assert peer.last["server_error"]
    assert peer.ok("hello")


def test_broken_input_closes_a_stream_after_what_came_before(rig: Rig, with_model: str) -> None:
    """The replies of earlier requests come first, then the error, once, then the close."""
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", told(1))
    peer.send("ask")
    peer.unreadable()
    peer.unreadable()
    peer.send("ask")
    assert not peer.closed
    rig.settle()
    assert [reply["ok"] for reply in peer.replies[-2:]] == [True, False]
    assert peer.last["error"]["code"] == "bad_json"
    assert len(peer.raw) == 5
    assert peer.closed


def test_broken_input_waits_for_the_replies_of_every_session(rig: Rig, with_model: str) -> None:
    """Also of another session of the same connection."""
    peer = rig.setup(with_model, session=SESSION)
    peer.ok("ask")
    peer.ok("tell", told(1))
    peer.ok("setup", {"config": with_model}, session=SESSION.replace("1d2c", "1d2d"))
    peer.send("ask", session=SESSION)
    peer.unreadable()
    rig.store_all()
    assert not peer.closed
    rig.settle()
    assert [reply["type"] for reply in peer.replies[-2:]] == ["ask", None]
    assert peer.closed


def test_broken_input_leaves_a_datagram_peer(rig: Rig) -> None:
    """Where messages come apart by themselves the error is all."""
    peer = rig.connect(stream=False)
    peer.unreadable("too_deep")
    assert peer.last["error"]["code"] == "too_deep"
    assert not peer.closed
    assert peer.ok("hello")


def test_a_text_that_is_no_unicode_reaches_the_peer(rig: Rig, parse: Any) -> None:
    """An error that quotes half of a surrogate pair is still sent."""
    from fechner.server.engine.events import Unreadable
    from fechner.server.protocol.errors import FechnerError

    peer = rig.connect()
    with pytest.raises(FechnerError) as caught:
        parse(r'{"\ud800":1,"\ud800":2}')
    rig.event(Unreadable(peer.number, caught.value))
    assert peer.last["error"]["code"] == "bad_json"


# Order


def test_replies_come_in_request_order(rig: Rig, with_model: str) -> None:
    """Requests in one packet are answered in their order, also behind a computation."""
    peer = rig.connect()
    peer.send("setup", {"config": with_model, "seed": 1}, id="1")
    for i in range(2, 5):
        peer.send("ask", id=str(i)) if i % 2 else peer.send(
            "tell", {"config": {"p": 0.1 * i}, "outcome": 1}, id=str(i)
        )
    peer.send("info", id="5")
    assert peer.raw == []
    rig.settle()
    assert [reply["id"] for reply in peer.replies] == ["1", "2", "3", "4", "5"]
    assert all(reply["ok"] for reply in peer.replies)


def test_a_ping_with_an_id_overtakes(rig: Rig, with_model: str) -> None:
    """It is answered while the model computes; one without an id waits for its turn."""
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", told(1))
    before = len(peer.raw)
    peer.send("ask", id="a")
    peer.send("ping")
    peer.send("ping", id="p")
    peer.send("hello", id="h")
    rig.store_all()
    assert [reply["id"] for reply in peer.replies[before:]] == ["p"]
    rig.settle()
    kinds = [(reply["type"], reply.get("id")) for reply in peer.replies[before:]]
    assert kinds == [("ping", "p"), ("ask", "a"), ("ping", None), ("hello", "h")]


def test_sessions_do_not_wait_for_each_other(rig: Rig, with_model: str) -> None:
    """While one session computes, another one is answered."""
    one, two = rig.setup(with_model), rig.setup()
    one.ok("ask")
    one.ok("tell", told(1))
    one.send("ask")
    rig.store_all()
    assert rig.tasks
    two.send("ask")
    rig.store_all()
    assert two.last["message"]["trials"][0]["trial"] == 1
    assert rig.tasks


def test_the_next_request_starts_after_the_commit(rig: Rig) -> None:
    """The second ask of one packet is computed from the state after the first."""
    peer = rig.setup()
    peer.send("ask")
    peer.send("ask")
    assert len(rig.storage) == 1
    rig.store()
    assert peer.last["message"]["trials"][0]["trial"] == 1
    assert len(rig.storage) == 1
    rig.store()
    assert peer.last["message"]["trials"][0]["trial"] == 2


# On record before it is said


@pytest.mark.parametrize(
    ("type_", "message"),
    [
        ("ask", None),
        ("tell", {"config": {"p": 0.5}, "outcome": 1}),
        ("finish_strategy", None),
        ("exit", None),
        ("resume", {"strategy": 0}),
    ],
)
def test_what_changes_a_session_waits_for_its_commit(rig: Rig, type_: str, message: Any) -> None:
    """No reply before the commit; after it the reply that is on record, byte for byte."""
    peer = rig.setup()
    before = len(peer.raw)
    peer.send(type_, message)
    assert len(peer.raw) == before
    [entry] = rig.commit.entries
    assert entry.change is not None
    assert (entry.type, entry.ok, entry.change["type"]) == (type_, True, type_)
    rig.store()
    assert peer.raw[-1] == entry.reply.encode() + b"\n"


@pytest.mark.parametrize("type_", ["info", "parameters", "get_config"])
def test_what_changes_nothing_does_not_wait(rig: Rig, type_: str) -> None:
    """It is recorded all the same."""
    peer = rig.setup()
    peer.send(type_)
    assert peer.last["ok"]
    commit = rig.commit
    assert commit.token is None
    assert (commit.entries[0].type, commit.entries[0].change) == (type_, None)


def test_failures_are_recorded_and_do_not_wait(rig: Rig) -> None:
    """A failed request is on record with ok false and its error."""
    peer = rig.setup()
    peer.send("tell", told(9), id="t")
    assert peer.last["error"]["code"] == "unknown_trial"
    entry = rig.commit.entries[0]
    assert (entry.type, entry.ok, entry.change) == ("tell", False, None)
    assert json.loads(entry.reply)["error"]["code"] == "unknown_trial"


def test_ping_and_hello_are_not_recorded(rig: Rig) -> None:
    """They belong to no session."""
    peer = rig.setup()
    peer.ok("ping")
    peer.ok("ping", id="x")
    peer.ok("hello")
    assert len(rig.recorded(peer.replies[0]["session"])) == 1


def test_what_belongs_to_no_session_is_not_recorded(rig: Rig) -> None:
    """An ask before any setup fails and leaves nothing."""
    peer = rig.connect()
    assert peer.error("ask")["code"] == "no_session"
    assert peer.error("setup", {"config": "nonsense"})["code"] == "bad_config"
    assert rig.disk.entries == {}
    assert rig.engine.state.lanes == {}


def test_a_commit_that_fails_changes_nothing(rig: Rig) -> None:
    """The reply is storage_failed and the next ask hands out the same trial."""
    peer = rig.setup()
    peer.send("ask", id="a")
    rig.fail_commit()
    assert peer.last["error"]["code"] == "storage_failed"
    assert "disk is full" in peer.last["error"]["detail"]
    assert rig.session(peer).trials == []
    first = peer.ok("ask", id="a")
    assert first["trials"][0]["trial"] == 1


def test_a_setup_whose_commit_fails_leaves_no_session(rig: Rig, space_filling: str) -> None:
    """The connection has no session afterwards, and the same setup can be sent again."""
    peer = rig.connect()
    peer.send("setup", {"config": space_filling}, id="s", session=SESSION)
    rig.store()  # there is no such session yet
    rig.fail_commit()
    assert peer.last["error"]["code"] == "storage_failed"
    assert peer.error("ask")["code"] == "no_session"
    assert peer.request("setup", {"config": space_filling}, id="s", session=SESSION)["ok"]


def test_a_resume_whose_commit_fails_changes_nothing(rig: Rig) -> None:
    """The connection stays in the session that it had."""
    first = rig.setup(session=SESSION)
    first.ok("exit")
    peer = rig.setup()
    own = peer.last["session"]
    peer.send("resume", {"session": SESSION})
    rig.store()  # the load
    rig.fail_commit()
    assert peer.last["error"]["code"] == "storage_failed"
    assert peer.request("info")["session"] == own


# Barriers


def test_setup_ask_and_tell_in_one_packet(rig: Rig, space_filling: str) -> None:
    """Requests wait for the setup before them and then go to its session."""
    peer = rig.connect()
    peer.send("setup", {"config": space_filling})
    peer.send("ask")
    peer.send("tell", told(1))
    peer.send("setup", {"config": space_filling})
    peer.send("ask")
    rig.settle()
    assert [reply["ok"] for reply in peer.replies] == [True] * 5
    assert len({reply["session"] for reply in peer.replies}) == 1
    assert peer.replies[3]["message"]["strategy"] == 1
    assert peer.replies[4]["message"]["trials"][0]["trial"] == 2


def test_requests_behind_a_failed_setup(rig: Rig) -> None:
    """They are answered as if it had not been sent."""
    peer = rig.connect()
    peer.send("setup", {"config": ""})
    peer.send("ask")
    rig.settle()
    assert [reply["error"]["code"] for reply in peer.replies] == ["bad_config", "no_session"]


def test_requests_behind_an_exit(rig: Rig, space_filling: str) -> None:
    """An ask finds the session ended; a setup begins a new one."""
    peer = rig.setup()
    before = peer.last["session"]
    peer.send("exit")
    peer.send("ask")
    peer.send("setup", {"config": space_filling})
    peer.send("ask")
    rig.settle()
    assert [reply["ok"] for reply in peer.replies[-4:]] == [True, False, True, True]
    assert peer.replies[-3]["error"]["code"] == "no_session"
    assert peer.last["session"] != before
