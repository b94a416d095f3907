"""Several clients at once: each is served as if it were alone, whoever vanishes."""

from __future__ import annotations

import functools
import json
import random
import select
import socket
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from fechner.server import Server

LEFT = ("EAVC", 5)
RIGHT = ("MCLevelSetEstimation", 6)


class Talk:
    """One script on one connection, a step at a time."""

    def __init__(self, tools: Any, script: Any, exchange: Callable[[Any], Any]) -> None:
        self.tools, self.script, self.exchange = tools, script, exchange
        self.session = str(uuid.uuid4())
        self.replies: list[dict[str, Any]] = []
        self.step: Any = next(script)

    def go_on(self) -> bool:
        """One request and its reply; False at the script's end."""
        reply = self.exchange(self.tools.request(*self.step, session=self.session))
        assert reply["ok"], reply
        assert reply["session"] == self.session
        self.replies.append({k: v for k, v in reply["message"].items() if k != "session"})
        try:
            self.step = self.script.send(reply["message"])
        except StopIteration:
            return False
        return True

    def finish(self) -> None:
        while self.go_on():
            pass


def in_turn(talks: list[Talk]) -> None:
    """One step of each, then the next of each, to the end."""
    going = talks
    while going:
        going = [talk for talk in going if talk.go_on()]


@pytest.fixture(scope="session")
def alone(tools: Any, experiments: Any) -> Callable[..., list[dict[str, Any]]]:
    """The replies of an experiment that has a server to itself."""

    @functools.cache
    def replies(kind: str, seed: int) -> list[dict[str, Any]]:
        with Server() as server:
            talk = Talk(tools, experiments.short(kind, seed), server.connect().request)
            talk.finish()
            return talk.replies

    return replies


@pytest.mark.parametrize("workers", ["0", "1", "2"])
def test_two_interleaved_experiments_don_t_touch_each_other(
    tools: Any, experiments: Any, alone: Any, serve: Any, workers: str
) -> None:
    """Step by step in turn, each on a connection of its own."""
    server = serve("--workers", workers)
    talks = [Talk(tools, experiments.short(*which), server.wire().exchange) for which in (LEFT, RIGHT)]
    in_turn(talks)
    assert [talk.replies for talk in talks] == [alone(*LEFT), alone(*RIGHT)]


def test_two_experiments_on_one_connection_don_t_touch_each_other(
    tools: Any, experiments: Any, alone: Any, serve: Any
) -> None:
    """Each request names its session."""
    server = serve("--workers", "1")
    wire = server.wire()
    talks = [Talk(tools, experiments.short(*which), wire.exchange) for which in (LEFT, RIGHT)]
    in_turn(talks)
    assert [talk.replies for talk in talks] == [alone(*LEFT), alone(*RIGHT)]


@pytest.mark.long
def test_four_experiments_at_once(tools: Any, experiments: Any, alone: Any, serve: Any) -> None:
    """From four threads, as fast as they can, over two workers."""
    server = serve("--workers", "2")
    which = [LEFT, RIGHT, LEFT, RIGHT]
    talks = [Talk(tools, experiments.short(*one), server.wire().exchange) for one in which]
    threads = [threading.Thread(target=talk.finish) for talk in talks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(tools.GUARD)
    assert [talk.replies for talk in talks] == [alone(*one) for one in which]


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "closed"])
def test_a_client_that_vanishes_during_a_computation_disturbs_nobody(
    tools: Any, experiments: Any, alone: Any, serve: Any, peers: Any, reset: bool
) -> None:
    """The other goes on as if alone; the lost session is taken up again, with the ask it did not hear."""
    server = serve("--workers", "1")
    other = Talk(tools, experiments.short(*RIGHT), server.wire().exchange)
    lost = Talk(tools, experiments.short(*LEFT), server.wire().exchange)
    expected = alone(*LEFT)
    while len(lost.replies) < 9:  # setup and four trials: the next ask is the model's
        assert lost.go_on()
        assert other.go_on()
    assert lost.step[0] == "ask"
    wire = server.wire()
    one = tools.request("ask", {}, id="unheard", session=lost.session)
    lost_wire = lost.exchange.__self__  # type: ignore[attr-defined]
    lost_wire.send(one, tools.request("ping", id="overtaking"))
    assert json.loads(lost_wire.line())["id"] == "overtaking"  # so the ask is being computed
    if reset:
        peers.Raw.reset(lost_wire)
    lost_wire.close()
    other.finish()
    assert other.replies == alone(*RIGHT)
    resumed = wire.call("resume", {"session": lost.session}, id="back")
    assert resumed["trials"]["told"] == 4
    reply = wire.exchange(one)
    assert reply["message"] == expected[9]
    again = wire.call("resume", {}, id="look")
    assert again["pending"] == expected[9]["trials"]
    lost.replies.append(reply["message"])
    lost.step, lost.exchange = lost.script.send(reply["message"]), wire.exchange
    lost.finish()
    assert lost.replies == expected


