"""The jobs of a lane: duplicates, access, the handler, the computation, the commit, the reply.

One job at a time. A session's new state is adopted, and its next job begun, only after the job's commit;
what changes nothing is answered without waiting for its commit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fechner.server.engine.access import (
    attach,
    check_access,
    is_hidden,
    looks_on,
    read_only,
    unknown_session,
)
from fechner.server.engine.effects import Commit, Compute, Find, ReadHistory, ReadSeedData
from fechner.server.engine.events import CommitFailed, Committed, Computed, ComputeFailed, Emitted
from fechner.server.engine.lanes import Job, Lane, set_alarm, silence
from fechner.server.engine.principals import NAMELESS
from fechner.server.engine.replies import entry, render, render_both
from fechner.server.observing.faults import Fault, fault
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

if TYPE_CHECKING:
    from fechner.server.engine.engine import Engine


def pump(engine: Engine, lane: Lane) -> None:
    """Begin the next job."""
    if lane.pumping:
        return  # of many jobs that are done at once, each would begin the next one inside of itself
    lane.pumping = True
    try:
        _begin_jobs(engine, lane)
    finally:
        lane.pumping = False
    if lane.idle:
        engine.drop_if_idle(lane)


def _begin_jobs(engine: Engine, lane: Lane) -> None:
    while lane.running is None and lane.queue and not lane.loading:
        if lane.stale and lane.queue[0].request.fault is None and not engine.stopping:
            engine.load(lane)
            return
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


def _begin_step(engine: Engine, lane: Lane) -> None:
    """Answer a step from the record if its id is known, else do it."""
    job = running(lane)
    if kind_of(job.step.type).observer_may and looks_on(lane, job):
        job.step.key = None  # who only looks takes no id from who holds the session, and may look again
    key = job.step.key
    if key is not None and lane.may_know(key):
        token = engine.token()
        engine.finds[token] = lane
        engine.emit(Find(token, lane.session.id, key))
        return
    do_step(engine, lane)


def do_step(engine: Engine, lane: Lane) -> None:
    job = running(lane)
    step = job.step
    dialect = job.connection.dialect
    assert dialect is not None
    if isinstance(step.message, Replay):
        _read_history(engine, lane, step.message)
        return
    version, traits = dialect.handlers, dialect.traits
    principal = job.connection.principal or NAMELESS

    def handled() -> Result:
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

    attempt(engine, lane, handled, proceed)


def proceed(engine: Engine, lane: Lane, result: Result) -> None:
    """Compute or read what a handler wants first, or answer."""
    if isinstance(result, Reading):
        token = engine.token()
        engine.readings[token] = lane
        lane.reading = result
        most = engine.limits.seed_trials
        whose = running(lane).connection.principal or NAMELESS
        engine.emit(
            ReadSeedData(token, lane.session.id, result.specification, most, whose.owner, whose.sees_all)
        )
        return
    if isinstance(result, Computation):
        if lane.ahead:
            from fechner.server.engine.foresight import take

            spared = take(engine, lane, result)
            if spared is not False:
                lane.computation = result
                if spared is not True:
                    resulted(engine, lane, spared.result)
                else:
                    set_alarm(engine, lane)
                return
        task = engine.token()
        engine.tasks[task] = lane
        lane.computation = result
        due = set_alarm(engine, lane)
        engine.emit(Compute(task, result.priority, result.function, result.arguments, due is not None, due))
    else:
        _answered(engine, lane, result)


def _read_history(engine: Engine, lane: Lane, message: Replay) -> None:
    token = engine.token()
    engine.histories[token] = lane
    engine.emit(ReadHistory(token, message.session.lower()))


def computed(engine: Engine, event: Computed) -> None:
    """A computation's result becomes the step's answer."""
    lane = engine.tasks.pop(event.task, None)
    if lane is None:
        came_ahead(engine, event)
        return
    job = running(lane)
    count(engine, event, lane.computation.function if lane.computation else "propose", job.source)
    if job.source == "request":
        job.compute_ms += event.compute_ms
    resulted(engine, lane, event.result)


def count(engine: Engine, event: Computed, function: str, source: str) -> None:
    """Count a computation that has its result."""
    tier = event.result.get("tier") if function == "propose" and isinstance(event.result, dict) else None
    engine.counters.count_computation(function, tier or "none", source, event.compute_ms / 1e3)


def came_ahead(engine: Engine, event: Computed | ComputeFailed | Emitted) -> None:
    """A result that nobody waits for: kept for a request that may come, if it isn't abandoned."""
    if event.task in engine.foreseen:
        from fechner.server.engine.foresight import came

        came(engine, event)


