"""status: the server at a glance, for whoever runs it. It belongs to no session and changes nothing."""

from __future__ import annotations

from heapq import nlargest
from typing import Any

from fechner.server.engine.access import visible_sessions
from fechner.server.engine.lanes import Connection, Lane
from fechner.server.engine.state import EngineState
from fechner.server.observing.logs import PREFIX

#: Lines of sessions in one reply: a few milliseconds in which nobody else is answered.
MOST_LINES = 200

#: Of a server that computes in its own thread.
_NO_WORKERS: dict[str, Any] = {
    "workers": {"n": 0, "busy": 0, "deaths": 0},
    "computations": {"running": {}, "waiting": {}},
}


def status(engine: EngineState, connection: Connection) -> dict[str, Any]:
    """status's reply: counts for everybody, a line for each session that the sender may see."""
    lanes, allowed = in_progress(engine), visible_sessions(engine, connection)
    visible = [lane for lane in lanes if lane.session.id in allowed]
    shown = visible if len(visible) <= MOST_LINES else nlargest(MOST_LINES, visible, key=_last_heard)
    uptime = max(0.0, engine.now.seconds - engine.begun)
    return {
        "server": engine.server,
        "record": engine.record,
        "read_only": engine.options.read_only,
        "time": engine.now.time.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "uptime_s": round(uptime, 3),
        "connections": {"open": len(engine.connections), "limit": engine.limits.connections},
        "n_sessions": len(lanes),
        "n_visible": len(visible),
        "sessions": [_line(engine, lane) for lane in shown],
        **_NO_WORKERS,
        **engine.machine(),
        "counters": engine.counters.totals(),
    }


def _last_heard(lane: Lane) -> float:
    """When a session's holder said something."""
    return -float("inf") if lane.owner is None else lane.owner.last_heard


def in_progress(engine: EngineState) -> list[Lane]:
    """The lanes of sessions that somebody holds or waits for, in the order in which they came."""
    return [lane for lane in engine.lanes.values() if lane.session.strategies]


def _line(engine: EngineState, lane: Lane) -> dict[str, Any]:
    session, owner = lane.session, lane.owner
    dialect = None if owner is None or owner.dialect is None else owner.dialect.name
    return {
        "session": session.id[:PREFIX],
        "name": session.strategy.name or None,
        "participant": session.strategy.participant or None,
        "connection": None if owner is None else owner.peer,
        "dialect": dialect,
        "strategy": session.current,
        "stage": session.state.current.name,
        "trials": session.counts(),
        "ended": session.ended,
        "waiting": len(lane.queue) + (lane.running is not None),
        "computing": lane.computation is not None,
        "heard_s": None if owner is None else round(max(0.0, engine.now.seconds - owner.last_heard), 3),
    }
