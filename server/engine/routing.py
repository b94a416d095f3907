"""Where a request goes: to its session's lane, in order, or to an answer at once.

A setup, resume or exit is a barrier: the requests behind it on its connection wait for its outcome, since it
decides which session they mean.
"""

from __future__ import annotations

import uuid

from fechner.server.engine.alarms import lift_penalty
from fechner.server.engine.authentication import fault_of, refuse_token
from fechner.server.engine.effects import Load, Pause
from fechner.server.engine.lanes import Connection, Job, Lane, steps_of
from fechner.server.engine.ownership import close, close_if_done
from fechner.server.engine.principals import MOST_WRONG, NAMELESS
from fechner.server.engine.reattachment import note_refusal, take_up
from fechner.server.engine.sessionless import reply_of
from fechner.server.engine.sessions import new_session, session_id
from fechner.server.engine.state import Awaits, EngineState
from fechner.server.protocol.dialects import Request
from fechner.server.protocol.dialects.base import Reply, undecided_error
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.kinds import kind_of
from fechner.server.protocol.limits import exceeded
from fechner.server.protocol.messages import Replay, Resume, Setup


def queue(engine: EngineState, connection: Connection, request: Request, closes: bool = False) -> None:
    """Let a request wait for its turn; `closes`: the connection ends with its reply."""
    if not connection.stream and connection.busy >= engine.limits.waiting_requests:
        text = f"{engine.limits.waiting_requests} requests are waiting already"
        error = exceeded("waiting_requests", text, hint="wait for replies before sending more")
        reply_to(engine, connection, request, Reply(error=error), engine.now.seconds)
        return
    job = Job(connection, request, engine.now, closes=closes)
    connection.waiting.append(job)
    engine.agenda.note(connection)


def go_on(engine: EngineState, connection: Connection) -> bool:
    """Take the first waiting job to the lane of its session, or answer it; False if it has to wait."""
    if connection.waiting:
        job = connection.waiting[0]
        if connection.barrier is None:
            barrier = kind_of(job.request.type).barrier and job.request.fault is None
            has_to_wait = (barrier or job.closes) and connection.outstanding
            if not has_to_wait and _route(engine, connection, job):
                return True
        elif connection.gone and lift_penalty(engine, connection):  # nobody is there to wait for it
            end_penalty(engine, connection)
            return True
    _hold_back(engine, connection)
    close_if_done(engine, connection)
    return False


def _hold_back(engine: EngineState, connection: Connection) -> None:
    """Take no more from a stream while as many of its requests wait as may, and go on after that."""
    full = connection.stream and connection.busy >= engine.limits.waiting_requests
    if full != connection.paused:
        connection.paused = full
        engine.emit(Pause(connection.number, full))


def _route(engine: EngineState, connection: Connection, job: Job) -> bool:
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
        enter(engine, connection, job, lane.session.id)
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
    enter(engine, connection, job, target)
    return True


def end_penalty(engine: EngineState, connection: Connection, error: FechnerError | None = None) -> None:
    """A wrong token has waited for its answer (`error`: another one)."""
    job, connection.barrier = connection.barrier, None
    if job is None:
        return
    job.closes = job.closes or connection.wrong_tokens >= MOST_WRONG
    answer(engine, connection, job, Reply(error=error or refuse_token(engine, connection)))
    if job.closes:
        connection.waiting.clear()
    engine.agenda.note(connection)


def _default_request(engine: EngineState) -> Request | None:
    """What the server does for a connection that begins without setup or resume."""
    if engine.options.default_session is not None:
        raw = {"type": "resume", "message": {"session": engine.options.default_session}}
        resume = Resume(session=engine.options.default_session, observe=engine.options.read_only)
        return Request(raw, "resume", message=resume)
    if engine.options.default_config is not None:
        spelling = "config_str" if isinstance(engine.options.default_config, str) else "config_dict"
        raw = {"type": "setup", "message": {spelling: engine.options.default_config}}
        return Request(raw, "setup", message=Setup(config=engine.options.default_config))
    return None


def _route_setup(engine: EngineState, connection: Connection, job: Job, target: str | None) -> bool:
    named = job.request.session is not None
    lane = engine.lanes.get(target) if target is not None else None
    if target is None or (not named and (lane is None or lane.session.ended or lane.owner is not connection)):
        target = str(uuid.UUID(bytes=engine.entropy(16), version=4))
        engine.lanes[target] = Lane(new_session(target))
    connection.barrier = job
    connection.default_tried = True
    enter(engine, connection, job, target)
    return True


def _route_resume(engine: EngineState, connection: Connection, job: Job, target: str | None) -> bool:
    message = job.request.message
    assert isinstance(message, Resume)
    wanted = message.session or target
    if message.session == "last":
        connection.barrier = job
        token = engine.wait(Awaits.LAST_SESSION, connection)
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
    enter(engine, connection, job, wanted)
    return True


def _nothing_to_resume(message: Resume) -> FechnerError:
    """Of a resume that names no session, on a connection without one."""
    if message.strategy is None:
        hint = "name the session, or 'last'"
        return FechnerError("no_session", "nothing to resume", "message.session", hint)
    text = f"nothing is set up on this connection, so it has no strategy {message.strategy}"
    hint = "send setup, or name the session that has it"
    return FechnerError("no_strategy", text, "message.strategy", hint)


def answer(engine: EngineState, connection: Connection, job: Job, reply: Reply) -> None:
    """Answer a job that belongs to no session."""
    connection.waiting.popleft()
    if not job.silent:
        reply_to(engine, connection, job.request, reply, job.received.seconds)
    if job.closes:
        close(engine, connection)


def reply_to(
    engine: EngineState, connection: Connection, request: Request, reply: Reply, received: float
) -> None:
    """Send a reply that is not recorded."""
    dialect = connection.dialect
    code = "ok" if reply.error is None else reply.error.code
    engine.count_reply(connection, request, code, received)
    note_refusal(engine, connection, request, code)
    if dialect is None:
        assert reply.error is not None
        engine.send(connection, None, undecided_error(reply.error))
    else:
        engine.send(connection, dialect, dialect.render(request, reply))


def enter(engine: EngineState, connection: Connection, job: Job, id_: str) -> None:
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
    engine.agenda.note(lane)