def resulted(engine: Engine, lane: Lane, result: Any) -> None:
    """A computation's result becomes the step's answer."""
    job = running(lane)
    silence(engine, lane)
    computation, lane.computation = lane.computation, None
    assert isinstance(computation, Computation)
    if job.connection.gone and kind_of(job.request.type).in_vain and computation.priority == Priority.REPLAY:
        fail(engine, lane, FechnerError("no_session", "the sender is gone"))
        return
    attempt(engine, lane, lambda: computation.answer(result), proceed)


def attempt(
    engine: Engine, lane: Lane, make: Callable[[], Any], go_on: Callable[[Engine, Lane, Any], None]
) -> None:
    """Go on with what `make` gives; what it raises answers the step."""
    try:
        made = make()
    except FechnerError as error:
        fail(engine, lane, error)
    except Exception as error:
        fail(engine, lane, engine.incident(fault(error), lane))
    else:
        go_on(engine, lane, made)


def compute_failed(engine: Engine, event: ComputeFailed) -> None:
    """A computation raised."""
    lane = engine.tasks.pop(event.task, None)
    if lane is None:
        came_ahead(engine, event)
    else:
        function = lane.computation.function if lane.computation else "propose"
        engine.counters.count_failure(function)
        internal = event.error.code == "internal"
        fail(engine, lane, engine.incident(event.fault, lane) if internal else event.error)


def _answered(engine: Engine, lane: Lane, answer: Answer) -> None:
    job = running(lane)
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
    job.pending = (reply, text, answer.change)
    # An ask that hands nothing out changes nothing, but experiments end by it: it waits for its commit too.
    waits = answer.change is not None or (kind.waits_for_commit and lane.known and not engine.read_only)
    if not waits:
        if not isinstance(job.step.message, Replay):  # which is in a lane of its own, and in no session
            attach(engine, lane, job)
        if not kind.sessionless and lane.known and not engine.read_only:
            engine.emit(Commit(None, [entry(engine, lane, job, text, True, answer)]))
            if job.step.key is not None:
                lane.used([job.step.key])
        step_done(engine, lane, text, reply)
        return
    if engine.read_only:
        fail(engine, lane, read_only(job.step.type))
        return
    token = engine.token()
    engine.commits[token] = lane
    engine.emit(Commit(token, [entry(engine, lane, job, text, True, answer)]))


def committed(engine: Engine, event: Committed) -> None:
    """The step is on record: adopt its change, then reply."""
    lane = engine.commits.pop(event.token)
    job = running(lane)
    assert job.pending is not None
    reply, text, change = job.pending
    lane.known = True
    try:
        if change is not None:
            lane.session.apply(change)
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
        lane.used([job.step.key])
    attach(engine, lane, job)
    if change is not None and change["type"] == "exit":
        engine.detach(lane, job.connection)
        engine.exited = True
    step_done(engine, lane, text, reply)


def commit_failed(engine: Engine, event: CommitFailed) -> None:
    """The step is not on record: nothing changes."""
    if event.token is None:
        text = f"a message that changes nothing is not on record: {event.kind}"
        engine.emit(Log("error", text, fault=Fault(detail=event.reason)))
        return
    lane = engine.commits.pop(event.token)
    text, found = f"not on record: {event.kind}", Fault(detail=event.reason)
    engine.emit(Log("error", text, running(lane).connection.number, lane.session.id, fault=found))
    hint = "nothing has changed; send the request again once the fault is mended"
    if event.unsettled:
        hint = "it may be on record: send it again with its id, and it counts once"
        engine.load(lane)  # the session as it really is
    error = FechnerError("storage_failed", f"the record could not be written: {event.reason}", hint=hint)
    fail(engine, lane, error, recorded=False)


def fail(engine: Engine, lane: Lane, error: FechnerError, recorded: bool = True) -> None:
    """Answer the running job's step with an error; the session stays as it is."""
    job = running(lane)
    job.code = error.code
    silence(engine, lane)
    if len(job.steps) > 1:
        error = inside(error, job.step.type)
    reply = Reply(error=error)
    text = render(job, reply)
    known_fault = job.request.fault is not None
    type_ = job.request.type if known_fault else job.step.type
    silent = engine.stopping or engine.read_only or kind_of(type_).sessionless
    if recorded and lane.known and not silent:
        engine.emit(Commit(None, [entry(engine, lane, job, text, False, None)]))
    if job.replies:  # an update whose tell stands
        step_done(engine, lane, text, reply)
        return
    engine.job_done(lane, job, text)


def step_done(engine: Engine, lane: Lane, text: str, reply: Reply | None = None) -> None:
    """Go on with the job's next step, or send its reply; None: its text is that of the record."""
    job = running(lane)
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
    engine.job_done(lane, job, render_both(job) if len(job.steps) > 1 else text)


def running(lane: Lane) -> Job:
    assert lane.running is not None
    return lane.running
