"""The sans-IO engine: connections, sessions, order of replies, what to record, what to compute next.

`Engine.handle(event, now)` returns effects and does no input or output, reads no clock and draws no random
number of its own (`entropy` is an argument), so that the server, the in-process client, the tests and a
fault simulator drive the very same behaviour. This module routes requests to the lanes of their sessions;
`work` does the jobs in a lane.
"""

from __future__ import annotations

import traceback
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fechner.server import __version__, work
from fechner.server.dialects import Dialect, Request, choose
from fechner.server.dialects.base import Reply
from fechner.server.errors import FechnerError, as_message
from fechner.server.events import (
    Abandon,
    Close,
    CommitFailed,
    Committed,
    Computed,
    ComputeFailed,
    Connected,
    Effect,
    Ended,
    Event,
    Found,
    Gone,
    Halt,
    HistoryRead,
    Load,
    Loaded,
    Log,
    Now,
    Pause,
    Received,
    Send,
    Stop,
    Unreadable,
)
from fechner.server.handlers.hello import hello
from fechner.server.handlers.registry import load
from fechner.server.jsontext import render as to_json
from fechner.server.lanes import Connection, Job, Lane, steps_of
from fechner.server.limits import Limits
from fechner.server.messages import Ping, Replay, Resume, Setup

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

if TYPE_CHECKING:
    from fechner.server.session import Session

#: Requests that the ones after them depend on.
_BARRIERS = ("setup", "resume", "exit")


