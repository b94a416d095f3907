"""What the record was asked for has come: a repeated id's reply, a session's history, earlier trials."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fechner.server.engine.access import attach, check_access, may_see
from fechner.server.engine.events import Found, HistoryRead, SeedDataRead
from fechner.server.engine.work import attempt, do_step, fail, proceed, running, step_done
from fechner.server.observing.logs import Log
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.kinds import kind_of
from fechner.server.protocol.messages import Replay

if TYPE_CHECKING:
    from fechner.server.engine.engine import Engine


def found(engine: Engine, event: Found) -> None:
    """The record's answer to a repeated id."""
    lane = engine.finds.pop(event.token, None)
    if lane is None:
        return  # answered when the server began to stop
    job = running(lane)
    if event.error:
        fail(engine, lane, FechnerError("storage_failed", f"the record can't be read: {event.error}"))
        return
    if event.request is None or event.reply is None:
        do_step(engine, lane)  # its commit failed after all
        return
    try:
        recorded = json.loads(event.request)
    except ValueError:
        detail = f"the request that used the id {job.request.id!r} can't be read any more"
        hint = "`fechner verify` names what is damaged"
        fail(engine, lane, FechnerError("storage_failed", detail, "id", hint))
        return
    raw = job.request.raw
    if not job.replies and (recorded.get("type"), recorded.get("message") or {}) != (
        raw.get("type"),
        raw.get("message") or {},
    ):
        error = FechnerError(
            "id_reused",
            f"the id {job.request.id!r} belongs to another request",
            where="id",
            hint="give every request an id of its own",
        )
        fail(engine, lane, error)
        return
    if kind_of(job.request.type).takes_hold and lane.owner is not job.connection:
        try:
            check_access(engine, lane, job)
            attach(engine, lane, job)
        except FechnerError as error:
            text = f"a repeated {job.request.type} was answered without attaching: {error.code}"
            engine.emit(Log("info", text, job.connection.number, lane.session.id))
    step_done(engine, lane, event.reply)


def history_read(engine: Engine, event: HistoryRead) -> None:
    """What a replay recomputes has come."""
    from fechner.server.session.handlers.replay import replay

    lane = engine.histories.pop(event.token, None)
    if lane is None:
        return  # answered when the server began to stop
    message = running(lane).step.message
    assert isinstance(message, Replay)
    principal = running(lane).connection.principal
    if event.error and (event.whose is None or may_see(principal, event.whose.name)):
        fail(engine, lane, FechnerError("storage_failed", f"the record can't be read: {event.error}"))
    elif event.changes is None or not may_see(principal, _owner(event.changes)):
        hint = "`fechner sessions` lists the record's sessions"
        text = f"there is no session {message.session}"
        fail(engine, lane, FechnerError("unknown_session", text, "message.session", hint))
    else:
        changes = event.changes
        attempt(engine, lane, lambda: replay(changes, message.verify, event.broken_chain), proceed)


def _owner(changes: Sequence[tuple[int, Mapping[str, Any]]]) -> str | None:
    """Whose session these changes are of: its first setup says so."""
    owner = changes[0][1].get("owner") if changes else None
    return owner if isinstance(owner, str) else None


def seed_data_read(engine: Engine, event: SeedDataRead) -> None:
    """The earlier trials that a setup copies have come."""
    lane = engine.readings.pop(event.token, None)
    if lane is None:
        return  # answered when the server began to stop
    reading, lane.reading = lane.reading, None
    assert reading is not None
    if event.error:
        fail(engine, lane, FechnerError("storage_failed", f"the record can't be read: {event.error}"))
        return
    attempt(engine, lane, lambda: reading.answer(event.found), proceed)
