"""A request that changes a session, sent again with its id: the same bytes, no second effect."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

#: What comes before the request that is sent twice, and the request.
CASES: dict[str, tuple[int, str]] = {
    "setup": (0, "setup"),
    "another setup": (1, "setup"),
    "ask": (1, "ask"),
    "ask of the model": (3, "ask"),
    "tell": (1, "tell"),
    "tell of a model's point": (5, "tell"),
    "update": (1, "update"),
    "update with an ask of the model": (4, "update"),
    "finish_strategy": (1, "finish_strategy"),
    "resume": (1, "resume"),
    "resume of the last": (1, "resume"),
    "update whose ask fails": (1, "update"),
    "exit": (1, "exit"),
}
WAYS = ["same connection", "another connection", "restart", "restart and resume", "twice in one packet"]
#: A model's computation takes the very same way as others do, slowly.
SLOW = [case for case in CASES if "model" in case or case == "finish_strategy"]


def long(case: str, way: str) -> bool:
    """Whether it belongs to the longer suites."""
    if way == "restart and resume":
        return case != "tell"
    return case in SLOW and way != "restart"


ALL = [
    pytest.param(case, way, marks=pytest.mark.long if long(case, way) else ())
    for case in CASES
    for way in WAYS
]


def begin(wire: Any, experiments: Any, session: str, trials: int) -> dict[str, Any]:
    """Setup, and so many trials; the pending one that follows. From the fifth on they are the model's."""
    wire.call("setup", {"config": experiments.config("EAVC", 4, 9), "seed": 2}, session=session, id="begin")
    for _ in range(trials):
        (trial,) = wire.call("ask")["trials"]
        wire.call("tell", {"trial": trial["trial"], "outcome": experiments.heard(trial["config"])})
    (pending,) = wire.call("ask")["trials"]
    return dict(pending)


def twice(tools: Any, experiments: Any, case: str, session: str, pending: dict[str, Any]) -> dict[str, Any]:
    """The request that is sent twice."""
    type = CASES[case][1]
    told = {"trial": pending.get("trial"), "outcome": 1, "extra": {"note": "ünïcode"}}
    message = {
        "setup": {"config": experiments.config("EAVC", 4, 9), "seed": 2},
        "tell": told,
        "update": {"tell": told, "ask": {"fixed": {"frequncy": 1}} if "fails" in case else {}},
        "resume": {"session": "last" if "last" in case else session},
    }
    if case == "resume of the last":
        return dict(tools.request(type, message[type], id="twice"))
    return dict(tools.request(type, message.get(type), id="twice", session=session))


@pytest.mark.parametrize(("case", "way"), ALL)
def test_a_request_sent_again_has_no_second_effect(
    tools: Any, experiments: Any, serve: Any, case: str, way: str
) -> None:
    """Byte for byte the same reply; the session, its record and its next ask as after one request."""
    trials, type = CASES[case]
    session = str(uuid.uuid4())
    workers = "1" if case in SLOW else "0"
    server = serve("--workers", workers)
    wire = server.wire()
    pending = begin(wire, experiments, session, trials) if case != "setup" else {}
    one = twice(tools, experiments, case, session, pending)
    if way == "twice in one packet":
        wire.send(one, one)
        first, second = wire.line(), wire.line()
    else:
        first = wire.ask_bytes(one)
        if way != "same connection":
            wire.close()
        if way.startswith("restart"):
            assert server.stop() == 0
            server = serve("--workers", workers)
        if way != "same connection":
            wire = server.wire()
        if way == "restart and resume":
            wire.call("resume", {"session": session}, id="resumed")
        second = wire.ask_bytes(one)
    assert first == second
    assert b'"ok":true' in first
    wire.call("resume", {"session": session}, id="afterwards")
    after = (wire.call("info", session=session)["trials"], wire.call("ask", session=session)["trials"])
    assert after == once(tools, experiments, case)
    server.stop()
    expected = 2 if type == "update" and "fails" not in case else 1
    assert recorded(server.record, session, "twice") == expected


def once(tools: Any, experiments: Any, case: str) -> Any:
    """What the session says afterwards when the request was sent once."""
    from fechner.server import Server

    class Inline(tools.Wire):  # type: ignore[misc]
        def __init__(self, server: Server) -> None:
            self.exchange = server.connect().request

    trials = CASES[case][0]
    session = str(uuid.uuid4())
    with Server() as server:
        wire = Inline(server)
        pending = begin(wire, experiments, session, trials) if case != "setup" else {}
        assert wire.exchange(twice(tools, experiments, case, session, pending))["ok"]
        wire.call("resume", {"session": session}, id="afterwards")
        return wire.call("info", session=session)["trials"], wire.call("ask", session=session)["trials"]


def recorded(file: Any, session: str, id_: str) -> int:
    """Messages on record under an id of the client (an update's two)."""
    from fechner.database import Record

    record = Record.open(str(file), read_only=True)
    try:
        return sum((m.client_id or "").startswith(id_) for m in record.messages(session) if m.ok)
    finally:
        record.close()


def test_an_id_belongs_to_one_request(tools: Any, experiments: Any, serve: Any) -> None:
    """Another content under a used id is refused, before and after a restart; an error consumes no id."""
    server = serve("--workers", "1")
    wire, session = server.wire(), str(uuid.uuid4())
    pending = begin(wire, experiments, session, 1)
    told = {"trial": pending["trial"], "outcome": 7}
    assert wire.exchange(tools.request("tell", told, id="t"))["error"]["code"] == "bad_outcome"
    right = tools.request("tell", {**told, "outcome": 1}, id="t", session=session)
    first = wire.ask_bytes(right)
    other = tools.request("tell", {**told, "outcome": 0}, id="t", session=session)
    assert wire.exchange(other)["error"]["code"] == "id_reused"
    assert server.stop() == 0
    server = serve("--workers", "1")
    wire = server.wire()
    assert wire.exchange(other)["error"]["code"] == "id_reused"
    assert wire.ask_bytes(right) == first
    assert wire.ask_bytes(dict(reversed(right.items()))) == first  # compared as parsed


def test_a_setup_whose_reply_was_lost_goes_on_over_another_connection(
    tools: Any, experiments: Any, serve: Any
) -> None:
    """The repeated setup is answered from the record and the new connection then holds the session."""
    server = serve("--workers", "1")
    session = str(uuid.uuid4())
    one = tools.request("setup", {"config": experiments.config(), "seed": 2}, id="s", session=session)
    wire = server.wire()
    first = wire.ask_bytes(one)
    wire.close()
    wire = server.wire()
    assert wire.ask_bytes(one) == first
    assert len(wire.call("ask")["trials"]) == 1
    assert wire.call("info")["session"] == session
