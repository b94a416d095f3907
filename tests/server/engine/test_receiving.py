"""From a value to a request that waits for its turn, step by step."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.server.engine import receiving
from fechner.server.engine.lanes import Connection
from fechner.server.engine.receiving import DONE, STEPS, names
from fechner.server.protocol.dialects import DIALECTS, Request
from fechner.server.protocol.limits import Limits


def test_the_steps_in_their_order() -> None:
    """Who speaks is known before what is said is parsed, and what is too long is refused before that."""
    assert names() == [
        "choose_dialect",
        "introduce_sender",
        "refuse_too_many",
        "parse",
        "note_who_sits_there",
        "answer_ping",
        "wait_for_turn",
    ]
    assert all(step.__doc__ for step in STEPS)


def connection_of(rig: Any) -> Connection:
    """A connection that has said nothing."""
    peer = rig.connect()
    connection: Connection = rig.engine.state.connections[peer.number]
    return connection


@pytest.mark.parametrize("value", [[], 3, None, {"version": "2", "type": "ask"}])
def test_what_is_no_request_goes_no_further(rig: Any, value: Any) -> None:
    """It waits for its turn with its fault, and decides no dialect."""
    connection = connection_of(rig)
    request = Request(raw=value, type="")
    assert receiving.choose_dialect(rig.engine.state, connection, request) is DONE
    assert request.fault is not None
    assert connection.dialect is None
    assert [job.request for job in connection.waiting] == [request]


def test_too_many_trials_are_not_looked_at(new_rig: Any) -> None:
    """The request is known by its type and id; its message is not parsed."""
    rig = new_rig(limits=Limits(trials_per_tell=3))
    connection = connection_of(rig)
    connection.dialect = DIALECTS["native"]
    message = {"trials": [{"config": {}, "outcome": "?"}] * 4}
    raw = {"version": "1", "type": "tell", "id": "a", "message": message}
    request = Request(raw=raw, type="")
    counted = receiving.refuse_too_many(rig.engine.state, connection, request)
    assert isinstance(counted, Request)
    assert (counted.type, counted.id, counted.message, counted.raw) == ("tell", "a", None, raw)
    assert counted.fault is not None
    assert counted.fault.code == "limit_reached"
    assert receiving.parse(rig.engine.state, connection, counted) is counted


def test_a_ping_without_an_id_waits_for_its_turn(rig: Any) -> None:
    """Only its order tells whose reply is whose; one with an id is answered at once."""
    peer = rig.setup()
    peer.send("ask")
    for _ in range(2):
        peer.send("ping")
    peer.send("ping", id="now")
    assert [reply.get("id") for reply in peer.replies[1:]] == ["now"]
    rig.settle()
    assert [reply["type"] for reply in peer.replies[1:]] == ["ping", "ask", "ping", "ping"]
