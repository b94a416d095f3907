"""One seed, the same asks and answers: over every transport, with any number of workers, cold and warm."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import pytest
import zmq

from fechner.server import Server

#: Acquisition functions by number of workers; botorch's takes seconds to import in each process.
CASES = [
    (kind, workers) if kind == "EAVC" else pytest.param(kind, workers, marks=pytest.mark.long)
    for kind in ("EAVC", "MCLevelSetEstimation", "qLogNoisyExpectedImprovement")
    for workers in ("0", "1", "2")
]
Exchange = Callable[[dict[str, Any]], dict[str, Any]]


class Zmq:
    """A ZMQ client: REQ, DEALER, or DEALER with the delimiter that REQ puts."""

    def __init__(self, port: int, kind: str) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.REQ if kind == "REQ" else zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RCVTIMEO, 60_000)
        self.delimiter = [b""] if kind == "DEALER with delimiter" else []
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def exchange(self, request: dict[str, Any]) -> Any:
        self.socket.send_multipart([*self.delimiter, json.dumps(request).encode()])
        *envelope, payload = self.socket.recv_multipart()
        assert envelope == self.delimiter
        assert not payload.endswith(b"\n")
        return json.loads(payload)

    def close(self) -> None:
        self.socket.close()
        self.context.term()


def run(
    tools: Any, script: Any, exchange: Exchange, between: Callable[[int, str], Exchange | None] | None = None
) -> tuple[str, list[dict[str, Any]]]:
    """Carry a script out; the session and the replies. `between` may bring another exchange before a step."""
    session, replies = "", []
    step = next(script)
    while True:
        if between is not None:
            exchange = between(len(replies), session) or exchange
        reply = exchange(tools.request(*step))
        assert reply["ok"], (step, reply)
        session = reply["session"]
        message = reply["message"]
        message.pop("session", None)
        message.pop("server", None)
        replies.append(message)
        try:
            step = script.send(message)
        except StopIteration:
            return session, replies


@pytest.fixture(scope="session")
def expected(tools: Any, experiments: Any) -> Callable[[str], list[dict[str, Any]]]:
    """The replies of an undisturbed session, computed in this process."""

    @functools.cache
    def replies(kind: str) -> list[dict[str, Any]]:
        with Server() as server:
            return run(tools, experiments.whole(kind), server.connect().request)[1]

    return replies


def verified(fechner: Any, record: Any, session: str) -> None:
    """`fechner replay --verify` finds the session identical."""
    done = fechner("replay", session, "--verify", "--db", str(record), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["identical"] is True
    assert json.loads(done.stdout)["asks"] > 10


@pytest.mark.parametrize(("kind", "workers"), CASES)
def test_any_number_of_workers_gives_the_same_session(
    tools: Any, experiments: Any, expected: Any, serve: Any, fechner: Any, kind: str, workers: str
) -> None:
    """Over TCP, with 0, 1 and 2 workers; the record replays identically."""
    server = serve("--workers", workers)
    session, replies = run(tools, experiments.whole(kind), server.wire().exchange)
    assert replies == expected(kind)
    verified(fechner, server.record, session)


@pytest.mark.parametrize(
    "socket", ["REQ", "DEALER", pytest.param("DEALER with delimiter", marks=pytest.mark.long)]
)
def test_zmq_gives_the_same_session(
    tools: Any, experiments: Any, expected: Any, serve: Any, fechner: Any, socket: str
) -> None:
    """A REQ socket and DEALER sockets hear what a TCP client hears, without line endings."""
    server = serve("--workers", "1", "--zmq-port", "0")
    client = Zmq(server.zmq_port, socket)
    try:
        session, replies = run(tools, experiments.whole(), client.exchange)
    finally:
        client.close()
    assert replies == expected("EAVC")
    verified(fechner, server.record, session)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_server_in_this_process_gives_the_same_session(
    tools: Any, experiments: Any, expected: Any, fechner: Any, tmp_path: Any, workers: int
) -> None:
    """Inline and with a worker process; what it recorded replays identically."""
    with Server(tmp_path / "record.db", workers=workers) as server:
        session, replies = run(tools, experiments.whole(), server.connect().request)
    assert replies == expected("EAVC")
    verified(fechner, tmp_path / "record.db", session)


@pytest.mark.parametrize(
    ("kind", "workers"),
    [CASES[1], *(pytest.param("EAVC", w, marks=pytest.mark.long) for w in "02"), *CASES[3:]],
)
def test_a_server_started_again_in_the_middle_gives_the_same_session(
    tools: Any, experiments: Any, expected: Any, serve: Any, fechner: Any, kind: str, workers: str
) -> None:
    """All caches cold before a model ask, before a query and before the second strategy."""
    server = serve("--workers", workers)
    first = expected(kind)
    query = next(i for i, reply in enumerate(first) if "lower" in reply)
    second = next(i for i, reply in enumerate(first) if reply.get("strategy") == 1)

    def again(step: int, session: str) -> Exchange | None:
        nonlocal server
        if step not in (query - 2, query + 1, second + 3):
            return None
        assert server.stop() == 0
        server = serve("--workers", workers)
        wire = server.wire()
        wire.call("resume", {"session": session})
        return wire.exchange

    session, replies = run(tools, experiments.whole(kind), server.wire().exchange, again)
    assert replies == first
    verified(fechner, server.record, session)
