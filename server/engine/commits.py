"""A step is on record, or could not be put there."""

from __future__ import annotations

from fechner.server.engine.events import CommitFailed, Committed
from fechner.server.engine.lanes import Lane
from fechner.server.engine.ownership import attach, detach
from fechner.server.engine.state import Awaits, EngineState
from fechner.server.engine.work import fail, finish_step
from fechner.server.observing.faults import Fault, fault
from fechner.server.observing.logs import Log
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.kinds import kind_of


def adopt(engine: EngineState, event: Committed) -> None:
    """The step is on record: adopt its change, then reply."""
    lane = _waiting(engine, event.token)
    job = lane.job
    assert job.pending is not None
    reply, text, answer = job.pending
    change = answer.change
    lane.known = True
    try:
        if change is not None:
            lane.session.apply(change, answer.specification)
            lane.last_type = change["type"]
            if word := kind_of(change["type"]).logged:
                engine.emit(Log("info", f"session {word}", job.connection.number, lane.session.id))
            if change["type"] == "ask":
                timed = change.get("deadline_ms") is not None
                lane.repeats = (change["n"], change["fixed"], change["beyond"], timed)
    except Exception as error:  # it is on record all the same: read the session back
        engine.incident(fault(error), lane)
        engine.load(lane)
    if job.step.key is not None:
        lane.note_ids([job.step.key])
    attach(engine, lane, job)
    if change is not None and change["type"] == "exit":
        detach(engine, lane, job.connection)
        engine.to_stop = engine.options.exit_with_client and not engine.stopping
    finish_step(engine, lane, text, reply)


def report_failure(engine: EngineState, event: CommitFailed) -> None:
    """The step is not on record: nothing changes."""
    if event.token is None:
        text = f"a message that changes nothing is not on record: {event.kind}"
        engine.emit(Log("error", text, fault=Fault(detail=event.reason)))
        return
    lane = _waiting(engine, event.token)
    text, found = f"not on record: {event.kind}", Fault(detail=event.reason)
    engine.emit(Log("error", text, lane.job.connection.number, lane.session.id, fault=found))
    hint = "nothing has changed; send the request again once the fault is mended"
    if event.unsettled:
        hint = "it may be on record: send it again with its id, and it counts once"
        engine.load(lane)  # the session as it really is
    error = FechnerError("storage_failed", f"the record could not be written: {event.reason}", hint=hint)
    fail(engine, lane, error, recorded=False)


def _waiting(engine: EngineState, token: int) -> Lane:
    """Whose commit that was: also in a stop every one is waited for."""
    lane = engine.take_lane(token, Awaits.COMMIT)
    assert lane is not None
    return lane
