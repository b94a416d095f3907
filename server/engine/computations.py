"""What workers say: a computation has its result, or that of a lower tier, or it has failed."""

from __future__ import annotations

from fechner.server.engine.ahead import count_computation, keep_result
from fechner.server.engine.events import Computed, ComputeFailed, Emitted
from fechner.server.engine.lanes import Lane, higher
from fechner.server.engine.state import Awaits, EngineState
from fechner.server.engine.work import fail, use_result


def take_result(engine: EngineState, event: Computed) -> None:
    """A computation's result becomes the step's answer."""
    lane = engine.take_lane(event.task, Awaits.COMPUTATION)
    if lane is None:
        keep_result(engine, event)
        return
    job = lane.job
    count_computation(engine, event, _function(lane), job.source)
    if job.source == "request":
        job.compute_ms += event.compute_ms
    use_result(engine, lane, event.result)


def take_tier(engine: EngineState, event: Emitted) -> None:
    """A computation has come so far: that answers if its deadline comes next."""
    one = engine.waiting.get(event.task)
    if one is not None and one.kind is Awaits.COMPUTATION:
        assert isinstance(one.who, Lane)
        one.who.emitted = higher(one.who.emitted, event.result)
    else:
        keep_result(engine, event)


def take_failure(engine: EngineState, event: ComputeFailed) -> None:
    """A computation raised: that answers the step."""
    lane = engine.take_lane(event.task, Awaits.COMPUTATION)
    if lane is None:
        keep_result(engine, event)
        return
    engine.counters.count_failure(_function(lane))
    internal = event.error.code == "internal"
    fail(engine, lane, engine.incident(event.fault, lane) if internal else event.error)


def _function(lane: Lane) -> str:
    return lane.computation.function if lane.computation else "propose"
