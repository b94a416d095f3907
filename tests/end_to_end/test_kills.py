"""kill -9: nothing acknowledged is lost, nothing is left behind, the session goes on as if undisturbed."""

from __future__ import annotations

import functools
import json
import os
import signal
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from fechner.server import Server

#: Replies of `script`, setup included.
STEPS = 14


def script(experiments: Any) -> Any:
    """Setup; four space-filling trials; then the model's, told one by one and with update; one stays open."""
    yield "setup", {"config": experiments.config("EAVC", 3, 4), "seed": 11}
    yield from experiments.trials(4)
    reply = yield "ask", {"n": 2}
    first, second = reply["trials"]
    yield "tell", {"trial": second["trial"], "outcome": experiments.heard(second["config"])}
    told = {"trial": first["trial"], "outcome": experiments.heard(first["config"])}
    both = yield "update", {"tell": told, "ask": {}}
    yield "finish_strategy", {}
    last = both["ask"]["trials"][0]
    yield "tell", {"trial": last["trial"], "outcome": experiments.heard(last["config"])}


@pytest.fixture(scope="session")
def undisturbed(tools: Any, experiments: Any) -> Callable[[], list[dict[str, Any]]]:
    """The replies of the script, and what the server says and asks after it, without any kill."""

    @functools.cache
    def replies() -> list[dict[str, Any]]:
        with Server() as server:
            channel, found = server.connect(), []
            steps, answer = script(experiments), None
            while True:
                try:
                    step = steps.send(answer)
                except StopIteration:
                    break
                answer = channel.request(tools.request(*step))["message"]
                found.append({k: v for k, v in answer.items() if k != "session"})
            found.append(channel.request(tools.request("ask", {"beyond": True}))["message"])
            return found

    return replies


def test_the_undisturbed_script_has_the_steps_that_are_killed(undisturbed: Any) -> None:
    """The positions below are all of them."""
    assert len(undisturbed()) == STEPS + 1


@pytest.mark.parametrize(
    ("position", "unheard"),
    [pytest.param(i, False, id=f"after reply {i}") for i in range(1, STEPS + 1)]
    + [
        pytest.param(i, True, id=f"before reply {i + 1}", marks=pytest.mark.long if i % 3 else ())
        for i in range(1, STEPS)
    ],
)
def test_a_killed_server_goes_on_where_it_was(
    tools: Any, experiments: Any, undisturbed: Any, serve: Any, position: int, unheard: bool
) -> None:
    """Killed after `position` replies, or with the next request on its way; then a new server goes on."""
    expected = undisturbed()
    port = tools.free_port()
    server = serve("--workers", "1", port=port)
    wire = server.wire()
    session, steps = str(uuid.uuid4()), script(experiments)
    answer: Any = None
    told, handed_out = 0, {}
    for number in range(STEPS):
        step = steps.send(answer)
        one = tools.request(*step, id=f"s-{number}", session=session)
        if number == position:
            workers = server.workers(1)
            if unheard:
                wire.send(one)
            server.kill()
            assert all(map(tools.ended, workers)), "a worker outlives its server"
            server = serve("--workers", "1", port=port)
            assert server.port == port
            wire = server.wire()
            resumed = wire.call("resume", {"session": session}, id="again")
            pending = {trial["trial"]: trial["config"] for trial in resumed["pending"]}
            if not unheard:
                assert resumed["trials"]["told"] == told
                assert pending == handed_out
        reply = wire.exchange(one)
        assert reply["ok"], reply
        answer = reply["message"]
        assert {k: v for k, v in answer.items() if k != "session"} == expected[number]
        for trial in answer.get("tell", answer).get("trials", []) if step[0] in ("tell", "update") else []:
            told += 1
            handed_out.pop(trial)
        for trial in answer.get("ask", answer)["trials"] if step[0] in ("ask", "update") else []:
            handed_out[trial["trial"]] = trial["config"]
    if position == STEPS:
        server.kill()
        server = serve("--workers", "1", port=port)
        wire = server.wire()
        assert wire.call("resume", {"session": session})["trials"]["told"] == told
    assert wire.call("ask", {"beyond": True}) == expected[-1]


def test_both_ports_bind_again_at_once_after_a_kill(tools: Any, serve: Any) -> None:
    """With clients connected over TCP and ZMQ when it is killed, ten times."""
    import zmq

    port, zmq_port = tools.free_port(), tools.free_port()
    context = zmq.Context()
    peer = context.socket(zmq.DEALER)
    peer.setsockopt(zmq.LINGER, 0)
    peer.setsockopt(zmq.RCVTIMEO, 60_000)
    peer.connect(f"tcp://127.0.0.1:{zmq_port}")
    try:
        for _ in range(10):
            server = serve("--workers", "0", "--zmq-port", str(zmq_port), port=port)
            assert (server.port, server.zmq_port) == (port, zmq_port)
            server.wire().call("hello")
            peer.send(json.dumps(tools.request("ping")).encode())
            assert json.loads(peer.recv())["ok"]
            server.kill()
    finally:
        peer.close()
        context.term()


