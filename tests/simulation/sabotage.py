"""An engine that is broken on purpose, one way at a time: the simulator has to notice each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from fechner.server.engine import commits, computations, engine, reattachment, work
from fechner.server.engine.effects import Commit, Effect, Wake
from fechner.server.engine.engine import Engine
from fechner.server.engine.events import CommitFailed, Committed, Computed, Event, Now
from fechner.server.engine.lanes import Connection, Lane
from fechner.server.engine.principals import Principal, Tokens
from fechner.server.engine.state import EngineState
from fechner.server.protocol.framing import Splitter
from fechner.server.session.session import Session

from . import stand_in
from .workers import SimulatedPool

Patch = Any


def reply_before_commit() -> Patch:
    """Acknowledged is what may yet be lost."""
    handle = Engine.handle

    def hasty(self: Engine, event: Event, now: Now) -> list[Effect]:
        effects = list(handle(self, event, now))
        for i, effect in enumerate(effects):
            if isinstance(effect, Commit) and effect.token is not None:
                effects[i] = Commit(None, effect.entries)
                effects += hasty(self, Committed(effect.token), now)
        return effects

    return patch.object(Engine, "handle", hasty)


def adopt_before_commit() -> Patch:
    """A commit that fails has changed the session all the same."""
    report = commits.report_failure

    def adopting(state: EngineState, event: CommitFailed) -> None:
        one = state.waiting.get(event.token or 0)
        if one is not None and isinstance(one.who, Lane) and one.who.job.pending is not None:
            lane, (_, _, answer) = one.who, one.who.job.pending
            if answer.change is not None:
                lane.session.apply(answer.change)
        report(state, event)

    return patch.dict(engine.TRANSITIONS, {CommitFailed: adopting})


def forget_ids() -> Patch:
    """A request sent again counts again."""

    class Forgetful(set[str]):
        def __contains__(self, item: object) -> bool:
            return False

    init = Lane.__init__

    def forgetting(self: Lane, *arguments: Any, **more: Any) -> None:
        init(self, *arguments, **more)
        object.__setattr__(self, "ids", Forgetful())

    def loaded(self: Lane, name: str, value: Any) -> None:
        object.__setattr__(self, name, Forgetful() if name == "ids" else value)

    return patch.multiple(Lane, __init__=forgetting, __setattr__=loaded)


def forget_alarms() -> Patch:
    """A deadline that is over is kept for ever."""
    return patch.object(work, "silence", lambda engine, lane: None)


def start_anew_after_load() -> Patch:
    """A session is not read back: it begins again from nothing."""

    def empty(session: str, changes: Any) -> Session:
        for _ in changes:
            break
        return Session(session)

    return patch("fechner.server.session.replay.fold", empty)


def lose_a_dead_workers_task() -> Patch:
    """Nobody computes again what a worker died of."""
    settle = SimulatedPool._settle

    def losing(self: SimulatedPool, worker: Any, task: Any, result: Any) -> None:
        if result is None:
            self._abandoned.add(task.task)
        settle(self, worker, task, result)

    return patch.object(SimulatedPool, "_settle", losing)


def answer_by_whatever_was_foreseen() -> Patch:
    """An ask gets what was computed ahead for another state."""
    return patch("fechner.server.engine.foresight.digest", lambda arguments: b"any")


def drop_a_cut_request() -> Patch:
    """A request whose bytes came in two pieces is lost."""
    feed = Splitter.feed

    def dropping(self: Splitter, data: bytes) -> list[bytes]:
        begun = self.begun
        values = feed(self, data)
        return values[1:] if begun else values

    return patch.object(Splitter, "feed", dropping)


def newest_first() -> Patch:
    """Requests that wait for a session's turn are taken in the wrong order."""

    class Stack(deque[Any]):
        def popleft(self) -> Any:
            return self.pop()

    init = Lane.__init__

    def stacking(self: Lane, *arguments: Any, **more: Any) -> None:
        init(self, *arguments, **more)
        self.queue = Stack()

    return patch.object(Lane, "__init__", stacking)


def anybody_goes_on() -> Patch:
    """Whoever names no session goes on with any that was left behind."""
    both = ExitStack()
    both.enter_context(patch.object(Connection, "host", "everywhere"))
    both.enter_context(patch.object(reattachment, "_forbids", lambda *arguments: ""))
    return both


def everybody_is_an_administrator() -> Patch:
    """A session answers any token."""
    principal = Tokens.principal

    def mighty(self: Tokens, token: str) -> Principal | None:
        found = principal(self, token)
        return None if found is None else replace(found, sees_all=True)

    return patch.object(Tokens, "principal", mighty)


def depend_on_the_clock() -> Patch:
    """An ask is not a pure function of the state."""
    calls = iter(range(10**9))
    propose = stand_in._proposed

    def impure(*arguments: Any) -> dict[str, Any]:
        found = propose(*arguments)
        if "post_mean" in found:
            found["post_sd"] = [0.1 + 0.001 * (next(calls) % 7)] * len(found["points"])
        return found

    return patch.object(stand_in, "_proposed", impure)


def a_computation_never_ends() -> Patch:
    """What a worker computed is thrown away sometimes."""
    take = computations.take_result

    def losing(state: EngineState, event: Computed) -> None:
        if event.task % 5:
            take(state, event)

    return patch.dict(engine.TRANSITIONS, {Computed: losing})


def no_deadlines() -> Patch:
    """Nobody is woken."""
    handle = Engine.handle

    def deaf(self: Engine, event: Event, now: Now) -> list[Effect]:
        return [effect for effect in handle(self, event, now) if not isinstance(effect, Wake)]

    return patch.object(Engine, "handle", deaf)


WAYS: dict[str, Callable[[], Patch]] = {
    way.__name__: way
    for way in (
        reply_before_commit,
        adopt_before_commit,
        forget_ids,
        forget_alarms,
        start_anew_after_load,
        lose_a_dead_workers_task,
        answer_by_whatever_was_foreseen,
        drop_a_cut_request,
        newest_first,
        anybody_goes_on,
        everybody_is_an_administrator,
        depend_on_the_clock,
        a_computation_never_ends,
        no_deadlines,
    )
}


@contextmanager
def broken(way: str) -> Iterator[None]:
    """The engine is broken in one way while this lasts."""
    with WAYS[way]():
        yield
