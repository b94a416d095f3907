"""The sans-IO engine: connections, sessions, order of replies, what to record, what to compute next.

`Engine.handle(event, now)` returns effects and does no input or output, reads no clock and draws no random
number of its own (`entropy` is an argument), so that the server, the in-process client, the tests and a
fault simulator drive the very same behaviour. This module routes requests to the lanes of their sessions;
`work` does the jobs in a lane.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fechner.server.engine import deadlines, readings, reattachment, routing, work
from fechner.server.engine.authentication import penalty_of, stranger
from fechner.server.engine.effects import Abandon, Close, Effect, Halt, Load, Send, Silence
from fechner.server.engine.events import (
    CommitFailed,
    Committed,
    Computed,
    ComputeFailed,
    Connected,
    DiskLow,
    Emitted,
    Ended,
    Event,
    Found,
    Gone,
    HistoryRead,
    Loaded,
    Now,
    Received,
    SeedDataRead,
    Stop,
    Unreadable,
    Woken,
)
from fechner.server.engine.lanes import Connection, Job, Lane
from fechner.server.engine.options import EngineOptions
from fechner.server.observing.counters import Counters
from fechner.server.observing.faults import Fault, fault
from fechner.server.observing.logs import Log
from fechner.server.protocol.dialects import DIALECTS, Dialect, Request
from fechner.server.protocol.dialects.base import Reply, undecided_error
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.kinds import kind_of
from fechner.server.protocol.limits import exceeded
from fechner.server.version import __version__

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Engine:
    """The state machine. Not thread-safe: one caller at a time.

    Args:
        entropy: random bytes, as `os.urandom`.
        record: the record's name, for `info`.
        options: how it behaves.
        environment: what computes here, for the record.
        machine: workers and computations that wait for them, for `status`.
        begun: when the server began, in the seconds of `Now`.
    """

    def __init__(
        self,
        entropy: Callable[[int], bytes],
        record: str = "",
        options: EngineOptions = EngineOptions(),  # noqa: B008 (frozen)
        *,
        environment: Callable[[], dict[str, Any]] = dict,
        machine: Callable[[], dict[str, Any]] = dict,
        begun: float = 0.0,
    ) -> None:
        self.entropy = entropy
        self.environment, self.machine, self.begun = environment, machine, begun
        self.counters = Counters()
        self.record = record
        self.limits = options.limits
        self.server = f"fechner {__version__}"
        self.stopping = False
        self.disk_low = ""  # a warning for who asks
        self.connections: dict[int, Connection] = {}
        self.lanes: dict[str, Lane] = {}
        self.tasks: dict[int, Lane] = {}  # computations in work
        self.commits: dict[int, Lane] = {}  # commits that a reply waits for
        self.alarms: dict[int, Lane] = {}  # deadlines
        self.finds: dict[int, Lane] = {}
        self.histories: dict[int, Lane] = {}
        self.readings: dict[int, Lane] = {}
        self.loads: dict[int, str | Connection] = {}  # a lane's session, or who wants the last one
        self.forced = options.dialect
        self.default_config, self.default_session = options.default_config, options.default_session
        self.read_only, self.reattach = options.read_only, options.reattach and not options.read_only
        self.exit_with_client, self.exited = options.exit_with_client, False
        self.tokens, self.nameless = options.tokens, options.nameless
        self.penalties: dict[int, Connection] = {}  # wrong tokens that wait for their answer
        self.left_behind: dict[str, reattachment.Left] = {}  # sessions that lost their connection
        self.turned_away: dict[tuple[str, bool], list[float]] = {}  # senders without a session, and when
        self.eager = options.eager and not options.read_only
        self.speculate = options.speculate and not options.read_only
        self.foreseen: dict[int, tuple[Lane, bytes]] = {}  # computations that no request waits for yet
        self._token = 0
        self._halted = False
        self._effects: list[Effect] = []
        self._to_consider: list[Lane] = []
        self.now = Now(0.0, _EPOCH)

    def handle(self, event: Event, now: Now) -> list[Effect]:
        """Take one event in; what is to be done about it comes out."""
        self.now = now
        self._effects = []
        try:
            _HANDLE[type(event)](self, event)
        except Exception as error:  # a fault of the server must not take other clients down
            text = f"unexpected fault at {type(event).__name__}"
            self.emit(Log("error", text, getattr(event, "connection", None), fault=fault(error)))
            if isinstance(event, Received | Unreadable) and event.connection in self.connections:
                self.emit(Close(event.connection))
        if self.exited and self.exit_with_client and not self.stopping:
            self._stop(Stop())
        if self.stopping and not self._halted and not self.commits:
            self._halted = True
            for connection in self.connections.values():
                self.emit(Close(connection.number))
            self.emit(Halt())
        return self._effects

    def consider(self) -> list[Effect]:
        """What to compute ahead after the event handled last: its effects, replies among them, come first."""
        self._effects, lanes, self._to_consider = [], self._to_consider, []
        for lane in lanes:
            from fechner.server.engine.foresight import plan  # loads numpy: not before the first session

            try:
                plan(self, lane)
            except Exception as error:  # nobody waits for it
                text = "unexpected fault in computing ahead"
                self.emit(Log("error", text, session=lane.session.id, fault=fault(error)))
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

    def incident(self, found: Fault, lane: Lane) -> FechnerError:
        """An internal error whose cause is in the log under an incident id."""
        id_ = self.entropy(4).hex()
        number = None if lane.running is None else lane.running.connection.number
        self.emit(Log("error", f"incident {id_}", number, lane.session.id, id_, found))
        return FechnerError(
            "internal",
            f"a fault of the server (incident {id_})",
            hint="the server's log explains the incident",
        )

    # Connections

    def _connected(self, event: Connected) -> None:
        dialect = DIALECTS.get(self.forced)  # else its first request decides
        connection = Connection(event.connection, event.stream, event.peer, self.now.seconds, dialect)
        self.connections[event.connection] = connection
        self.counters.connections += 1
        self.emit(Log("info", f"connection opened by {event.peer}", event.connection))
        most = self.limits.connections
        if len(self.connections) > most and sum(not one.closing for one in self.connections.values()) > most:
            text = f"the server has its {most} connections"
            error = exceeded("connections", text, hint="close some, or try again later")
            one = stranger(self, connection)
            self._refuse(one or connection, error, at_once=one is not None)

    def _unreadable(self, event: Unreadable) -> None:
        connection = self.connections.get(event.connection)
        if connection is not None and not connection.closing and not connection.deaf:
            connection.deaf = connection.stream
            request = Request(raw=None, type="", fault=event.error)
            routing.queue(self, connection, request, closes=connection.stream)

    def _ended(self, event: Ended) -> None:
        connection = self.connections.get(event.connection)
        if connection is not None:
            connection.ended = True
            self._close_if_done(connection)

    def _gone(self, event: Gone) -> None:
        connection = self.connections.get(event.connection)
        if connection is not None:
            connection.gone = True
            while (penalty := penalty_of(self, connection)) is not None:  # nobody is there to wait for it
                self.emit(Silence(penalty))
                routing.penalty_over(self, penalty)
            self.emit(Log("info", f"connection closed by {connection.peer}", connection.number))
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

    def close(self, connection: Connection, at_once: bool = False) -> None:
        """Close a connection; its sessions are free from now on."""
        connection.closing = True
        self.emit(Close(connection.number, at_once))
        for id_ in tuple(connection.owned):
            self.detach(self.lanes.get(id_), connection)

    def _refuse(self, connection: Connection, error: FechnerError, at_once: bool) -> None:
        penalty = penalty_of(self, connection)
        if penalty is not None:
            del self.penalties[penalty]
            self.emit(Silence(penalty))
            connection.barrier = None
            connection.waiting.clear()
        self.send(connection, None, undecided_error(error))
        self.close(connection, at_once)

    def send(self, connection: Connection, dialect: Dialect | None, text: str) -> None:
        """Send a reply's text."""
        if not connection.gone:
            ending = b"\n" if dialect is None else dialect.ending
            data = text.encode() + (ending if connection.stream else b"")
            self.counters.replies += 1
            self.counters.bytes_out += len(data)
            self.emit(Send(connection.number, data))

    def answered(self, connection: Connection, request: Request, code: str, received: float) -> None:
        """Count a request that has its reply."""
        dialect = "none" if connection.dialect is None else connection.dialect.name
        self.counters.count_reply(request.type, dialect, code, self.now.seconds - received)
        if kind_of(request.type).sets_up and code != "ok":
            reattachment.turn_away(self, connection)

    def job_done(self, lane: Lane, job: Job, text: str) -> None:
        """A lane has the reply of a job: send it and let what waits behind it go on."""
        connection = job.connection
        connection.outstanding -= 1
        connection.last_heard = self.now.seconds  # who waits for us isn't silent
        if connection.barrier is job:
            connection.barrier = None
        if job.silent and job.code != "ok":
            text = f"{connection.peer} named no session, and gets none: {job.code}"
            self.emit(Log("warning", text, connection.number, lane.session.id))
        if not job.silent:
            self.answered(connection, job.request, job.code, job.received.seconds)
            self.send(connection, connection.dialect, text)
        lane.running = None
        reattachment.done(self, lane, job)
        if job.closes and not connection.gone:
            self.close(connection)
        work.pump(self, lane)
        routing.pump(self, connection)
        self.drop_if_idle(lane)
        if self.eager or self.speculate:
            self._to_consider.append(lane)

    # Sessions

    def load(self, lane: Lane) -> None:
        """Read a lane's session from the record; its jobs wait for it. Not in a stop: they are refused."""
        if self.stopping:
            return
        lane.loading = True
        token = self.token()
        self.loads[token] = lane.session.id
        self.emit(Load(token, lane.session.id))

    def detach(self, lane: Lane | None, connection: Connection) -> None:
        """The connection no longer holds the session."""
        if lane is not None:
            connection.owned.discard(lane.session.id)
            if lane.owner is connection:
                lane.owner = None
                reattachment.leave(self, lane, connection)
            self.drop_if_idle(lane)

    def drop_if_idle(self, lane: Lane) -> None:
        """Forget a session that nobody holds: the record has it."""
        if lane.idle and lane.owner is None and self.lanes.get(lane.session.id) is lane:
            if lane.ahead:
                from fechner.server.engine.foresight import forget

                forget(self, lane)
            del self.lanes[lane.session.id]  # not a newer lane of the same session

    def _disk_low(self, event: DiskLow) -> None:
        self.disk_low = event.text
        self.emit(Log(*(("warning", event.text) if event.text else ("info", "the disk has room again"))))

    def _stop(self, event: Stop) -> None:
        self.stopping = True
        self.emit(Log("info", "stopping"))
        error = FechnerError("shutting_down", "the server is stopping", hint="connect again later")
        tasks, alarms, loads = dict(self.tasks), tuple(self.alarms), dict(self.loads)
        reads = [*self.finds.values(), *self.histories.values(), *self.readings.values()]
        for waiting in (self.tasks, self.alarms, self.finds, self.histories, self.readings, self.loads):
            waiting.clear()
        for task in (*tasks, *self.foreseen):
            self.emit(Abandon(task))
        self.foreseen.clear()
        for alarm in alarms:
            self.emit(Silence(alarm))
        for penalty in tuple(self.penalties):
            self.emit(Silence(penalty))
            routing.penalty_over(self, penalty, error)
        for wanted in loads.values():
            if isinstance(wanted, Connection):
                job, wanted.barrier = wanted.barrier, None
                assert job is not None
                routing.answer(self, wanted, job, Reply(error=error))
                routing.pump(self, wanted)
            else:
                self.lanes[wanted].loading = False
        for lane in (*tasks.values(), *reads):
            work.fail(self, lane, error)
        for lane in tuple(self.lanes.values()):
            work.pump(self, lane)


_HANDLE: dict[type[Any], Callable[[Engine, Any], None]] = {
    Connected: Engine._connected,
    Received: routing.received,
    Unreadable: Engine._unreadable,
    Ended: Engine._ended,
    Gone: Engine._gone,
    Committed: work.committed,
    CommitFailed: work.commit_failed,
    Computed: work.computed,
    Emitted: deadlines.emitted,
    Woken: deadlines.woken,
    ComputeFailed: work.compute_failed,
    Loaded: routing.loaded,
    Found: readings.found,
    HistoryRead: readings.history_read,
    SeedDataRead: readings.seed_data_read,
    DiskLow: Engine._disk_low,
    Stop: Engine._stop,
}
