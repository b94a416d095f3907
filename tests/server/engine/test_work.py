"""One job after the other: its timing, its computation, what is recorded of it."""

from __future__ import annotations

import json
from datetime import timedelta

from ..rig import Rig


def test_timing_tells_waiting_from_computing(rig: Rig, with_model: str) -> None:
    """queue_ms waiting for its turn and for a worker, compute_ms computing; the record has the whole."""
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", {"trial": 1, "outcome": 1})
    peer.send("ask")
    rig.wait(0.25)
    peer.send("ask")
    rig.wait(1)
    rig.settle()
    first, second = peer.replies[-2:]
    assert (first["timing"]["queue_ms"], first["timing"]["compute_ms"]) == (1247.5, 2.5)
    assert (second["timing"]["queue_ms"], second["timing"]["compute_ms"]) == (997.5, 2.5)
    entry = rig.recorded(peer.last["session"])[-2]
    assert entry.duration_ms == 1250
    assert entry.received_at == rig.recorded(peer.last["session"])[-1].received_at - timedelta(seconds=0.25)


def test_a_reply_is_recorded_as_it_is_sent(rig: Rig) -> None:
    """Request and reply, of what fails too, with the dialect and the client's id."""
    peer = rig.setup(id="s")
    peer.ok("ask", {"n": 1}, id="a")
    peer.error("ask", {"n": 0}, id="b")
    session = peer.replies[0]["session"]
    entries = rig.recorded(session)
    assert [json.loads(entry.reply) for entry in entries] == peer.replies
    assert json.loads(entries[1].request) == {"version": "1", "type": "ask", "id": "a", "message": {"n": 1}}
    assert [(e.type, e.ok, e.client_id, e.dialect) for e in entries] == [
        ("setup", True, "s", "1"),
        ("ask", True, "a", "1"),
        ("ask", False, "b", "1"),
    ]


def test_unreadable_input_of_a_session_is_recorded(rig: Rig) -> None:
    """As a failed request without content."""
    peer = rig.setup()
    peer.unreadable()
    rig.settle()
    entry = rig.recorded(peer.replies[0]["session"])[-1]
    assert (entry.type, entry.request, entry.ok) == ("unreadable", "null", False)


def test_a_computation_sees_the_state_of_its_turn(rig: Rig, with_model: str) -> None:
    """Two asks in a row: the second is computed from the state that the first left."""
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", {"trial": 1, "outcome": 1})
    peer.send("ask")
    peer.send("ask")
    [task] = rig.tasks
    assert task.arguments[0].asked == 1
    rig.work()
    assert not rig.tasks
    rig.store()
    [task] = rig.tasks
    assert task.arguments[0].asked == 2
    rig.settle()


def test_asks_of_a_client_that_is_gone_are_not_computed(rig: Rig, with_model: str) -> None:
    """Those that had not begun; tells are honoured."""
    peer = rig.setup(with_model)
    session = peer.last["session"]
    peer.ok("ask")
    for type_, message in [("tell", {"trial": 1, "outcome": 1}), ("ask", None), ("query", {"query": "max"})]:
        peer.send(type_, message)
    peer.vanish()
    rig.store_all()
    assert not rig.tasks
    assert [e.type for e in rig.recorded(session) if e.ok] == ["setup", "ask", "tell"]
