"""The jobs of a lane: duplicates, access, the handler, the computation, the commit, the reply.

One job at a time. A session's new state is adopted, and its next job begun, only after the job's commit;
what changes nothing is answered without waiting for its commit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fechner.server.engine.access import check_access, is_hidden, looks_on, read_only, unknown_session
from fechner.server.engine.alarms import set_deadline, silence
from fechner.server.engine.effects import Commit, Compute, Find, ReadHistory, ReadSeedData
from fechner.server.engine.lanes import Job, Lane
from fechner.server.engine.ownership import attach, close, detach, drop_if_idle
from fechner.server.engine.principals import NAMELESS
from fechner.server.engine.reattachment import note_refusal, put_back
from fechner.server.engine.replies import entry, render, render_both
from fechner.server.engine.state import Awaits, EngineState
from fechner.server.observing.faults import fault
from fechner.server.observing.logs import Log
from fechner.server.protocol.dialects.base import Reply, Timing
from fechner.server.protocol.errors import FechnerError, inside
from fechner.server.protocol.kinds import kind_of
from fechner.server.protocol.messages import Replay
from fechner.server.session.handlers.registry import handle
from fechner.server.session.handlers.results import (
    Answer,
    Computation,
    Context,
    Priority,
    Reading,
    Result,
)
from fechner.strategies._lazy import Lazy

if TYPE_CHECKING:
    from fechner.server.engine import foresight
else:
    foresight = Lazy("fechner.server.engine.foresight")  # numpy: not before the first session


def go_on(engine: EngineState, lane: Lane) -> bool:
    """Begin the next job; False if there is none that can be begun."""
    if lane.running is not None or not lane.queue or lane.loading:
        if lane.stale and lane.owner is not None:
            detach(engine, lane, lane.owner)  # nobody holds what can't be read
        drop_if_idle(engine, lane)
        return False
    if lane.stale and lane.queue[0].request.fault is None and not engine.stopping:
        engine.load(lane)
        return True
    job = lane.running = lane.queue.popleft()
    job.started = engine.now.seconds
    if engine.stopping and job.request.fault is None:
        job.request.fault = FechnerError("shutting_down", "the server is stopping")
    if job.connection.gone and kind_of(job.request.type).in_vain:
        job.request.fault = FechnerError("no_session", "the sender is gone")
    if is_hidden(lane, job):
        fail(engine, lane, unknown_session(lane, job.request.type), recorded=False)
    elif job.request.fault is not None:
        fail(engine, lane, job.request.fault)
    else:
        _begin_step(engine, lane)
    return True


def _begin_step(engine: EngineState, lane: Lane) -> None:
    """Answer a step from the record if its id is known, else do it."""
    job = lane.job
    if kind_of(job.step.type).observer_may and looks_on(lane, job):
        job.step.key = None  # who only looks takes no id from who holds the session, and may look again
    key = job.step.key
    if key is not None and lane.may_know(key):
        engine.emit(Find(engine.wait(Awaits.REPLY, lane), lane.session.id, key))
        return
    do_step(engine, lane)


def do_step(engine: EngineState, lane: Lane) -> None:
    """Have the step's handler say what it comes to, and go on with that."""
    job = lane.job
    step = job.step
    dialect = job.connection.dialect
    assert dialect is not None
    if isinstance(step.message, Replay):
        engine.emit(ReadHistory(engine.wait(Awaits.HISTORY, lane), step.message.session.lower()))
        return
    version, traits = dialect.handlers, dialect.traits
    principal = job.connection.principal or NAMELESS

    def run_handler() -> Result:
        if not (lane.known or kind_of(step.type).sets_up):
            raise unknown_session(lane, step.type)
        check_access(engine, lane, job)
        context = Context(
            session=lane.session,
            limits=engine.limits,
            version=version,
            traits=traits,
            draw_seed=engine.draw_seed,
            server=engine.server,
            record=engine.record,
            environment=engine.environment,
            read_only=looks_on(lane, job),
            owner=principal.owner,
        )
        return handle(context, step.type, step.message)

    attempt(engine, lane, run_handler, proceed)


def proceed(engine: EngineState, lane: Lane, result: Result) -> None:
    """Compute or read what a handler wants first, or answer."""
    if isinstance(result, Reading):
        token = engine.wait(Awaits.SEED_DATA, lane)
        lane.reading = result
        most = engine.limits.seed_trials
        whose = lane.job.connection.principal or NAMELESS
        engine.emit(
            ReadSeedData(token, lane.session.id, result.specification, most, whose.owner, whose.sees_all)
        )
    elif isinstance(result, Computation):
        _compute(engine, lane, result)
    else:
        _answer(engine, lane, result)


def _compute(engine: EngineState, lane: Lane, computation: Computation) -> None:
    """Have a computation done, unless it was foreseen."""
    ahead = foresight.take(engine, lane, computation) if lane.ahead else None
    lane.computation = computation
    if ahead is None:
        task = engine.wait(Awaits.COMPUTATION, lane)
        due = set_deadline(engine, lane)
        function, arguments = computation.function, computation.arguments
        engine.emit(Compute(task, computation.priority, function, arguments, due is not None, due))
    elif ahead.result is not None:
        use_result(engine, lane, ahead.result.result)
    else:
        set_deadline(engine, lane)


