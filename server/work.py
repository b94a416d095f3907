"""The jobs of a lane: duplicates, access, the handler, the computation, the commit, the reply.

One job at a time. A session's new state is adopted, and its next job begun, only after the job's commit;
what changes nothing is answered without waiting for its commit.
"""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING, Any

from fechner.database.message import Entry
from fechner.server.dialects import Request
from fechner.server.dialects.base import Reply, Timing
from fechner.server.errors import FechnerError, inside
from fechner.server.events import (
    Commit,
    CommitFailed,
    Committed,
    Compute,
    Computed,
    ComputeFailed,
    Find,
    Found,
    HistoryRead,
    Log,
    Priority,
    ReadHistory,
)
from fechner.server.handlers.registry import Answer, Computation, Context, handle
from fechner.server.jsontext import render as to_json
from fechner.server.lanes import Job, Lane
from fechner.server.messages import Replay, Resume

if TYPE_CHECKING:
    from fechner.server.engine import Engine

#: What is not recorded.
_UNRECORDED = ("ping", "hello")
#: What an observer may send.
_OBSERVER = ("info", "query", "parameters", "get_config", "ping", "resume")
#: What nobody needs once its sender is gone.
_IN_VAIN = ("ask", "query", "info", "parameters", "get_config", "ping", "replay")


def pump(engine: Engine, lane: Lane) -> None:
    """Begin the next job."""
    while lane.running is None and lane.queue and not lane.loading:
        job = lane.running = lane.queue.popleft()
        job.started = engine.now.seconds
        if engine.stopping and job.request.fault is None:
            job.request.fault = FechnerError("shutting_down", "the server is stopping")
        if job.connection.gone and job.request.type in _IN_VAIN:
            job.request.fault = FechnerError("no_session", "the sender is gone")
        if job.request.fault is not None:
            fail(engine, lane, job.request.fault)
        else:
            _begin_step(engine, lane)
    if lane.idle:
        engine.drop_if_idle(lane)


def _begin_step(engine: Engine, lane: Lane) -> None:
    """Answer a step from the record if its id is known, else do it."""
    job = _running(lane)
    key = job.step.key
    if key is not None and key in lane.ids:
        token = engine.token()
        engine.finds[token] = lane
        engine.emit(Find(token, lane.session.id, key))
        return
    _do_step(engine, lane)


