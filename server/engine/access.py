"""Who may do what in a session: one connection holds it, others may look on. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Set

from fechner.server.engine.lanes import Connection, Job, Lane
from fechner.server.engine.principals import Principal
from fechner.server.engine.state import EngineState
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.kinds import kind_of
from fechner.server.protocol.messages import Replay, Resume


def visible_sessions(engine: EngineState, connection: Connection) -> Set[str]:
    """The ids of the sessions in progress that `status` may show to a connection; to an observer none."""
    principal = connection.principal
    if principal is None or principal.role == "observer":
        return frozenset()
    return {id_ for id_, lane in engine.lanes.items() if may_see(principal, lane.session.owner)}


def may_see(principal: Principal | None, owner: str | None) -> bool:
    """Whether a session of `owner` answers them at all; an observer has to know its id."""
    if principal is None:
        return False
    return principal.sees_all or principal.role == "observer" or principal.owner == owner


def is_hidden(lane: Lane, job: Job) -> bool:
    """Whether the sender hears that there is no such session, whatever is wrong with the request besides.

    So it is where there is none, too, but for who sees all and is better served by the request's own fault.
    """
    principal = job.connection.principal
    if lane.known or lane.unreadable:
        return not may_see(principal, lane.session.owner)
    sees_all = principal is not None and principal.sees_all
    fresh = kind_of(job.request.type).sets_up or isinstance(job.request.message, Replay)
    return job.request.fault is not None and not (sees_all or fresh or lane.stale)


def unknown_session(lane: Lane, type_: str) -> FechnerError:
    """There is no such session, or none that answers this sender: nobody learns which."""
    return FechnerError(
        "unknown_session",
        f"there is no session {lane.session.id}",
        where="message.session" if type_ == "resume" else "session",
        hint="`fechner sessions` lists the record's sessions",
    )


def looks_on(lane: Lane, job: Job) -> bool:
    """Whether the job's sender observes the session, or is about to."""
    message, principal = job.step.message, job.connection.principal
    if principal is not None and principal.role == "observer":
        return True
    if isinstance(message, Resume):
        return message.observe
    return lane.session.id in job.connection.observing


def check_access(engine: EngineState, lane: Lane, job: Job) -> None:
    """Raise unless the job's connection may do this step in this session.

    Raises:
        FechnerError: session_busy, no_session (it has ended), unauthorized (an observer), read_only.
    """
    connection, type_ = job.connection, job.step.type
    kind = kind_of(type_)
    if engine.options.read_only:
        if not kind.observer_may or (type_ == "resume" and not looks_on(lane, job)):
            raise read_only(type_)
        return
    if looks_on(lane, job):
        if not kind.observer_may:
            raise FechnerError(
                "unauthorized", f"an observer can't send {type_}", hint="resume the session without `observe`"
            )
        return
    owner = lane.owner
    if owner is not None and owner is not connection:
        silent = engine.now.seconds - owner.last_heard >= engine.limits.silent_seconds
        named = type_ == "resume" and not job.silent  # not what the server resumes for who names nothing
        if not (owner.gone or (named and silent)):
            raise FechnerError(
                "session_busy",
                "another connection holds the session",
                where="session",
                hint='look on with resume and "observe": true, or resume it once the other is silent or gone',
            )
    if lane.session.ended and not kind.takes_hold:
        raise FechnerError("no_session", "the session has ended", hint="send resume to go on with it")


def read_only(type_: str) -> FechnerError:
    """The error for what a server that writes nothing can't do."""
    hint = 'look on with "observe": true' if type_ == "resume" else "a server without --read-only takes it"
    text = f"the record is open for reading only: {type_} would change it"
    return FechnerError("read_only", text, hint=hint)
