"""Asks computed before they come: used if and only if they are what would be computed, else given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fechner.server.engine.effects import Compute
from fechner.server.engine.events import ComputeFailed
from fechner.server.protocol.errors import FechnerError
from fechner.server.session.handlers.results import Priority
from fechner.strategies.config import check
from fechner.strategies.core import state as core
from fechner.strategies.core.digest import digest
from fechner.strategies.core.dumps import dump, load

from ..rig import Peer, Rig

AHEAD: dict[str, Any] = {"eager": True, "speculate": True}


@pytest.fixture
def begun(new_rig: type[Rig], with_model: str) -> Callable[..., Peer]:
    """Makes a peer whose next ask would compute: one trial told, nothing computed since."""

    def begun(**options: Any) -> Peer:
        rig = new_rig(**{**AHEAD, **options})
        peer = rig.setup(with_model.replace("max_asks = 1000", "run_indefinitely = True"))
        peer.ok("ask")
        peer.send("tell", {"trial": 1, "outcome": 1})
        rig.store_all()
        return peer

    return begun


def tasks(peer: Peer) -> list[tuple[str, Priority]]:
    return [(task.function, task.priority) for task in peer.rig.tasks]


def replies(peer: Peer, *steps: tuple[str, Any]) -> list[Any]:
    """The messages of some requests' replies, and where asks came from."""
    out = []
    for type_, message in steps:
        reply = peer.request(type_, message)
        assert reply["ok"], reply
        out.append((reply["message"], reply["timing"]["from"]))
    return out


def test_after_a_tell_the_next_ask_is_computed_and_used(begun: Callable[..., Peer]) -> None:
    """The ask finds its answer: no computation of its own, the same points as without looking ahead."""
    peer, plain = begun(speculate=False), begun(eager=False, speculate=False)
    assert tasks(peer) == [("propose", Priority.EAGER)]
    assert tasks(plain) == []
    peer.rig.work()
    (message, source) = replies(peer, ("ask", {}))[0]
    (wanted, plainly) = replies(plain, ("ask", {}))[0]
    assert (source, plainly) == ("eager", "request")
    assert message == wanted
    assert peer.last["timing"]["compute_ms"] == 0


def test_an_ask_that_comes_meanwhile_waits_for_the_computation_in_work(begun: Callable[..., Peer]) -> None:
    """It is not computed twice, and others' asks don't go before it any more."""
    peer = begun(speculate=False)
    (task,) = peer.rig.tasks
    peer.send("ask", {})
    assert [(p.task, p.priority) for p in peer.rig.promoted] == [(task.task, Priority.REAL)]
    assert list(peer.rig.tasks) == [task]
    peer.rig.settle()
    assert peer.last["timing"]["from"] == "eager"
    assert peer.rig.abandoned == []


def test_while_a_trial_is_pending_every_outcome_is_foreseen(begun: Callable[..., Peer]) -> None:
    """Both asks are computed; the one of the outcome told is used, the other given up."""
    peer = begun(eager=False)
    peer.ok("ask", {})
    assert peer.rig.tasks == type(peer.rig.tasks)()
    (trial,) = peer.last["message"]["trials"]
    peer.ok("tell", {"trial": trial["trial"], "outcome": 0})
    plain = begun(eager=False, speculate=False)
    plain.ok("ask", {})
    plain.ok("tell", {"trial": trial["trial"], "outcome": 0})
    ((message, source),) = replies(peer, ("ask", {}))
    assert source == "speculative"
    assert message == replies(plain, ("ask", {}))[0][0]


@pytest.mark.parametrize(("speculate", "asks"), [("True", 2), ("False", 0)])
def test_a_stage_may_do_without(new_rig: type[Rig], with_model: str, speculate: str, asks: int) -> None:
    """`speculate = False` in a stage: nothing is computed while its outcomes are awaited."""
    rig = new_rig(speculate=True)
    stage = f"run_indefinitely = True\nspeculate = {speculate}"
    peer = rig.setup(with_model.replace("max_asks = 1000", stage))
    peer.ok("ask")
    peer.ok("tell", {"trial": 1, "outcome": 1})
    peer.ok("ask")
    (lane,) = rig.engine.state.lanes.values()
    assert len(lane.ahead) == asks


