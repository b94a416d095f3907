"""A session was read back from the record, or there is none, or it can't be read."""

from __future__ import annotations

from fechner.server.engine.events import Loaded
from fechner.server.engine.lanes import Connection, Lane
from fechner.server.engine.routing import answer, enter
from fechner.server.engine.state import Awaits, EngineState
from fechner.server.observing.logs import Log
from fechner.server.protocol.dialects.base import Reply
from fechner.server.protocol.errors import FechnerError


def take_session(engine: EngineState, event: Loaded) -> None:
    """What was read is for the lane, or for the connection, that waits for it."""
    connection = engine.take_connection(event.token, Awaits.LAST_SESSION)
    if connection is not None:
        _resume_last(engine, connection, event)
        return
    lane = engine.take_lane(event.token, Awaits.SESSION)
    if lane is not None:
        _go_on_with(engine, lane, event)


def _go_on_with(engine: EngineState, lane: Lane, event: Loaded) -> None:
    """A lane's jobs go on, with the session as it is on record, or are told why it can't be read."""
    lane.loading, lane.stale, lane.unreadable = False, bool(event.error), event.whose is not None
    if event.error:
        error = FechnerError("storage_failed", f"the record can't be read: {event.error}")
        if event.whose is not None:
            lane.session.owner = event.whose.name
        for job in lane.queue:
            job.request.fault = error
    elif event.session is not None:
        lane.session, lane.known, lane.ids_on_record = event.session, True, False
        del lane.ids[:]
        lane.note_ids(event.ids)
    engine.agenda.note(lane)


def _resume_last(engine: EngineState, connection: Connection, event: Loaded) -> None:
    """The session used last, as who asked for it finds it, or none."""
    job = connection.barrier
    assert job is not None
    if event.session is None:
        connection.barrier = None
        if job.silent:
            engine.emit(Log("warning", "--resume last: there is no session on record yet"))
        error = FechnerError("unknown_session", "there is no session on record", "message.session")
        if event.error:
            error = FechnerError("storage_failed", f"the record can't be read: {event.error}")
        answer(engine, connection, job, Reply(error=error))
        engine.agenda.note(connection)
        return
    id_ = event.session.id
    if id_ not in engine.lanes:
        lane = engine.lanes[id_] = Lane(event.session, known=True)
        lane.note_ids(event.ids)
    enter(engine, connection, job, id_)
