"""A client of an AEPsych dialect whose connection broke goes on with its session, without naming it.

These dialects have no way to say which session is meant. So a tell or an ask that comes over TCP on a
connection without a session goes to the session that a lost connection from the same address left behind, in
this run of the server and within ten minutes, and only if there is exactly one: never may the answers of two
participants meet. Clients of version 1 name their session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fechner.server.events import Log
from fechner.server.lanes import Connection, Job, Lane

if TYPE_CHECKING:
    from fechner.server.engine import Engine

WITHIN_SECONDS = 600.0

#: What may go on with a session that is not named.
_TYPES = ("ask", "tell", "update")


def leave(engine: Engine, lane: Lane, connection: Connection) -> None:
    """A connection no longer holds a session: it may be taken up again from the same address."""
    engine.left_behind.pop(lane.session.id, None)
    _forget_old(engine)  # most are never taken up
    if _fits(engine, connection) and lane.known and not lane.session.ended:
        engine.left_behind[lane.session.id] = (host(connection), engine.now.seconds)


def take_up(engine: Engine, connection: Connection, job: Job) -> str | None:
    """The session that a request without one means; None if nobody can say."""
    if not _fits(engine, connection) or job.request.type not in _TYPES or job.request.fault is not None:
        return None
    _forget_old(engine)
    found = [id_ for id_, (where, _) in engine.left_behind.items() if where == host(connection)]
    if len(found) != 1:
        if found:
            text = f"{connection.peer} named no session, and {len(found)} were left behind from there"
            engine.emit(Log("warning", f"{text}: none was taken up", connection.number))
        return None
    del engine.left_behind[found[0]]
    text = f"{connection.peer} goes on with a session left behind from there"
    engine.emit(Log("warning", text, connection.number, found[0]))
    return found[0]


def _forget_old(engine: Engine) -> None:
    """Those left too long ago; they stand in the order in which they were left."""
    since = engine.now.seconds - WITHIN_SECONDS
    while engine.left_behind:
        oldest = next(iter(engine.left_behind))
        if engine.left_behind[oldest][1] >= since:
            break
        del engine.left_behind[oldest]


def host(connection: Connection) -> str:
    """The address of a peer, without its port."""
    return connection.peer.rpartition(":")[0] or connection.peer


def _fits(engine: Engine, connection: Connection) -> bool:
    dialect = connection.dialect
    return engine.reattach and connection.stream and dialect is not None and dialect.lenient