def long_fit(tools: Any, experiments: Any, wire: Any, session: str, points: int = 20) -> dict[str, Any]:
    """Begin a session whose next ask computes for seconds; that ask, not sent yet."""
    config = experiments.config("EAVC", 2, 200)
    wire.call("setup", {"config": config, "seed": 3}, session=session, id="setup")
    rng = [(0.25 * 2 ** (5 * (i * 0.618 % 1)), -20 + 140 * (i * 0.382 % 1)) for i in range(150)]
    told = [{"frequency": f, "level": level, "ear": "left"} for f, level in rng]
    outcomes = [{"config": point, "outcome": experiments.heard(point)} for point in told]
    wire.call("tell", {"trials": outcomes})
    for trial in wire.call("ask", {"n": 2})["trials"]:
        wire.call("tell", {"trial": trial["trial"], "outcome": experiments.heard(trial["config"])})
    wire.call("ask", {})  # of the model: the worker has imported what it needs
    return tools.request("ask", {"n": points}, id="long")


def in_work(tools: Any, wire: Any, one: dict[str, Any]) -> None:
    """Send a request and wait until the server has given it to a worker (a ping with an id overtakes it)."""
    wire.send(one, tools.request("ping", id="overtaking"))
    assert json.loads(wire.line())["id"] == "overtaking"


@pytest.fixture(scope="session")
def undisturbed_fit(tools: Any, experiments: Any) -> Callable[[], Any]:
    """The trials of `long_fit`'s ask without any kill."""

    class Inline:
        def __init__(self, server: Server) -> None:
            self.channel = server.connect()

        def call(self, type: str, message: Any, **envelope: Any) -> Any:
            return self.channel.request(tools.request(type, message, **envelope))["message"]

    @functools.cache
    def trials() -> Any:
        with Server() as server:
            wire = Inline(server)
            one = long_fit(tools, experiments, wire, str(uuid.uuid4()))
            return wire.channel.request(one)["message"]["trials"]

    return trials


def test_a_server_killed_during_a_fit_computes_it_again(
    tools: Any, experiments: Any, undisturbed_fit: Any, serve: Any
) -> None:
    """The worker ends with its server although it is computing; the new server gives the very same points."""
    server = serve("--workers", "1")
    wire, session = server.wire(), str(uuid.uuid4())
    one = long_fit(tools, experiments, wire, session)
    workers = server.workers(1)
    in_work(tools, wire, one)
    server.kill()
    assert all(map(tools.ended, workers))
    server = serve("--workers", "1", port=server.port)
    wire = server.wire()
    assert wire.call("resume", {"session": session})["trials"]["told"] == 152
    reply = wire.exchange(one)
    assert reply["message"]["trials"] == undisturbed_fit()


def test_a_worker_killed_during_a_fit_is_replaced(
    tools: Any, experiments: Any, undisturbed_fit: Any, serve: Any, fechner: Any
) -> None:
    """The session goes on, with the same points; so it does when an idle worker dies."""
    server = serve("--workers", "1")
    wire, session = server.wire(), str(uuid.uuid4())
    one = long_fit(tools, experiments, wire, session)
    (worker,) = server.workers(1)
    os.kill(worker, signal.SIGKILL)  # an idle one
    assert tools.ended(worker)
    assert wire.call("query", {"query": "max"})["y"]
    (worker,) = server.workers(1)
    in_work(tools, wire, one)
    os.kill(worker, signal.SIGKILL)
    assert json.loads(wire.line())["message"]["trials"] == undisturbed_fit()
    assert server.workers(1) != [worker]
    assert fechner("replay", session, "--db", str(server.record)).returncode == 0


def test_a_computation_that_kills_every_worker_is_an_error_reply(
    tools: Any, experiments: Any, undisturbed_fit: Any, serve: Any
) -> None:
    """Three deaths are enough; the session stays as it is and goes on."""
    server = serve("--workers", "1")
    wire = server.wire()
    one = long_fit(tools, experiments, wire, str(uuid.uuid4()))
    in_work(tools, wire, one)
    for _ in range(3):
        (worker,) = server.workers(1)
        os.kill(worker, signal.SIGKILL)
        assert tools.ended(worker)
    reply = json.loads(wire.line())
    assert reply["error"]["code"] == "internal"
    assert "incident" in reply["error"]["detail"]
    assert wire.exchange(one)["message"]["trials"] == undisturbed_fit()
