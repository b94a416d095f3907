"""What was begun before anybody asked for it (foresight.py): its results are kept, or it is given up."""

from __future__ import annotations

from fechner.server.engine.effects import Abandon
from fechner.server.engine.events import Computed, ComputeFailed, Emitted
from fechner.server.engine.lanes import Ahead, Lane, higher
from fechner.server.engine.state import Awaits, EngineState


def count_computation(engine: EngineState, event: Computed, function: str, source: str) -> None:
    """Count a computation that has its result."""
    tier = event.result.get("tier") if function == "propose" and isinstance(event.result, dict) else None
    engine.counters.count_computation(function, tier or "none", source, event.compute_ms / 1e3)


def keep_result(engine: EngineState, event: Computed | ComputeFailed | Emitted) -> None:
    """A result that no request waits for: keep it; a failure is for the real request to meet.

    Of a computation that was given up nothing is kept.
    """
    one = engine.waiting.get(event.task)
    if one is None or one.kind is not Awaits.AHEAD:
        return
    if not isinstance(event, Emitted):
        del engine.waiting[event.task]
    assert isinstance(one.who, Lane)
    ahead = one.who.ahead.get(one.digest)
    if ahead is None:
        return
    if isinstance(event, Emitted):
        ahead.emitted = higher(ahead.emitted, event.result)
    elif isinstance(event, Computed):
        ahead.result = event
        count_computation(engine, event, "propose", ahead.source)
    else:
        del one.who.ahead[one.digest]


def give_up(engine: EngineState, ahead: Ahead) -> None:
    """Nobody will ask for this."""
    if engine.take(ahead.task, Awaits.AHEAD):
        engine.emit(Abandon(ahead.task))


def give_up_all(engine: EngineState, lane: Lane) -> None:
    """Give up all that is computed ahead for a session."""
    lane.considered = None
    while lane.ahead:
        give_up(engine, lane.ahead.popitem()[1])
