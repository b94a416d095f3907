"""Connections come, break, end and are lost."""

from __future__ import annotations

from fechner.server.engine.alarms import lift_penalty
from fechner.server.engine.authentication import longest_stranger
from fechner.server.engine.events import Connected, Ended, Gone, Unreadable
from fechner.server.engine.lanes import Connection
from fechner.server.engine.ownership import close, close_if_done
from fechner.server.engine.phases import Phase
from fechner.server.engine.routing import queue
from fechner.server.engine.state import EngineState
from fechner.server.observing.logs import Log
from fechner.server.protocol.dialects import DIALECTS, Request
from fechner.server.protocol.dialects.base import undecided_error
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.limits import exceeded


def connect(engine: EngineState, event: Connected) -> None:
    """A peer is there; where there is no room for it, somebody is turned out."""
    dialect = DIALECTS.get(engine.options.dialect)  # else its first request decides
    connection = Connection(event.connection, event.stream, event.peer, engine.now.seconds, dialect)
    engine.connections[event.connection] = connection
    engine.counters.connections += 1
    engine.emit(Log("info", f"connection opened by {event.peer}", event.connection))
    most, everybody = engine.limits.connections, engine.connections
    if len(everybody) > most and sum(not one.closing for one in everybody.values()) > most:
        text = f"the server has its {most} connections"
        error = exceeded("connections", text, hint="close some, or try again later")
        one = longest_stranger(engine, connection)
        _turn_out(engine, one or connection, error, at_once=one is not None)


def _turn_out(engine: EngineState, connection: Connection, error: FechnerError, at_once: bool) -> None:
    if lift_penalty(engine, connection):
        connection.barrier = None
        connection.waiting.clear()
    engine.send(connection, None, undecided_error(error))
    close(engine, connection, at_once)


def refuse_input(engine: EngineState, event: Unreadable) -> None:
    """What came is no request: say so; a stream is of no use after that."""
    connection = engine.connections.get(event.connection)
    if connection is None or not connection.phase.hears:
        return
    if connection.stream:
        connection.enter(Phase.DEAF)
    request = Request(raw=None, type="", fault=event.error)
    queue(engine, connection, request, closes=connection.stream)


def note_end(engine: EngineState, event: Ended) -> None:
    """A peer sends no more: its connection ends once it has its replies."""
    connection = engine.connections.get(event.connection)
    if connection is not None and connection.phase is Phase.OPEN:
        connection.enter(Phase.ENDED)
        close_if_done(engine, connection)


def lose(engine: EngineState, event: Gone) -> None:
    """A connection is lost: what it had asked is done all the same."""
    connection = engine.connections.get(event.connection)
    if connection is not None and not connection.gone:
        connection.enter(Phase.GONE)
        engine.emit(Log("info", f"connection closed by {connection.peer}", connection.number))
        engine.agenda.note(connection)