def test_what_another_outcome_would_need_is_given_up(begun: Callable[..., Peer]) -> None:
    """As soon as the outcome is told; what is needed goes on as the eager ask of the session."""
    peer = begun()
    peer.send("ask", {})
    peer.rig.store_all()
    first, second = peer.rig.tasks
    assert (first.priority, second.priority) == (Priority.SPECULATIVE, Priority.SPECULATIVE)
    peer.send("tell", {"trial": 2, "outcome": 1})
    peer.rig.store_all()
    assert peer.rig.abandoned == [first.task]
    assert list(peer.rig.tasks) == [second]
    assert (peer.rig.promoted[-1].task, peer.rig.promoted[-1].priority) == (second.task, Priority.EAGER)


@pytest.mark.parametrize("message", [{"n": 2}, {"fixed": {"p": 0.25}}])
def test_another_ask_than_foreseen_is_computed_for_itself(
    begun: Callable[..., Peer], message: dict[str, Any]
) -> None:
    """Other arguments, another answer; what was foreseen is given up. Next time they are foreseen."""
    peer = begun(speculate=False)
    (task,) = peer.rig.tasks
    ((_, source),) = replies(peer, ("ask", message))
    assert source == "request"
    assert peer.rig.abandoned == [task.task]
    for trial in [t["trial"] for t in peer.last["message"]["trials"]]:
        peer.ok("tell", {"trial": trial, "outcome": 1})
    ((_, source),) = replies(peer, ("ask", message))
    assert source == "eager"


def test_nothing_is_foreseen_while_a_request_waits(begun: Callable[..., Peer]) -> None:
    """An ask sent right behind its tell is computed as it is; so is an update's."""
    peer = begun(eager=False, speculate=False)
    state = peer.rig.engine.state
    state.options = replace(state.options, eager=True)
    peer.ok("ask", {})
    peer.send("tell", {"trial": 2, "outcome": 1})
    peer.send("ask", {})
    peer.rig.store_all()
    assert tasks(peer) == [("propose", Priority.REAL)]
    peer.rig.settle()
    assert peer.last["timing"]["from"] == "request"
    peer.send("update", {"tell": {"trial": 3, "outcome": 0}, "ask": {}})
    peer.rig.store_all()
    assert tasks(peer) == [("propose", Priority.REAL)]


@pytest.mark.parametrize("change", [("correct", {"trial": 1, "outcome": 0}), ("finish_strategy", {})])
def test_a_change_before_the_ask_makes_another_answer(
    begun: Callable[..., Peer], change: tuple[str, Any]
) -> None:
    """What was foreseen for the state before is given up, and the ask is foreseen anew."""
    peer = begun(speculate=False)
    (task,) = peer.rig.tasks
    peer.rig.work()
    peer.send(*change)
    peer.rig.store_all()
    assert [t.task for t in peer.rig.tasks] != [task.task]
    plain = begun(eager=False, speculate=False)
    plain.ok(*change)
    assert replies(peer, ("ask", {}))[0][0] == replies(plain, ("ask", {}))[0][0]


def test_a_failure_ahead_is_met_by_the_request_itself(begun: Callable[..., Peer]) -> None:
    """Nobody hears of it before; the ask is computed again."""
    peer = begun(speculate=False)
    task = peer.rig.tasks.popleft()
    peer.rig.event(ComputeFailed(task.task, FechnerError("internal", "a computation failed")))
    assert len(peer.raw) == 3
    ((_, source),) = replies(peer, ("ask", {}))
    assert source == "request"