def use_result(engine: EngineState, lane: Lane, result: Any) -> None:
    """A computation's result becomes the step's answer."""
    job = lane.job
    silence(engine, lane)
    computation, lane.computation = lane.computation, None
    assert isinstance(computation, Computation)
    if job.connection.gone and kind_of(job.request.type).in_vain and computation.priority == Priority.REPLAY:
        fail(engine, lane, FechnerError("no_session", "the sender is gone"))
        return
    attempt(engine, lane, lambda: computation.answer(result), proceed)


def attempt(
    engine: EngineState, lane: Lane, make: Callable[[], Any], then: Callable[[EngineState, Lane, Any], None]
) -> None:
    """Do with what `make` gives what comes then; what it raises answers the step."""
    try:
        made = make()
    except FechnerError as error:
        fail(engine, lane, error)
    except Exception as error:
        fail(engine, lane, engine.incident(fault(error), lane))
    else:
        then(engine, lane, made)


def _answer(engine: EngineState, lane: Lane, answer: Answer) -> None:
    """Reply as soon as the answer is on record, or at once where it changes nothing."""
    job = lane.job
    waited = (engine.now.seconds - job.received.seconds) * 1e3 - job.compute_ms  # for its turn and a worker
    if answer.tier is not None:
        engine.counters.count_answer(answer.tier, job.source)
    timing = Timing(max(waited, 0.0), job.compute_ms, answer.tier, job.source)
    about = job.step.message.session if isinstance(job.step.message, Replay) else lane.session.id
    kind, warnings = kind_of(job.step.type), answer.warnings
    if engine.disk_low and kind.needs_disk:
        warnings = [*warnings, ("disk_low", engine.disk_low)]
    reply = Reply(answer.message, session=about, warnings=warnings, timing=timing)
    try:
        text = render(job, reply)
    except Exception as error:
        fail(engine, lane, engine.incident(fault(error), lane))
        return
    job.pending = (reply, text, answer)
    # An ask that hands nothing out changes nothing, but experiments end by it: it waits for its commit too.
    writes = lane.known and not engine.options.read_only
    waits = answer.change is not None or (kind.waits_for_commit and writes)
    if not waits:
        if not isinstance(job.step.message, Replay):  # which is in a lane of its own, and in no session
            attach(engine, lane, job)
        if not kind.sessionless and writes:
            engine.emit(Commit(None, [entry(engine, lane, job, text, True, answer)]))
            if job.step.key is not None:
                lane.note_ids([job.step.key])
        finish_step(engine, lane, text, reply)
        return
    if engine.options.read_only:
        fail(engine, lane, read_only(job.step.type))
        return
    token = engine.wait(Awaits.COMMIT, lane)
    engine.emit(Commit(token, [entry(engine, lane, job, text, True, answer)]))


def fail(engine: EngineState, lane: Lane, error: FechnerError, recorded: bool = True) -> None:
    """Answer the running job's step with an error; the session stays as it is."""
    job = lane.job
    job.code = error.code
    silence(engine, lane)
    if len(job.steps) > 1:
        error = inside(error, job.step.type)
    reply = Reply(error=error)
    text = render(job, reply)
    known_fault = job.request.fault is not None
    type_ = job.request.type if known_fault else job.step.type
    silent = engine.stopping or engine.options.read_only or kind_of(type_).sessionless
    if recorded and lane.known and not silent:
        engine.emit(Commit(None, [entry(engine, lane, job, text, False, None)]))
    if job.replies:  # an update whose tell stands
        finish_step(engine, lane, text, reply)
        return
    _finish_job(engine, lane, job, text)


def finish_step(engine: EngineState, lane: Lane, text: str, reply: Reply | None = None) -> None:
    """Go on with the job's next step, or send its reply; None: its text is that of the record."""
    job = lane.job
    job.replies.append(text if reply is None else reply)
    if len(job.replies) < len(job.steps):
        if engine.stopping:
            fail(engine, lane, FechnerError("shutting_down", "the server is stopping"), recorded=False)
        elif lane.loading:
            error = FechnerError("internal", "the session is being read back", hint="ask again")
            fail(engine, lane, error, recorded=False)
        else:
            _begin_step(engine, lane)
        return
    _finish_job(engine, lane, job, render_both(job) if len(job.steps) > 1 else text)


def _finish_job(engine: EngineState, lane: Lane, job: Job, text: str) -> None:
    """A lane has the reply of a job: send it; what waits behind it can go on."""
    connection = job.connection
    connection.outstanding -= 1
    connection.last_heard = engine.now.seconds  # who waits for us isn't silent
    if connection.barrier is job:
        connection.barrier = None
    if job.silent and job.code != "ok":
        text = f"{connection.peer} named no session, and gets none: {job.code}"
        engine.emit(Log("warning", text, connection.number, lane.session.id))
    if not job.silent:
        engine.count_reply(connection, job.request, job.code, job.received.seconds)
        note_refusal(engine, connection, job.request, job.code)
        engine.send(connection, connection.dialect, text)
    lane.running = None
    put_back(engine, lane, job)
    if job.closes and not connection.gone:
        close(engine, connection)
    if engine.options.eager or engine.options.speculate:
        engine.to_consider.append(lane)
    engine.agenda.note(connection)
    engine.agenda.note(lane)  # first
