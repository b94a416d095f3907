"""A client of an AEPsych dialect whose connection broke goes on with its session, without naming it.

These dialects have no way to say which session is meant. So a tell or an ask that comes over TCP on a
connection without a session goes to the session that a lost connection from the same address left behind, in
this run of the server and within ten minutes, and only if there is exactly one: never may the answers of two
participants meet. Clients of version 1 name their session.

Whatever speaks for another participant forbids it: a second session that is left there, or held by a
connection that may be lost as well (it is silent); a setup from there since, also one that failed; a sender
without a session that was turned away there while the session's own client still spoke; another dialect;
another participantID; a sender that had a session, or tried to set one up, on its connection; a tell of a
point that another session held from there was asked.
"""

from __future__ import annotations

from typing import Any

from fechner.server.engine.lanes import Connection, Job, Lane, Left
from fechner.server.engine.ownership import WITHIN_SECONDS, as_left, forget_old, may_reattach
from fechner.server.engine.state import EngineState
from fechner.server.observing.logs import Log
from fechner.server.protocol.dialects import Request
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.kinds import kind_of
from fechner.server.protocol.messages import Tell, Update


def note_sender(engine: EngineState, connection: Connection, request: Request) -> None:
    """Note what a request says about who sits there."""
    if connection.dialect is None or not connection.dialect.traits.sessions_unnamed:
        return
    connection.participant = _participant(request) or connection.participant
    connection.spoke = engine.now.seconds
    if kind_of(request.type).sets_up and not connection.own_session:
        connection.own_session = True
        if may_reattach(engine, connection):
            for left in engine.left_behind.values():
                if left.host == connection.host:
                    left.superseded = True


def take_up(engine: EngineState, connection: Connection, job: Job) -> str | None:
    """The session that a request without one means; None if nobody can say."""
    reattachable = kind_of(job.request.type).reattachable and job.request.fault is None
    if not (reattachable and may_reattach(engine, connection)):
        return None
    forget_old(engine)
    here, since = connection.host, engine.now.seconds - WITHIN_SECONDS
    found = {
        id_: left for id_, left in engine.left_behind.items() if left.host == here and left.since >= since
    }
    found |= _being_left(engine, here)
    reason = _forbids(engine, connection, job, found) if found else ""
    if reason:
        engine.emit(Log("warning", f"{connection.peer} named no session: {reason}", connection.number))
    if reason or not found:
        _turn_away(engine, connection)
        return None
    id_ = next(iter(found))
    job.took_up = engine.left_behind.pop(id_, None)
    text = f"{connection.peer} goes on with a session left behind from there"
    engine.emit(Log("warning", text, connection.number, id_))
    return id_


def put_back(engine: EngineState, lane: Lane, job: Job) -> None:
    """A request that took a session up is answered: where it failed, the session is still left behind."""
    left, job.took_up = job.took_up, None
    if left is not None and lane.owner is None and lane.known and not lane.session.ended:
        engine.left_behind.setdefault(lane.session.id, left)


def note_refusal(engine: EngineState, connection: Connection, request: Request, code: str) -> None:
    """A request is answered: where it was a setup that failed, somebody without a session is about."""
    if kind_of(request.type).sets_up and code != "ok":
        _turn_away(engine, connection)


def _turn_away(engine: EngineState, connection: Connection) -> None:
    """Note that a sender without a session is about: an ask or a tell was refused, or a setup."""
    if not may_reattach(engine, connection) or connection.owned:
        return
    now, who = engine.now.seconds, (connection.host, connection.own_session)
    since = now - WITHIN_SECONDS
    for old in [key for key, times in engine.turned_away.items() if times[-1] < since]:
        del engine.turned_away[old]
    times = engine.turned_away.setdefault(who, [now])
    if now - times[-1] >= WITHIN_SECONDS / 60:
        engine.turned_away[who] = [*(when for when in times if when >= since), now]


def _about(engine: EngineState, left: Left) -> bool:
    """Whether another sender without a session is about, who isn't the client of the one left behind.

    One that tried to begin isn't; nor is one that was turned away while that client still spoke. Any other
    may be the same client, which came before the server had heard of its loss.
    """
    since = engine.now.seconds - WITHIN_SECONDS
    return any(
        when >= since and (began or when <= left.spoke)
        for (where, began), times in engine.turned_away.items()
        for when in times
        if where == left.host
    )


def _forbids(engine: EngineState, connection: Connection, job: Job, found: dict[str, Left]) -> str:
    """Why the sender may be another participant than the one whose session was left; empty if nothing is."""
    left = next(iter(found.values()))
    named = _participant(job.request)
    silent = _silent(engine, connection.host)
    if len(found) > 1:
        return f"{len(found)} were left behind from there, so none was taken up"
    if silent:
        return f"beside the one left behind from there, {silent} may be lost as well, so none was taken up"
    if connection.own_session:
        return "it had one, or tried to set one up, so it doesn't take up the one left behind from there"
    if left.superseded:
        return "somebody has begun anew from there since one was left behind"
    if _about(engine, left):
        return "another sender without a session was turned away there"
    assert connection.dialect is not None
    if left.dialect != connection.dialect.name:
        return f"the one left behind from there spoke {left.dialect}, not {connection.dialect.name}"
    if named is not None and left.participant not in (None, named):
        return "the one left behind from there is another participant's"
    if _asked_elsewhere(engine, job.request, left.host):
        return "it tells what another session held from there was asked"
    return ""


def _asked_elsewhere(engine: EngineState, request: Request, here: str) -> bool:
    """Whether a tell's points are pending trials of another session that is held from there."""
    message = request.message
    tell = message.tell if isinstance(message, Update) else message
    if not isinstance(tell, Tell):
        return False
    told = [one.config for one in tell.trials or (tell,) if one.config is not None]
    return any(
        _asked(lane, config)
        for lane in engine.lanes.values()
        if lane.owner is not None and _counts(engine, lane, here)
        for config in told
    )


def _asked(lane: Lane, config: dict[str, Any]) -> bool:
    """Whether a point is a pending trial of the current strategy."""
    session = lane.session
    state = session.state
    try:
        clean = state.space.validate(dict(config), state.specification.stimuli_per_trial)
    except FechnerError:
        return False
    pending = (trial for trial in session.pending.values() if trial.strategy == session.current)
    return any(state.space.close(clean, dict(trial.config or {})) for trial in pending)


def _being_left(engine: EngineState, here: str) -> dict[str, Left]:
    """Sessions whose connection is gone while its last request is still in work."""
    return {
        lane.session.id: as_left(engine, lane.owner)
        for lane in engine.lanes.values()
        if lane.owner is not None and lane.owner.gone and _counts(engine, lane, here)
    }


def _silent(engine: EngineState, here: str) -> int:
    """How many sessions are held from there by a connection that has been silent as if it were lost."""
    return sum(
        engine.now.seconds - lane.owner.spoke >= engine.limits.silent_seconds
        for lane in engine.lanes.values()
        if lane.owner is not None and not lane.owner.gone and _counts(engine, lane, here)
    )


def _counts(engine: EngineState, lane: Lane, here: str) -> bool:
    owner = lane.owner
    assert owner is not None
    return may_reattach(engine, owner) and owner.host == here and lane.known and not lane.session.ended


def _participant(request: Request) -> str | None:
    """Whom the request names (the Unity client does)."""
    extra = request.raw.get("extra_info") if isinstance(request.raw, dict) else None
    named = extra.get("participantID") if isinstance(extra, dict) else None
    return named if isinstance(named, str) and named else None
