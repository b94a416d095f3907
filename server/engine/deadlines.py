"""Deadlines: the time at which the best tier that there is answers."""

from __future__ import annotations

from fechner.server.engine.effects import Abandon
from fechner.server.engine.lanes import Lane
from fechner.server.engine.state import Awaits, EngineState
from fechner.server.engine.work import attempt, use_result


def meet_deadline(engine: EngineState, lane: Lane) -> None:
    """The best tier that there is becomes the answer."""
    if lane.computation is None:
        return
    for task in engine.tokens(lane, Awaits.COMPUTATION):
        del engine.waiting[task]
        engine.emit(Abandon(task))
    job = lane.job
    job.compute_ms += (engine.now.seconds - (job.started or job.received.seconds)) * 1e3
    if lane.emitted is None:
        job.source = "request"  # what was computed ahead has nothing to show
    computation, best = lane.computation, lane.emitted
    attempt(engine, lane, lambda: computation.fallback() if best is None else best, use_result)