def test_others_are_served_while_a_model_computes(tools: Any, experiments: Any, serve: Any) -> None:
    """With the one worker busy, another session is set up, asks and tells; one half-closed still hears."""
    server = serve("--workers", "1")
    busy, other = server.wire(), server.wire()
    busy.call("setup", {"config": experiments.config("EAVC", 1, 99), "seed": 1})
    points = [{"frequency": 0.3 + i / 20, "level": 7.0 * (i % 20) - 20, "ear": "left"} for i in range(140)]
    busy.call("tell", {"trials": [{"config": p, "outcome": experiments.heard(p)} for p in points]})
    busy.call("ask")
    busy.send(tools.request("ask", {"n": 60}, id="long"), tools.request("ping", id="overtaking"))
    assert json.loads(busy.line())["id"] == "overtaking"
    busy.socket.shutdown(socket.SHUT_WR)
    assert other.call("hello")["auth"] == "none"
    other.call("setup", {"config": experiments.config(), "seed": 1})
    trial = other.call("ask")["trials"][0]
    assert other.call("tell", {"trial": trial["trial"], "outcome": 1})["modelled"] == 1
    other.call("ping")
    assert not select.select([busy.socket], [], [], 0)[0], "the long computation was over before"
    reply = json.loads(busy.line())
    assert reply["id"] == "long"
    assert len(reply["message"]["trials"]) == 60
    assert busy.line() == b""


def test_a_session_is_one_connection_s(tools: Any, experiments: Any, serve: Any) -> None:
    """A second client is refused, may look on, and gets the session when the first has left."""
    server = serve("--workers", "0")
    first, second = server.wire(), server.wire()
    session = str(uuid.uuid4())
    setup = {"config": experiments.config(), "seed": 1}
    first.call("setup", setup, session=session)
    busy = second.exchange(tools.request("ask", {}, session=session))
    assert busy["error"]["code"] == "session_busy"
    assert second.exchange(tools.request("resume", {"session": session}))["error"]["code"] == "session_busy"
    second.call("resume", {"session": session, "observe": True})
    assert second.call("info")["trials"]["asked"] == 0
    assert second.exchange(tools.request("ask"))["error"]["code"] == "unauthorized"
    first.send(tools.request("ping", id="p"))
    assert json.loads(first.line())["id"] == "p"
    first.close()
    reply = second.exchange(tools.request("resume", {"session": session}))
    while not reply["ok"]:  # the server hears of the end of the first in its own time
        assert reply["error"]["code"] == "session_busy"
        reply = second.exchange(tools.request("resume", {"session": session}))
    assert len(second.call("ask")["trials"]) == 1


def test_the_python_client_survives_a_killed_server(
    tools: Any, experiments: Any, alone: Any, serve: Any
) -> None:
    """An experiment's loop goes on without noticing; its asks are those of an undisturbed session."""
    from fechner_client import Client

    port = tools.free_port()
    server = serve("--workers", "1", port=port)
    asked = []
    with Client(port=port, retry_for=tools.GUARD) as client:
        client.setup(experiments.config("EAVC", 4, 4), seed=5)
        for trial in client.trials():
            asked.append([{"trial": trial.number, "config": dict(trial.config)}])
            if trial.number in (2, 6):
                server.kill()
                server = serve("--workers", "1", port=port)
            trial.tell(experiments.heard(trial.config))
    assert asked == experiments.asks(alone("EAVC", 5))


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_server_killed_again_and_again_at_any_moment_loses_nothing(
    tools: Any, experiments: Any, alone: Any, serve: Any, seed: int
) -> None:
    """Ten kills at arbitrary moments: the same asks, each trial told once, no worker left."""
    from fechner_client import Client

    draw, port = random.Random(seed), tools.free_port()
    servers = [serve("--workers", "1", port=port)]
    done = threading.Event()
    workers: set[int] = set()

    def kill() -> None:
        for _ in range(10):
            if done.wait(draw.uniform(0.0, 0.7)):  # a fault at any moment, not a wait for something
                return
            workers.update(tools.children(servers[-1].pid))
            servers[-1].kill()
            servers.append(serve("--workers", "1", port=port))

    killer = threading.Thread(target=kill)
    asked = []
    with Client(port=port, retry_for=tools.GUARD) as client:
        client.setup(experiments.config("EAVC", 4, 4), seed=5)
        killer.start()
        for trial in client.trials():
            asked.append([{"trial": trial.number, "config": dict(trial.config)}])
            trial.tell(experiments.heard(trial.config))
            while trial.number < 8 and len(servers) <= trial.number:  # let the kills spread
                client.request("info")
        done.set()
        killer.join()
        assert client.request("info")["trials"] == {"asked": 8, "told": 8, "pending": 0, "skipped": 0}
    assert asked == experiments.asks(alone("EAVC", 5))
    assert all(tools.ended(worker, 10) for worker in workers)
