"""Deadlines: the tiers of a computation as they come, and the time at which the best of them answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fechner.server.engine.effects import Abandon
from fechner.server.engine.events import Emitted, Woken
from fechner.server.engine.routing import penalty_over
from fechner.server.engine.work import attempt, came_ahead, resulted, running

if TYPE_CHECKING:
    from fechner.server.engine.engine import Engine


def woken(engine: Engine, event: Woken) -> None:
    """A deadline: the best tier that there is becomes the answer. Or a wrong token has waited long enough."""
    if penalty_over(engine, event.token):
        return
    lane = engine.alarms.pop(event.token, None)
    if lane is None or lane.computation is None:
        return
    for task in [number for number, other in engine.tasks.items() if other is lane]:
        del engine.tasks[task]
        engine.emit(Abandon(task))
    job = running(lane)
    job.compute_ms += (engine.now.seconds - (job.started or job.received.seconds)) * 1e3
    if lane.emitted is None:
        job.source = "request"  # what was computed ahead has nothing to show
    computation, best = lane.computation, lane.emitted
    attempt(engine, lane, lambda: computation.fallback() if best is None else best, resulted)


def emitted(engine: Engine, event: Emitted) -> None:
    """A computation has come so far."""
    lane = engine.tasks.get(event.task)
    if lane is None:
        came_ahead(engine, event)
    else:
        lane.emitted = higher(lane.emitted, event.result)


def higher(before: dict[str, Any] | None, now: dict[str, Any]) -> dict[str, Any]:
    """The result of the higher tier: a computation that is begun again passes the lower ones anew."""
    from fechner.strategies.tiers import rank  # numpy, by way of its package: not before the first session

    return now if before is None or rank(now["tier"]) >= rank(before["tier"]) else before
