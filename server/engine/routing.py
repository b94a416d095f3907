"""Where a request goes: to its session's lane, in order, or to an answer at once.

A setup, resume or exit is a barrier: the requests behind it on its connection wait for its outcome, since it
decides which session they mean.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from fechner.server.engine import work
from fechner.server.engine.authentication import fault_of, introduce, wrong
from fechner.server.engine.effects import Load, Pause
from fechner.server.engine.events import Loaded, Received
from fechner.server.engine.lanes import Connection, Job, Lane, steps_of
from fechner.server.engine.principals import MOST_WRONG, NAMELESS
from fechner.server.engine.reattachment import heard, take_up
from fechner.server.engine.sessionless import reply_of
from fechner.server.observing.logs import Log
from fechner.server.protocol.dialects import Request, choose
from fechner.server.protocol.dialects.base import Reply, undecided_error
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.kinds import kind_of
from fechner.server.protocol.limits import count_trials, exceeded, too_many
from fechner.server.protocol.messages import Ping, Replay, Resume, Setup
from fechner.server.session.handlers.registry import load

if TYPE_CHECKING:
    from fechner.server.engine.engine import Engine
    from fechner.server.session.session import Session


def received(engine: Engine, event: Received) -> None:
    """A value came: decide the dialect, parse it, queue it."""
    connection = engine.connections.get(event.connection)
    if connection is None or connection.closing or connection.gone or connection.deaf:
        return
    connection.last_heard = engine.now.seconds
    value = event.value
    if not isinstance(value, dict):
        fault = FechnerError("bad_request", "a request is a JSON object", hint="send {…}")
        queue(engine, connection, Request(raw=value, type="", fault=fault))
        return
    if connection.dialect is None:
        try:
            connection.dialect = choose(value, engine.forced)
        except FechnerError as fault:
            queue(engine, connection, Request(raw=value, type="", fault=fault))
            return
    if connection.principal is None:
        introduce(engine, connection)
    type_ = value.get("type")
    many = isinstance(type_, str) and kind_of(type_).carries_trials
    told, where = count_trials(value) if many else (0, "")
    if told > engine.limits.trials_per_tell:  # before it takes time to look at each
        request = connection.dialect.parse({**value, "message": {}})
        request.raw, request.message = value, None
        request.fault = too_many(told, engine.limits, where)
    else:
        request = connection.dialect.parse(value)
    heard(engine, connection, request)
    if isinstance(request.message, Ping) and request.id is not None and connection.principal is not None:
        engine.answered(connection, request, "ok", engine.now.seconds)
        engine.send(connection, connection.dialect, connection.dialect.render(request, Reply()))
        return
    queue(engine, connection, request)


def queue(engine: Engine, connection: Connection, request: Request, closes: bool = False) -> None:
    """Let a request wait for its turn; `closes`: the connection ends with its reply."""
    if not connection.stream and connection.busy >= engine.limits.waiting_requests:
        text = f"{engine.limits.waiting_requests} requests are waiting already"
        error = exceeded("waiting_requests", text, hint="wait for replies before sending more")
        reply_to(engine, connection, request, Reply(error=error), engine.now.seconds)
        return
    job = Job(connection, request, engine.now, closes=closes)
    connection.waiting.append(job)
    pump(engine, connection)
    if connection.stream and not connection.paused and connection.busy >= engine.limits.waiting_requests:
        connection.paused = True
        engine.emit(Pause(connection.number, True))


def pump(engine: Engine, connection: Connection) -> None:
    """Bring waiting jobs into the lanes of their sessions, as far as their order allows."""
    if connection.pumping:
        return  # a job was done at once
    connection.pumping = True
    try:
        _bring(engine, connection)
    finally:
        connection.pumping = False
    if connection.paused and connection.busy < engine.limits.waiting_requests:
        connection.paused = False
        engine.emit(Pause(connection.number, False))
    engine._close_if_done(connection)


def _bring(engine: Engine, connection: Connection) -> None:
    while connection.waiting and connection.barrier is None:
        job = connection.waiting[0]
        barrier = kind_of(job.request.type).barrier and job.request.fault is None
        if (barrier or job.closes) and connection.outstanding:
            break
        if not _route(engine, connection, job):
            break


def _route(engine: Engine, connection: Connection, job: Job) -> bool:
    """Take the first waiting job to its lane, or answer it; False if it has to wait."""
    request = job.request
    try:
        target = session_id(request.session) or connection.session
    except FechnerError as fault:
        request.fault, request.session, target = fault, None, connection.session
    if engine.stopping:
        request.fault = FechnerError("shutting_down", "the server is stopping", hint="connect again later")
    request.fault = request.fault or fault_of(engine, connection, request.type)
    if kind_of(request.type).sessionless or (connection.principal is None and request.fault is not None):
        if connection.outstanding:
            return False
        reply = reply_of(engine, connection, request)
        if reply is None:
            connection.barrier = job
        else:
            answer(engine, connection, job, reply)
        return True
    if isinstance(request.message, Resume) and request.fault is None:
        return _route_resume(engine, connection, job, target)
    if kind_of(request.type).sets_up and request.fault is None:
        return _route_setup(engine, connection, job, target)
    if isinstance(request.message, Replay) and request.fault is None:
        lane = Lane(new_session(f"replay-{engine.token()}"))  # it waits for no session, and none for it
        engine.lanes[lane.session.id] = lane
        _enter(engine, connection, job, lane.session.id)
        return True
    if target is None and request.fault is None:
        if connection.outstanding:
            return False  # what is in work may bring a session
        default = None if connection.default_tried else _default_request(engine)
        if default is not None:
            connection.default_tried = True
            connection.waiting.appendleft(Job(connection, default, engine.now, silent=True))
            return True
        target = take_up(engine, connection, job)
    if target is None and request.fault is None:
        request.fault = FechnerError(
            "no_session", "nothing is set up on this connection", hint="send setup, or resume a session"
        )
    if target is None:
        if connection.outstanding:
            return False
        answer(engine, connection, job, Reply(error=request.fault))
        return True
    _enter(engine, connection, job, target)
    return True


def penalty_over(engine: Engine, token: int, error: FechnerError | None = None) -> bool:
    """A wrong token has waited for its answer (`error`: another one); False if none waits by this number."""
    connection = engine.penalties.pop(token, None)
    if connection is None or connection.barrier is None:
        return False
    job, connection.barrier = connection.barrier, None
    job.closes = job.closes or connection.wrong_tokens >= MOST_WRONG
    answer(engine, connection, job, Reply(error=error or wrong(engine, connection)))
    if connection.closing:
        connection.waiting.clear()
    pump(engine, connection)
    return True


def _default_request(engine: Engine) -> Request | None:
    """What the server does for a connection that begins without setup or resume."""
    if engine.default_session is not None:
        raw = {"type": "resume", "message": {"session": engine.default_session}}
        resume = Resume(session=engine.default_session, observe=engine.read_only)
        return Request(raw, "resume", message=resume)
    if engine.default_config is not None:
        spelling = "config_str" if isinstance(engine.default_config, str) else "config_dict"
        raw = {"type": "setup", "message": {spelling: engine.default_config}}
        return Request(raw, "setup", message=Setup(config=engine.default_config))
    return None


def _route_setup(engine: Engine, connection: Connection, job: Job, target: str | None) -> bool:
    named = job.request.session is not None
    lane = engine.lanes.get(target) if target is not None else None
    if target is None or (not named and (lane is None or lane.session.ended or lane.owner is not connection)):
        target = str(uuid.UUID(bytes=engine.entropy(16), version=4))
        engine.lanes[target] = Lane(new_session(target))
    connection.barrier = job
    connection.default_tried = True
    _enter(engine, connection, job, target)
    return True


def _route_resume(engine: Engine, connection: Connection, job: Job, target: str | None) -> bool:
    message = job.request.message
    assert isinstance(message, Resume)
    wanted = message.session or target
    if message.session == "last":
        connection.barrier = job
        token = engine.token()
        engine.loads[token] = connection
        whose = connection.principal or NAMELESS
        engine.emit(Load(token, "last", whose.owner, whose.sees_all))
        return True
    try:
        wanted = session_id(wanted)
    except FechnerError as fault:
        job.request.fault = FechnerError(fault.code, fault.detail, "message.session", fault.hint)
        wanted = target
    if wanted is None:
        answer(engine, connection, job, Reply(error=job.request.fault or _nothing_to_resume(message)))
        return True
    connection.barrier = job
    _enter(engine, connection, job, wanted)
    return True


def _nothing_to_resume(message: Resume) -> FechnerError:
    """Of a resume that names no session, on a connection without one."""
    if message.strategy is None:
        hint = "name the session, or 'last'"
        return FechnerError("no_session", "nothing to resume", "message.session", hint)
    text = f"nothing is set up on this connection, so it has no strategy {message.strategy}"
    hint = "send setup, or name the session that has it"
    return FechnerError("no_strategy", text, "message.strategy", hint)


def answer(engine: Engine, connection: Connection, job: Job, reply: Reply) -> None:
    """Answer a job that belongs to no session."""
    connection.waiting.popleft()
    if not job.silent:
        reply_to(engine, connection, job.request, reply, job.received.seconds)
    if job.closes:
        engine.close(connection)


def reply_to(engine: Engine, connection: Connection, request: Request, reply: Reply, received: float) -> None:
    """Send a reply that is not recorded."""
    dialect = connection.dialect
    engine.answered(connection, request, "ok" if reply.error is None else reply.error.code, received)
    if dialect is None:
        assert reply.error is not None
        engine.send(connection, None, undecided_error(reply.error))
    else:
        engine.send(connection, dialect, dialect.render(request, reply))


def _enter(engine: Engine, connection: Connection, job: Job, id_: str) -> None:
    """Put the first waiting job into the lane of session `id_`."""
    connection.waiting.popleft()
    connection.outstanding += 1
    if job.request.fault is None:
        job.steps = steps_of(job.request)
    lane = engine.lanes.get(id_)
    if lane is None:
        lane = engine.lanes[id_] = Lane(new_session(id_))
        engine.load(lane)
    lane.queue.append(job)
    work.pump(engine, lane)


def loaded(engine: Engine, event: Loaded) -> None:
    """A session was read back (or there is none): its jobs go on."""
    wanted = engine.loads.pop(event.token, None)
    if wanted is None:
        return  # answered when the server began to stop
    if isinstance(wanted, Connection):
        _loaded_last(engine, wanted, event)
        return
    lane = engine.lanes[wanted]
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
        lane.used(event.ids)
    work.pump(engine, lane)
    if event.error and lane.owner is not None:
        engine.detach(lane, lane.owner)  # nobody holds what can't be read


def _loaded_last(engine: Engine, connection: Connection, event: Loaded) -> None:
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
        pump(engine, connection)
        return
    id_ = event.session.id
    if id_ not in engine.lanes:
        lane = engine.lanes[id_] = Lane(event.session, known=True)
        lane.used(event.ids)
    _enter(engine, connection, job, id_)


def new_session(id_: str) -> Session:
    """A session without a strategy (numpy is imported with its module, not before a session is wanted)."""
    load()
    from fechner.server.session.session import Session

    return Session(id_)


def session_id(text: str | None) -> str | None:
    """A session's UUID in its canonical spelling."""
    if text is None:
        return None
    try:
        if len(text) != 36:
            raise ValueError
        return str(uuid.UUID(text))
    except ValueError:
        raise FechnerError(
            "bad_value",
            f"{text[:40]!r} is no session id",
            "session",
            "a session id is a UUID, as setup returned it",
        ) from None
