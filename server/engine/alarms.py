"""Alarms: when a computation's deadline comes, and when a wrong token is answered."""

from __future__ import annotations

from fechner.server.engine.effects import Silence, Wake
from fechner.server.engine.lanes import Connection, Lane
from fechner.server.engine.principals import PENALTY_SECONDS
from fechner.server.engine.state import Awaits, EngineState

#: Of a deadline, kept for the commit.
COMMIT_MS = 4.0


def set_deadline(engine: EngineState, lane: Lane) -> float | None:
    """Have the engine woken at the deadline of what is computed, if it has one: when."""
    deadline_ms = lane.computation.deadline_ms if lane.computation is not None else None
    if deadline_ms is None or lane.running is None:
        return None
    margin = min(COMMIT_MS, deadline_ms / 4)
    due = lane.running.received.seconds + (deadline_ms - margin) / 1e3
    lane.alarm = engine.wait(Awaits.DEADLINE, lane)
    engine.emit(Wake(lane.alarm, due))
    return due


def silence(engine: EngineState, lane: Lane) -> None:
    """No deadline any more."""
    if lane.alarm is not None and engine.take(lane.alarm, Awaits.DEADLINE):
        engine.emit(Silence(lane.alarm))
    lane.alarm = lane.emitted = None


def set_penalty(engine: EngineState, connection: Connection) -> None:
    """Have the engine woken when a wrong token of this connection has waited long enough."""
    token = engine.wait(Awaits.PENALTY, connection)
    engine.emit(Wake(token, engine.now.seconds + PENALTY_SECONDS))


def lift_penalty(engine: EngineState, connection: Connection) -> bool:
    """A wrong token need wait no longer; whether one did."""
    if connection.barrier is None:
        return False
    tokens = engine.tokens(connection, Awaits.PENALTY)
    for token in tokens:
        del engine.waiting[token]
        engine.emit(Silence(token))
    return bool(tokens)