class Engine:
    """The state machine. Not thread-safe: one caller at a time.

    Args:
        entropy: random bytes, as `os.urandom`.
        record: the record's name, for `info`.
        limits: of the server.
        dialect: `auto`, or the name of the dialect that every connection speaks.
        default_config: set up a connection's session from it if its first session message is not a setup.
        environment: what computes here, for the record.
        default_session: a session's id, or `last`: such a connection resumes it instead.
    """

    def __init__(
        self,
        entropy: Callable[[int], bytes],
        record: str = "",
        limits: Limits | None = None,
        dialect: str = "auto",
        default_config: str | None = None,
        environment: Callable[[], dict[str, Any]] = dict,
        default_session: str | None = None,
    ) -> None:
        self.entropy = entropy
        self.environment = environment
        self.record = record
        self.limits = limits or Limits()
        self.server = f"fechner {__version__}"
        self.stopping = False
        self.connections: dict[int, Connection] = {}
        self.lanes: dict[str, Lane] = {}
        self.tasks: dict[int, Lane] = {}  # computations in work
        self.commits: dict[int, Lane] = {}  # commits that a reply waits for
        self.finds: dict[int, Lane] = {}
        self.histories: dict[int, Lane] = {}
        self._loads: dict[int, str | Connection] = {}  # a lane's session, or who wants the last one
        self._forced = dialect
        self._default_config, self._default_session = default_config, default_session
        self._token = 0
        self._halted = False
        self._effects: list[Effect] = []
        self.now = Now(0.0, _EPOCH)

    def handle(self, event: Event, now: Now) -> list[Effect]:
        """Take one event in; what is to be done about it comes out."""
        self.now = now
        self._effects = []
        try:
            _HANDLE[type(event)](self, event)
        except Exception:  # a fault of the server must not take other clients down
            self.emit(Log("error", f"unexpected fault at {type(event).__name__}\n{traceback.format_exc()}"))
            if isinstance(event, Received | Unreadable) and event.connection in self.connections:
                self.emit(Close(event.connection))
        if self.stopping and not self._halted and not self.commits:
            self._halted = True
            for connection in self.connections.values():
                self.emit(Close(connection.number))
            self.emit(Halt())
        return self._effects

    def emit(self, effect: Effect) -> None:
        """Add an effect."""
        self._effects.append(effect)

    def token(self) -> int:
        """A fresh number for an effect that is answered by an event."""
        self._token += 1
        return self._token

    def draw_seed(self) -> int:
        """A fresh seed, below 2**53 so that every client's numbers hold it."""
        return int.from_bytes(self.entropy(7), "big") >> 3

    def incident(self, text: str) -> FechnerError:
        """An internal error whose cause is in the log under an incident id."""
        id_ = self.entropy(4).hex()
        self.emit(Log("error", f"incident {id_}: {text}"))
        return FechnerError(
            "internal",
            f"a fault of the server (incident {id_})",
            hint="the server's log explains the incident",
        )

    # Connections

    def _connected(self, event: Connected) -> None:
        connection = Connection(event.connection, event.stream, event.peer, self.now.seconds)
        self.connections[event.connection] = connection
        if len(self.connections) > self.limits.connections:
            error = FechnerError("limit_reached", f"the server has its {self.limits.connections} connections")
            self._refuse(connection, error)

    def _unreadable(self, event: Unreadable) -> None:
        connection = self.connections.get(event.connection)
        if connection is not None and not connection.closing and not connection.deaf:
            connection.deaf = connection.stream
            request = Request(raw=None, type="", fault=event.error)
            self._queue(connection, request, closes=connection.stream)

    def _ended(self, event: Ended) -> None:
        connection = self.connections.get(event.connection)
        if connection is not None:
            connection.ended = True
            self._close_if_done(connection)

    def _gone(self, event: Gone) -> None:
        connection = self.connections.get(event.connection)
        if connection is not None:
            connection.gone = True
            self.emit(Log("info", f"{connection.peer} is gone"))
            self._close_if_done(connection)

    def _close_if_done(self, connection: Connection) -> None:
        if connection.busy:
            return
        if connection.gone:
            self.connections.pop(connection.number, None)
            for id_ in tuple(connection.owned):
                self.detach(self.lanes.get(id_), connection)
        elif connection.ended and not connection.closing:
            self.close(connection)

    def close(self, connection: Connection) -> None:
        """Close a connection; its sessions are free from now on."""
        connection.closing = True
        self.emit(Close(connection.number))
        for id_ in tuple(connection.owned):
            self.detach(self.lanes.get(id_), connection)

    def _refuse(self, connection: Connection, error: FechnerError) -> None:
        self.send(connection, None, _both(error))
        self.close(connection)

    def send(self, connection: Connection, dialect: Dialect | None, text: str) -> None:
        """Send a reply's text."""
        if not connection.gone:
            ending = b"\n" if dialect is None else dialect.ending
            self.emit(Send(connection.number, text.encode() + (ending if connection.stream else b"")))

    # Requests

    def _received(self, event: Received) -> None:
        connection = self.connections.get(event.connection)
        if connection is None or connection.closing or connection.gone or connection.deaf:
            return
        connection.last_heard = self.now.seconds
        value = event.value
        if not isinstance(value, dict):
            fault = FechnerError("bad_request", "a request is a JSON object", hint="send {…}")
            self._queue(connection, Request(raw=value, type="", fault=fault))
            return
        if connection.dialect is None:
            try:
                connection.dialect = choose(value, self._forced)
            except FechnerError as fault:
                self._queue(connection, Request(raw=value, type="", fault=fault))
                return
        request = connection.dialect.parse(value)
        if isinstance(request.message, Ping) and request.id is not None:
            self.send(connection, connection.dialect, connection.dialect.render(request, Reply()))
            return
        self._queue(connection, request)

    def _queue(self, connection: Connection, request: Request, closes: bool = False) -> None:
        if not connection.stream and connection.busy >= self.limits.waiting_requests:
            error = FechnerError(
                "limit_reached",
                f"{self.limits.waiting_requests} requests are waiting already",
                hint="wait for replies before sending more",
            )
            self._reply(connection, request, Reply(error=error))
            return
        job = Job(connection, request, self.now, closes=closes)
        connection.waiting.append(job)
        self.pump(connection)
        if connection.stream and not connection.paused and connection.busy >= self.limits.waiting_requests:
            connection.paused = True
            self.emit(Pause(connection.number, True))

    def pump(self, connection: Connection) -> None:
        """Bring waiting jobs into the lanes of their sessions, as far as their order allows."""
        while connection.waiting and connection.barrier is None:
            job = connection.waiting[0]
            barrier = job.request.type in _BARRIERS and job.request.fault is None
            if (barrier or job.closes) and connection.outstanding:
                break
            if not self._route(connection, job):
                break
        if connection.paused and connection.busy < self.limits.waiting_requests:
            connection.paused = False
            self.emit(Pause(connection.number, False))
        self._close_if_done(connection)

    def _route(self, connection: Connection, job: Job) -> bool:
        """Take the first waiting job to its lane, or answer it; False if it has to wait."""
        request = job.request
        try:
            target = _session_id(request.session) or connection.session
        except FechnerError as fault:
            request.fault, request.session, target = fault, None, connection.session
        if self.stopping:
            request.fault = FechnerError(
                "shutting_down", "the server is stopping", hint="connect again later"
            )
        if request.type in ("hello", "ping") and request.fault is None:
            if connection.outstanding:
                return False
            message = hello(self.server, self.limits) if request.type == "hello" else {}
            self._answer(connection, job, Reply(message))
            return True
        if isinstance(request.message, Resume) and request.fault is None:
            return self._route_resume(connection, job, target)
        if request.type == "setup" and request.fault is None:
            return self._route_setup(connection, job, target)
        if isinstance(request.message, Replay) and request.fault is None:
            lane = Lane(new_session(f"replay-{self.token()}"))  # it waits for no session, and none for it
            self.lanes[lane.session.id] = lane
            self._enter(connection, job, lane.session.id)
            return True
        if target is None and request.fault is None:
            default = None if connection.default_tried else self._default_request()
            if default is not None:
                connection.default_tried = True
                connection.waiting.appendleft(Job(connection, default, self.now, silent=True))
                return True
            request.fault = FechnerError(
                "no_session", "nothing is set up on this connection", hint="send setup, or resume a session"
            )
        if target is None:
            if connection.outstanding:
                return False
            self._answer(connection, job, Reply(error=request.fault))
            return True
        self._enter(connection, job, target)
        return True

    def _default_request(self) -> Request | None:
        """What the server does for a connection that begins without setup or resume."""
        if self._default_session is not None:
            raw = {"type": "resume", "message": {"session": self._default_session}}
            return Request(raw, "resume", message=Resume(session=self._default_session))
        if self._default_config is not None:
            raw = {"type": "setup", "message": {"config_str": self._default_config}}
            return Request(raw, "setup", message=Setup(config=self._default_config))
        return None

    def _route_setup(self, connection: Connection, job: Job, target: str | None) -> bool:
        named = job.request.session is not None
        lane = self.lanes.get(target) if target is not None else None
        if target is None or (
            not named and (lane is None or lane.session.ended or lane.owner is not connection)
        ):
            target = str(uuid.UUID(bytes=self.entropy(16), version=4))
            self.lanes[target] = Lane(new_session(target))
        connection.barrier = job
        connection.default_tried = True
        self._enter(connection, job, target)
        return True

    def _route_resume(self, connection: Connection, job: Job, target: str | None) -> bool:
        message = job.request.message
        assert isinstance(message, Resume)
        wanted = message.session or target
        if message.session == "last":
            connection.barrier = job
            token = self.token()
            self._loads[token] = connection
            self.emit(Load(token, "last"))
            return True
        try:
            wanted = _session_id(wanted)
        except FechnerError as fault:
            job.request.fault = FechnerError(fault.code, fault.detail, "message.session", fault.hint)
            wanted = target
        if wanted is None:
            error = FechnerError(
                "no_session", "nothing to resume", "message.session", "name the session, or 'last'"
            )
            self._answer(connection, job, Reply(error=job.request.fault or error))
            return True
        connection.barrier = job
        self._enter(connection, job, wanted)
        return True

    def _answer(self, connection: Connection, job: Job, reply: Reply) -> None:
        """Answer a job that belongs to no session."""
        connection.waiting.popleft()
        if not job.silent:
            self._reply(connection, job.request, reply)
        if job.closes:
            self.close(connection)

    def _reply(self, connection: Connection, request: Request, reply: Reply) -> None:
        """Send a reply that is not recorded."""
        dialect = connection.dialect
        if dialect is None:
            assert reply.error is not None
            self.send(connection, None, _both(reply.error))
        else:
            self.send(connection, dialect, dialect.render(request, reply))

    def _enter(self, connection: Connection, job: Job, id_: str) -> None:
        """Put the first waiting job into the lane of session `id_`."""
        connection.waiting.popleft()
        connection.outstanding += 1
        if job.request.fault is None:
            job.steps = steps_of(job.request)
        lane = self.lanes.get(id_)
        if lane is None:
            lane = self.lanes[id_] = Lane(new_session(id_))
            self.load(lane)
        lane.queue.append(job)
        work.pump(self, lane)

    def load(self, lane: Lane) -> None:
        """Read a lane's session from the record; its jobs wait for it."""
        lane.loading = True
        token = self.token()
        self._loads[token] = lane.session.id
        self.emit(Load(token, lane.session.id))

    def _loaded(self, event: Loaded) -> None:
        wanted = self._loads.pop(event.token, None)
        if wanted is None:
            return  # answered when the server began to stop
        if isinstance(wanted, Connection):
            self._loaded_last(wanted, event)
            return
        lane = self.lanes[wanted]
        lane.loading = False
        if event.error:
            error = FechnerError("storage_failed", f"the record can't be read: {event.error}")
            for job in lane.queue:
                job.request.fault = error
        elif event.session is not None:
            lane.session, lane.known, lane.ids = event.session, True, set(event.ids)
        work.pump(self, lane)
        if event.error and lane.owner is not None:
            self.detach(lane, lane.owner)  # what memory holds may be stale: the next request reads it again

    def _loaded_last(self, connection: Connection, event: Loaded) -> None:
        job = connection.barrier
        assert job is not None
        if event.session is None:
            connection.barrier = None
            error = FechnerError("unknown_session", "there is no session on record", "message.session")
            if event.error:
                error = FechnerError("storage_failed", f"the record can't be read: {event.error}")
            self._answer(connection, job, Reply(error=error))
            self.pump(connection)
            return
        id_ = event.session.id
        if id_ not in self.lanes:
            self.lanes[id_] = Lane(event.session, known=True, ids=set(event.ids))
        self._enter(connection, job, id_)

    def job_done(self, lane: Lane, job: Job, text: str) -> None:
        """A lane has the reply of a job: send it and let what waits behind it go on."""
        connection = job.connection
        connection.outstanding -= 1
        connection.last_heard = self.now.seconds  # who waits for us isn't silent
        if connection.barrier is job:
            connection.barrier = None
        if not job.silent:
            self.send(connection, connection.dialect, text)
        lane.running = None
        if job.closes and not connection.gone:
            self.close(connection)
        work.pump(self, lane)
        self.pump(connection)
        self.drop_if_idle(lane)

    # Sessions

    def detach(self, lane: Lane | None, connection: Connection) -> None:
        """The connection no longer holds the session."""
        if lane is not None:
            connection.owned.discard(lane.session.id)
            if lane.owner is connection:
                lane.owner = None
            self.drop_if_idle(lane)

    def drop_if_idle(self, lane: Lane) -> None:
        """Forget a session that nobody holds: the record has it."""
        if lane.idle and lane.owner is None and self.lanes.get(lane.session.id) is lane:
            del self.lanes[lane.session.id]  # not a newer lane of the same session

    def _stop(self, event: Stop) -> None:
        self.stopping = True
        error = FechnerError("shutting_down", "the server is stopping", hint="connect again later")
        tasks, finds, loads = dict(self.tasks), dict(self.finds), dict(self._loads)
        self.tasks.clear()
        self.finds.clear()
        self._loads.clear()
        for task in tasks:
            self.emit(Abandon(task))
        for wanted in loads.values():
            if isinstance(wanted, Connection):
                job, wanted.barrier = wanted.barrier, None
                assert job is not None
                self._answer(wanted, job, Reply(error=error))
                self.pump(wanted)
            else:
                self.lanes[wanted].loading = False
        for lane in (*tasks.values(), *finds.values()):
            work.fail(self, lane, error)
        for lane in tuple(self.lanes.values()):
            work.pump(self, lane)


def new_session(id_: str) -> Session:
    """A session without a strategy (numpy is imported with its module, not before a session is wanted)."""
    load()
    from fechner.server.session import Session

    return Session(id_)


def _session_id(text: str | None) -> str | None:
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


def _both(error: FechnerError) -> str:
    """An error before the dialect is known, readable in either."""
    return to_json(
        {"version": "1", "type": None, "ok": False, "error": as_message(error), "server_error": str(error)}
    )


_HANDLE: dict[type[Any], Callable[[Engine, Any], None]] = {
    Connected: Engine._connected,
    Received: Engine._received,
    Unreadable: Engine._unreadable,
    Ended: Engine._ended,
    Gone: Engine._gone,
    Committed: work.committed,
    CommitFailed: work.commit_failed,
    Computed: work.computed,
    ComputeFailed: work.compute_failed,
    Loaded: Engine._loaded,
    Found: work.found,
    HistoryRead: work.history_read,
    Stop: Engine._stop,
}
