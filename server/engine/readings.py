"""What the record was asked for has come: a repeated id's reply, a session's history, earlier trials."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fechner.server.engine.access import check_access, may_see
from fechner.server.engine.events import Found, HistoryRead, SeedDataRead
from fechner.server.engine.ownership import attach
from fechner.server.engine.state import Awaits, EngineState
from fechner.server.engine.work import attempt, do_step, fail, finish_step, proceed
from fechner.server.observing.logs import Log
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.kinds import kind_of
from fechner.server.protocol.messages import Replay
from fechner.strategies._lazy import Lazy

if TYPE_CHECKING:
    from fechner.server.session.handlers import replay as replays
else:
    replays = Lazy("fechner.server.session.handlers.replay")  # numpy: not before a session is wanted


def answer_repeated(engine: EngineState, event: Found) -> None:
    """The record's answer to a repeated id."""
    lane = engine.take_lane(event.token, Awaits.REPLY)
    if lane is None:
        return
    job = lane.job
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
    finish_step(engine, lane, event.reply)


def replay_history(engine: EngineState, event: HistoryRead) -> None:
    """What a replay recomputes has come."""
    lane = engine.take_lane(event.token, Awaits.HISTORY)
    if lane is None:
        return
    message = lane.job.step.message
    assert isinstance(message, Replay)
    principal = lane.job.connection.principal
    if event.error and (event.whose is None or may_see(principal, event.whose.name)):
        fail(engine, lane, FechnerError("storage_failed", f"the record can't be read: {event.error}"))
    elif event.changes is None or not may_see(principal, _owner(event.changes)):
        hint = "`fechner sessions` lists the record's sessions"
        text = f"there is no session {message.session}"
        fail(engine, lane, FechnerError("unknown_session", text, "message.session", hint))
    else:
        changes = event.changes
        attempt(engine, lane, lambda: replays.replay(changes, message.verify, event.broken_chain), proceed)


def _owner(changes: Sequence[tuple[int, Mapping[str, Any]]]) -> str | None:
    """Whose session these changes are of: its first setup says so."""
    owner = changes[0][1].get("owner") if changes else None
    return owner if isinstance(owner, str) else None


def take_seed_data(engine: EngineState, event: SeedDataRead) -> None:
    """The earlier trials that a setup copies have come."""
    lane = engine.take_lane(event.token, Awaits.SEED_DATA)
    if lane is None:
        return
    reading, lane.reading = lane.reading, None
    assert reading is not None
    if event.error:
        fail(engine, lane, FechnerError("storage_failed", f"the record can't be read: {event.error}"))
        return
    attempt(engine, lane, lambda: reading.answer(event.found), proceed)