@pytest.mark.parametrize("end", ["vanish", "exit", "stop"])
def test_who_leaves_is_computed_for_no_more(begun: Callable[..., Peer], end: str) -> None:
    """After the connection, the session or the server ends, what runs is abandoned and comes to nobody."""
    peer = begun(speculate=False)
    (task,) = peer.rig.tasks
    if end == "vanish":
        peer.vanish()
    elif end == "exit":
        peer.send("exit")
        peer.rig.store_all()
    else:
        peer.rig.stop()
    assert peer.rig.abandoned == [task.task]
    peer.rig.event(peer.rig.compute(task))  # it was ready in the same moment
    assert not peer.rig.engine.state.waiting


def test_a_finished_strategy_is_not_asked_ahead(new_rig: type[Rig], with_model: str) -> None:
    """Where the next ask hands nothing out, nothing is computed, unless the last one went beyond."""
    rig = new_rig(eager=True)
    peer = rig.setup(with_model.replace("max_asks = 1000", "max_asks = 1"))
    peer.ok("ask")
    peer.ok("tell", {"trial": 1, "outcome": 1})
    peer.ok("ask")
    peer.send("tell", {"trial": 2, "outcome": 0})
    rig.store_all()
    assert tasks(peer) == []
    peer.ok("ask", {"beyond": True})
    peer.send("tell", {"trial": 3, "outcome": 0})
    rig.store_all()
    assert tasks(peer) == [("propose", Priority.EAGER)]


def test_a_reader_computes_nothing_ahead(begun: Callable[..., Peer]) -> None:
    """Read-only servers hand nothing out."""
    peer = begun(eager=False, speculate=False)
    other = type(peer.rig)(disk=peer.rig.disk, read_only=True, **AHEAD)
    reader = other.connect()
    reader.ok("resume", {"session": "last", "observe": True})
    assert tasks(reader) == []


def test_digests_tell_states_apart(with_model: str) -> None:
    """Equal states have equal digests, however they came about; any difference shows."""
    first = core.initial(check(with_model), 3)
    x, y = [[[0.25]], [[0.5]]], [[1.0], [0.0]]
    import numpy as np

    at_once = core.tell(first, np.array(x), np.array(y))
    in_turn = core.tell(core.tell(first, np.array(x[:1]), np.array(y[:1])), np.array(x[1:]), np.array(y[1:]))
    assert digest((in_turn, 1, {})) == digest((load(dump(in_turn)), 1, {}))
    different = [
        (first, 1, {}),
        (at_once, 1, {}),
        (in_turn, 1, {}),
        (in_turn, 2, {}),
        (in_turn, 1, {"p": 0.5}),
        (core.initial(check(with_model), 4), 1, {}),
        (core.tell(first, np.array(x), np.array(y[::-1])), 1, {}),
    ]
    assert len({digest(arguments) for arguments in different}) == len(different)


def test_a_request_for_real_stops_what_nobody_waits_for(with_model: str) -> None:
    """One worker busy with a speculative ask answers a real one first; the other comes after all."""
    import queue

    import numpy as np

    from fechner.server.shell.pool import Pool
    from fechner.strategies.core.strategy import finish

    posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    results: list[Any] = []
    x = np.linspace(0, 1, 12)
    slow = with_model.replace("acqf =", "samps = 100000\nrestarts = 1000\nacqf =")
    state = core.tell(core.initial(check(slow), 3), x.reshape(-1, 1, 1), (x > 0.4).astype(float)[:, None])
    pool = Pool(1, posted.put, results.append)
    try:
        pool.submit(Compute(1, Priority.SPECULATIVE, "propose", (finish(state), 200, {})))
        pool.submit(Compute(2, Priority.REAL, "propose", (core.initial(check(with_model), 1), 1, {})))
        while not results:
            posted.get(timeout=60)()
        assert [result.task for result in results] == [2]
        pool.promote(1, Priority.REAL)
        assert pool._workers[0].task is not None
        assert pool._workers[0].task.task == 1
    finally:
        pool.close()
