"""Who holds which session: taking hold of one, letting go of it, leaving it behind, forgetting it."""

from __future__ import annotations

from fechner.server.engine.access import looks_on
from fechner.server.engine.ahead import give_up_all
from fechner.server.engine.effects import Close
from fechner.server.engine.lanes import Connection, Job, Lane, Left
from fechner.server.engine.phases import Phase
from fechner.server.engine.state import EngineState
from fechner.server.protocol.kinds import kind_of

#: Sessions of one connection that are kept in memory.
MOST_HELD = 256

#: For so long a session that was left behind may be taken up again.
WITHIN_SECONDS = 600.0


def attach(engine: EngineState, lane: Lane, job: Job) -> None:
    """A step has succeeded: its connection holds the session from now on, or observes it."""
    connection, id_, owner = job.connection, lane.session.id, lane.owner
    if engine.options.read_only:
        connection.observing.add(id_)
    elif not looks_on(lane, job):
        if owner is not None and owner is not connection:
            owner.owned.discard(id_)
            if owner.session == id_:
                owner.session = None
        lane.owner = connection
        connection.own_session = True
        engine.left_behind.pop(id_, None)
        connection.observing.discard(id_)
        connection.owned.add(id_)
        if len(connection.owned) > MOST_HELD:
            _let_go(engine, connection)
    elif job.step.type == "resume":
        connection.observing.add(id_)
        connection.owned.discard(id_)
        if owner is connection:
            lane.owner = None
    if kind_of(job.step.type).takes_hold or connection.session not in (
        connection.owned | connection.observing
    ):
        connection.session = id_


def _let_go(engine: EngineState, connection: Connection) -> None:
    """Of many sessions the oldest that isn't being used is kept on record only, until it is named again."""
    for lane in engine.lanes.values():
        if lane.owner is connection and lane.idle and lane.session.id != connection.session:
            detach(engine, lane, connection)
            return


def detach(engine: EngineState, lane: Lane, connection: Connection) -> None:
    """The connection no longer holds the session."""
    connection.owned.discard(lane.session.id)
    if lane.owner is connection:
        lane.owner = None
        _leave(engine, lane, connection)
    drop_if_idle(engine, lane)


def detach_all(engine: EngineState, connection: Connection) -> None:
    """The connection no longer holds any session."""
    for id_ in tuple(connection.owned):
        lane = engine.lanes.get(id_)
        if lane is not None:
            detach(engine, lane, connection)


def _leave(engine: EngineState, lane: Lane, connection: Connection) -> None:
    """A connection no longer holds a session: it may be taken up again from the same address."""
    engine.left_behind.pop(lane.session.id, None)
    forget_old(engine)  # most are never taken up
    if may_reattach(engine, connection) and lane.known and not lane.session.ended:
        engine.left_behind[lane.session.id] = as_left(engine, connection)


def forget_old(engine: EngineState) -> None:
    """Those left too long ago; but for a few they stand in the order in which they were left."""
    since = engine.now.seconds - WITHIN_SECONDS
    while engine.left_behind:
        oldest = next(iter(engine.left_behind))
        if engine.left_behind[oldest].since >= since:
            break
        del engine.left_behind[oldest]


def as_left(engine: EngineState, connection: Connection) -> Left:
    """A session of this connection, as it is left now."""
    assert connection.dialect is not None
    name, now = connection.dialect.name, engine.now.seconds
    return Left(connection.host, now, name, connection.participant, connection.spoke)


def may_reattach(engine: EngineState, connection: Connection) -> bool:
    """Whether its client can't name its session, and may go on with it all the same."""
    dialect = connection.dialect
    unnamed = dialect is not None and dialect.traits.sessions_unnamed
    return engine.options.reattach and connection.stream and unnamed


def drop_if_idle(engine: EngineState, lane: Lane) -> None:
    """Forget a session that nobody holds: the record has it."""
    if lane.idle and lane.owner is None and engine.lanes.get(lane.session.id) is lane:
        give_up_all(engine, lane)
        del engine.lanes[lane.session.id]  # not a newer lane of the same session


def close(engine: EngineState, connection: Connection, at_once: bool = False) -> None:
    """Close a connection; its sessions are free from now on."""
    if not connection.gone:
        connection.enter(Phase.CLOSING)
    engine.emit(Close(connection.number, at_once))
    detach_all(engine, connection)


def close_if_done(engine: EngineState, connection: Connection) -> None:
    """A connection that asks nothing more ends with the last answer to what it had asked."""
    if connection.busy:
        return
    if connection.gone:
        engine.connections.pop(connection.number, None)
        detach_all(engine, connection)
    elif connection.phase is Phase.ENDED:
        close(engine, connection)
