"""Asks computed before they come: while the participant responds, or while the next request is on its way.

*Eager*: when a tell (skip, correction …) is on record and the session's next ask would compute with a model,
it is computed for the newest state, at most one a session, with the last ask's arguments. *Speculative*:
when exactly one trial is pending and its outcome has few values, the next ask is computed for each of them.

An answer computed ahead is kept under the digest of state and arguments, and used if and only if the digests
are equal. Functions of the core are pure, so it is the answer that the request would have been given, to the
last bit.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from fechner.server.engine.ahead import give_up, give_up_all
from fechner.server.engine.effects import Compute, Promote
from fechner.server.engine.lanes import Ahead, Lane
from fechner.server.engine.state import Awaited, Awaits, EngineState
from fechner.server.protocol.kinds import kind_of
from fechner.server.session.handlers.results import Computation, Priority
from fechner.strategies.core import state as core
from fechner.strategies.core import stopping
from fechner.strategies.core.digest import digest
from fechner.strategies.core.sequential import advance
from fechner.strategies.core.state import State
from fechner.strategies.core.strategy import needs_model

#: Combinations of outcomes up to which the next ask is computed for each.
FEW = 5


def plan(engine: EngineState, lane: Lane) -> None:
    """Begin what the session will be asked next, and give up what it won't be."""
    if engine.stopping or lane.loading or not lane.session.strategies:
        return
    if lane.running is not None or lane.queue or lane.session.state is lane.considered:
        return
    lane.considered = lane.session.state
    wanted = {} if lane.owner is None or lane.session.ended else _wanted(engine, lane)
    for key in [key for key in lane.ahead if key not in wanted]:
        give_up(engine, lane.ahead.pop(key))
    for key, (source, priority, arguments) in wanted.items():
        known = lane.ahead.get(key)
        if known is None:
            task = engine.wait(Awaits.AHEAD, lane, key)
            tiers = lane.repeats[3] or advance(arguments[0]).current.deadline_ms is not None
            lane.ahead[key] = Ahead(source, task, tiers)
            engine.emit(Compute(task, priority, "propose", arguments, tiers))
        elif known.result is None:
            engine.emit(Promote(known.task, priority))


def take(engine: EngineState, lane: Lane, computation: Computation) -> Ahead | None:
    """What a real request is spared: it has its result, or is being computed; None: nothing.

    Everything else computed ahead for this session is given up: its state will be another one.
    """
    if computation.function != "propose" or computation.priority != Priority.REAL:
        return None
    found = lane.ahead.pop(digest(computation.arguments), None)
    give_up_all(engine, lane)
    if found is None or lane.running is None:
        return None
    if found.result is None and computation.deadline_ms is not None and not found.tiers:
        give_up(engine, found)  # it would have nothing to show at the deadline
        return None
    lane.running.source = found.source
    if found.result is None:
        del engine.waiting[found.task]
        engine.waiting[found.task] = Awaited(Awaits.COMPUTATION, lane)
        lane.emitted = found.emitted
        engine.emit(Promote(found.task, Priority.REAL))
    return found


def _wanted(engine: EngineState, lane: Lane) -> dict[bytes, tuple[str, Priority, tuple[Any, ...]]]:
    """What to have at hand, by digest."""
    options, session, (n, fixed, beyond, _) = engine.options, lane.session, lane.repeats
    dialect = None if lane.owner is None else lane.owner.dialect
    goes_on = beyond or (dialect is not None and dialect.traits.asks_go_on)
    if kind_of(lane.last_type).before_ask or not session.pending:
        if not (options.eager or lane.ahead) or not _costs(session.state, goes_on):
            return {}
        arguments = (session.state, n, fixed)
        key = digest(arguments)
        return {key: ("eager", Priority.EAGER, arguments)} if options.eager or key in lane.ahead else {}
    if not (options.speculate and session.state.current.speculate) or len(session.pending) != 1:
        return {}
    (trial,) = session.pending.values()
    if trial.unit is None or trial.strategy != session.current:
        return {}
    found: dict[bytes, tuple[str, Priority, tuple[Any, ...]]] = {}
    for outcome in _few(session.state):
        row = np.array([outcome], dtype=np.float64)
        state = core.tell(session.state, trial.unit[None], row, [trial.unit])
        if _costs(state, goes_on):
            arguments = (state, n, fixed)
            found[digest(arguments)] = ("speculative", Priority.SPECULATIVE, arguments)
    return found


def _costs(state: State, goes_on: bool) -> bool:
    """Whether the next ask of a state computes with a model."""
    return needs_model(state) and (goes_on or not stopping.finished(advance(state)))


def _few(state: State) -> list[tuple[int, ...]]:
    """The outcomes that a trial may have, where they are few."""
    levels = [2 if o.type == "binary" else (o.n_levels or 0) for o in state.specification.outcomes]
    if 0 in levels or int(np.prod(levels)) > FEW:
        return []
    return list(product(*(range(count) for count in levels)))