def found(engine: Engine, event: Found) -> None:
    """The record's answer to a repeated id."""
    lane = engine.finds.pop(event.token, None)
    if lane is None:
        return  # answered when the server began to stop
    job = _running(lane)
    if event.error:
        fail(engine, lane, FechnerError("storage_failed", f"the record can't be read: {event.error}"))
        return
    if event.request is None or event.reply is None:
        _do_step(engine, lane)  # its commit failed after all
        return
    recorded = json.loads(event.request)
    raw = job.request.raw
    if not job.texts and (recorded.get("type"), recorded.get("message") or {}) != (
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
    if job.request.type in ("setup", "resume") and lane.owner is not job.connection:
        try:
            _check_access(engine, lane, job)
            _attach(engine, lane, job)
        except FechnerError as error:
            engine.emit(Log("info", f"a repeated {job.request.type} was answered without attaching: {error}"))
    _step_done(engine, lane, event.reply)


def _do_step(engine: Engine, lane: Lane) -> None:
    job = _running(lane)
    step = job.step
    dialect = job.connection.dialect
    assert dialect is not None
    if isinstance(step.message, Replay):
        _read_history(engine, lane, step.message)
        return
    try:
        if not lane.known and step.type != "setup":
            raise FechnerError(
                "unknown_session",
                f"there is no session {lane.session.id}",
                where="message.session" if step.type == "resume" else "session",
                hint="`fechner sessions` lists the record's sessions",
            )
        _check_access(engine, lane, job)
        context = Context(
            session=lane.session,
            limits=engine.limits,
            version=dialect.version,
            lenient=dialect.lenient,
            draw_seed=engine.draw_seed,
            server=engine.server,
            record=engine.record,
            environment=engine.environment,
            read_only=_looks_on(lane, job),
        )
        result = handle(context, step.type, step.message)
    except FechnerError as error:
        fail(engine, lane, error)
        return
    except Exception:
        fail(engine, lane, engine.incident(traceback.format_exc()))
        return
    _proceed(engine, lane, result)


def _proceed(engine: Engine, lane: Lane, result: Answer | Computation) -> None:
    """Compute what a handler wants first, or answer."""
    if isinstance(result, Computation):
        task = engine.token()
        engine.tasks[task] = lane
        lane.computation = result
        engine.emit(Compute(task, result.priority, result.function, result.arguments))
    else:
        _answered(engine, lane, result)


def _read_history(engine: Engine, lane: Lane, message: Replay) -> None:
    token = engine.token()
    engine.histories[token] = lane
    engine.emit(ReadHistory(token, message.session.lower()))


def history_read(engine: Engine, event: HistoryRead) -> None:
    """What a replay recomputes has come."""
    from fechner.server.handlers.replay import replay

    lane = engine.histories.pop(event.token)
    message = _running(lane).step.message
    assert isinstance(message, Replay)
    if event.error:
        fail(engine, lane, FechnerError("storage_failed", f"the record can't be read: {event.error}"))
    elif event.changes is None:
        hint = "`fechner sessions` lists the record's sessions"
        text = f"there is no session {message.session}"
        fail(engine, lane, FechnerError("unknown_session", text, "message.session", hint))
    else:
        _proceed(engine, lane, replay(event.changes, message.verify))


def _looks_on(lane: Lane, job: Job) -> bool:
    """Whether the job's sender observes the session, or is about to."""
    message = job.step.message
    if isinstance(message, Resume):
        return message.observe
    return lane.session.id in job.connection.observing


def _check_access(engine: Engine, lane: Lane, job: Job) -> None:
    """Raise unless the job's connection may do this step in this session.

    Raises:
        FechnerError: session_busy, no_session (it has ended), unauthorized (an observer).
    """
    connection, type_ = job.connection, job.step.type
    if _looks_on(lane, job):
        if type_ not in _OBSERVER:
            raise FechnerError(
                "unauthorized", f"an observer can't send {type_}", hint="resume the session without `observe`"
            )
        return
    owner = lane.owner
    if owner is not None and owner is not connection:
        silent = engine.now.seconds - owner.last_heard >= engine.limits.silent_seconds
        if not (owner.gone or (type_ == "resume" and silent)):
            raise FechnerError(
                "session_busy",
                "another connection holds the session",
                where="session",
                hint='look on with resume and "observe": true, or resume it once the other is silent or gone',
            )
    if lane.session.ended and type_ not in ("setup", "resume"):
        raise FechnerError("no_session", "the session has ended", hint="send resume to go on with it")


def _attach(engine: Engine, lane: Lane, job: Job) -> None:
    """A step has succeeded: its connection holds the session from now on, or observes it."""
    connection, id_, owner = job.connection, lane.session.id, lane.owner
    if not _looks_on(lane, job):
        if owner is not None and owner is not connection:
            owner.owned.discard(id_)
            if owner.session == id_:
                owner.session = None
        lane.owner = connection
        connection.observing.discard(id_)
        connection.owned.add(id_)
    elif job.step.type == "resume":
        connection.observing.add(id_)
        connection.owned.discard(id_)
        if owner is connection:
            lane.owner = None
    if job.step.type in ("setup", "resume") or connection.session not in (
        connection.owned | connection.observing
    ):
        connection.session = id_


def computed(engine: Engine, event: Computed) -> None:
    """A computation's result becomes the step's answer."""
    lane = engine.tasks.pop(event.task, None)
    if lane is None:
        return  # abandoned
    job = _running(lane)
    job.compute_ms += event.compute_ms
    computation, lane.computation = lane.computation, None
    assert isinstance(computation, Computation)
    if job.connection.gone and job.request.type in _IN_VAIN and computation.priority == Priority.REPLAY:
        fail(engine, lane, FechnerError("no_session", "the sender is gone"))
        return
    try:
        result = computation.answer(event.result)
    except Exception:
        fail(engine, lane, engine.incident(traceback.format_exc()))
        return
    _proceed(engine, lane, result)


def compute_failed(engine: Engine, event: ComputeFailed) -> None:
    """A computation raised."""
    lane = engine.tasks.pop(event.task, None)
    if lane is not None:
        fail(engine, lane, engine.incident(event.log) if event.error.code == "internal" else event.error)


def _answered(engine: Engine, lane: Lane, answer: Answer) -> None:
    job = _running(lane)
    started = job.started if job.started is not None else engine.now.seconds
    timing = Timing((started - job.received.seconds) * 1e3, job.compute_ms, answer.tier)
    about = job.step.message.session if isinstance(job.step.message, Replay) else lane.session.id
    reply = Reply(answer.message, session=about, warnings=answer.warnings, timing=timing)
    try:
        text = _render(job, reply)
    except Exception:
        fail(engine, lane, engine.incident(traceback.format_exc()))
        return
    job.pending = (text, answer.change)
    if answer.change is None:
        _attach(engine, lane, job)
        if job.step.type not in _UNRECORDED and lane.known:
            engine.emit(Commit(None, [_entry(engine, lane, job, text, True, answer)]))
            if job.step.key is not None:
                lane.ids.add(job.step.key)
        _step_done(engine, lane, text)
        return
    token = engine.token()
    engine.commits[token] = lane
    engine.emit(Commit(token, [_entry(engine, lane, job, text, True, answer)]))


def committed(engine: Engine, event: Committed) -> None:
    """The step is on record: adopt its change, then reply."""
    lane = engine.commits.pop(event.token)
    job = _running(lane)
    assert job.pending is not None
    text, change = job.pending
    assert change is not None
    lane.known = True
    try:
        lane.session.apply(change)
    except Exception:  # it is on record all the same: read the session back
        engine.incident(traceback.format_exc())
        engine.load(lane)
    if job.step.key is not None:
        lane.ids.add(job.step.key)
    _attach(engine, lane, job)
    if change["type"] == "exit":
        engine.detach(lane, job.connection)
    _step_done(engine, lane, text)


def commit_failed(engine: Engine, event: CommitFailed) -> None:
    """The step is not on record: nothing changes."""
    if event.token is None:
        engine.emit(Log("error", f"a message that changes nothing is not on record: {event.reason}"))
        return
    lane = engine.commits.pop(event.token)
    engine.emit(Log("error", f"session {lane.session.id}: {event.reason}"))
    error = FechnerError(
        "storage_failed",
        f"the record could not be written: {event.reason}",
        hint="nothing has changed; send the request again once the fault is mended",
    )
    fail(engine, lane, error, recorded=False)


def fail(engine: Engine, lane: Lane, error: FechnerError, recorded: bool = True) -> None:
    """Answer the running job's step with an error; the session stays as it is."""
    job = _running(lane)
    if len(job.steps) > 1:
        error = inside(error, job.step.type)
    text = _render(job, Reply(error=error))
    known_fault = job.request.fault is not None
    type_ = job.request.type if known_fault else job.step.type
    if recorded and lane.known and type_ not in _UNRECORDED and not engine.stopping:
        engine.emit(Commit(None, [_entry(engine, lane, job, text, False, None)]))
    if job.texts:  # an update whose tell stands
        _step_done(engine, lane, text)
        return
    engine.job_done(lane, job, text)


def _step_done(engine: Engine, lane: Lane, text: str) -> None:
    """Go on with the job's next step, or send its reply."""
    job = _running(lane)
    job.texts.append(text)
    if len(job.texts) < len(job.steps):
        if engine.stopping:
            fail(engine, lane, FechnerError("shutting_down", "the server is stopping"), recorded=False)
        elif lane.loading:
            error = FechnerError("internal", "the session is being read back", hint="ask again")
            fail(engine, lane, error, recorded=False)
        else:
            _begin_step(engine, lane)
        return
    dialect = job.connection.dialect
    assert dialect is not None
    if len(job.steps) > 1:
        text = dialect.compose(job.request, job.texts[0], job.texts[1])
    engine.job_done(lane, job, text)


def _running(lane: Lane) -> Job:
    assert lane.running is not None
    return lane.running


def _step_request(job: Job) -> Request:
    """The request of the step being done: an update's steps are a tell and an ask."""
    request = job.request
    if len(job.steps) < 2:
        return request
    step = job.step
    return Request(request.raw, step.type, request.id if step.type == "tell" else None, message=step.message)


def _render(job: Job, reply: Reply) -> str:
    dialect = job.connection.dialect
    if dialect is None:
        from fechner.server.engine import _both

        assert reply.error is not None
        return _both(reply.error)
    if reply.error is not None and not job.texts:
        return dialect.render(job.request, reply)
    return dialect.render(_step_request(job), reply)


def _entry(engine: Engine, lane: Lane, job: Job, text: str, ok: bool, answer: Answer | None) -> Entry:
    dialect = job.connection.dialect
    assert dialect is not None
    fault = job.request.fault is not None
    step_type = job.request.type if fault else job.step.type
    raw: Any = job.request.raw
    if job.texts:  # an update's ask
        raw = {"version": raw.get("version"), "type": "ask", "message": raw["message"].get("ask", {})}
    return Entry(
        session=lane.session.id,
        client_id=(job.request.id if fault else job.step.key),
        dialect=dialect.name,
        type=step_type or "unreadable",
        request=to_json(raw),
        reply=text,
        ok=ok,
        received_at=job.received.time,
        duration_ms=(engine.now.seconds - job.received.seconds) * 1e3,
        tier=answer.tier if answer is not None else None,
        change=answer.change if answer is not None else None,
    )
