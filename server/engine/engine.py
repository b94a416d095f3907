"""The sans-IO engine: connections, sessions, order of replies, what to record, what to compute next.

`Engine.handle(event, now)` returns effects and does no input or output, reads no clock and draws no random
number of its own (`entropy` is an argument), so that the server, the in-process client, the tests and a
fault simulator drive the very same behaviour. Each kind of event has its transition of the state; the lanes
and connections that can go on after it are on the agenda, and this module alone goes on with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fechner.server.engine import (
    commits,
    computations,
    connections,
    deadlines,
    loading,
    readings,
    receiving,
    routing,
    work,
)
from fechner.server.engine.effects import Abandon, Close, Effect, Halt, Silence
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
from fechner.server.engine.lanes import Connection, Lane
from fechner.server.engine.options import EngineOptions
from fechner.server.engine.state import Awaits, EngineState
from fechner.server.observing.counters import Counters
from fechner.server.observing.faults import fault
from fechner.server.observing.logs import Log
from fechner.server.protocol.dialects.base import Reply
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.limits import Limits
from fechner.strategies._lazy import Lazy

if TYPE_CHECKING:
    from fechner.server.engine import foresight
else:
    foresight = Lazy("fechner.server.engine.foresight")  # numpy: not before the first session


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
        self.state = EngineState(entropy, record, options, environment, machine, begun)
        self._halted = False

    @property
    def limits(self) -> Limits:
        """Of the server."""
        return self.state.limits

    @property
    def counters(self) -> Counters:
        """What has happened, in numbers."""
        return self.state.counters

    def handle(self, event: Event, now: Now) -> list[Effect]:
        """Take one event in; what is to be done about it comes out."""
        state = self.state
        state.now = now
        self._try(event, lambda: TRANSITIONS[type(event)](state, event))
        if state.to_stop:
            self._try(event, self._stop)
        if state.stopping and not self._halted and not any(state.awaited(Awaits.COMMIT)):
            self._halted = True
            for connection in state.connections.values():
                state.emit(Close(connection.number))
            state.emit(Halt())
        return state.take_effects()

    def consider(self) -> list[Effect]:
        """What to compute ahead after the event handled last: its effects, replies among them, come first."""
        state = self.state
        lanes, state.to_consider = state.to_consider, []
        for lane in lanes:
            try:
                foresight.plan(state, lane)
            except Exception as error:  # nobody waits for it
                text = "unexpected fault in computing ahead"
                state.emit(Log("error", text, session=lane.session.id, fault=fault(error)))
        return state.take_effects()

    def _try(self, event: Event, transition: Callable[[], None]) -> None:
        """Do what an event brings about; a fault of the server must not take other clients down."""
        state = self.state
        try:
            transition()
            self._go_on()
        except Exception as error:
            state.agenda.clear()
            text = f"unexpected fault at {type(event).__name__}"
            state.emit(Log("error", text, getattr(event, "connection", None), fault=fault(error)))
            if isinstance(event, Received | Unreadable) and event.connection in state.connections:
                state.emit(Close(event.connection))

    def _go_on(self) -> None:
        """Go on with whoever can, until nobody can."""
        state, agenda = self.state, self.state.agenda
        while (one := agenda.next()) is not None:
            goes_on = work.go_on(state, one) if isinstance(one, Lane) else routing.go_on(state, one)
            if not goes_on:
                agenda.strike(one)

    def _stop(self) -> None:
        """Finish what is being committed, answer the rest."""
        state = self.state
        state.stopping, state.to_stop = True, False
        state.emit(Log("info", "stopping"))
        error = FechnerError("shutting_down", "the server is stopping", hint="connect again later")
        for token, _ in state.awaited(Awaits.COMPUTATION, Awaits.AHEAD):
            state.emit(Abandon(token))
        for token, _ in state.awaited(Awaits.DEADLINE, Awaits.PENALTY):
            state.emit(Silence(token))
        given_up = list(state.awaited(*_GIVEN_UP))
        for token, _ in given_up:
            del state.waiting[token]
        for _, one in given_up:
            self._tell(one.kind, one.who, error)
            self._go_on()
        for lane in tuple(state.lanes.values()):
            state.agenda.note(lane)
            self._go_on()

    def _tell(self, kind: Awaits, who: Lane | Connection, error: FechnerError) -> None:
        """Who waits for something gets an error instead."""
        if isinstance(who, Connection):
            if kind is Awaits.PENALTY:
                routing.end_penalty(self.state, who, error)
            else:
                job, who.barrier = who.barrier, None
                assert job is not None
                routing.answer(self.state, who, job, Reply(error=error))
                self.state.agenda.note(who)
        elif kind is Awaits.SESSION:
            who.loading = False
        elif kind not in (Awaits.AHEAD, Awaits.DEADLINE):
            work.fail(self.state, who, error)


#: What is given up in a stop, in this order: everything but commits.
_GIVEN_UP = (
    Awaits.AHEAD,
    Awaits.DEADLINE,
    Awaits.PENALTY,
    Awaits.LAST_SESSION,
    Awaits.SESSION,
    Awaits.COMPUTATION,
    Awaits.REPLY,
    Awaits.HISTORY,
    Awaits.SEED_DATA,
)


def _wake(state: EngineState, event: Woken) -> None:
    """The deadline of a computation has come, or a wrong token has waited long enough."""
    lane = state.take_lane(event.token, Awaits.DEADLINE)
    if lane is not None:
        deadlines.meet_deadline(state, lane)
        return
    connection = state.take_connection(event.token, Awaits.PENALTY)
    if connection is not None:
        routing.end_penalty(state, connection)


def _note_disk(state: EngineState, event: DiskLow) -> None:
    """There is little room on the disk, or enough again."""
    state.disk_low = event.text
    if event.text:
        state.emit(Log("warning", event.text))
    else:
        state.emit(Log("info", "the disk has room again"))


def _ask_to_stop(state: EngineState, event: Stop) -> None:
    state.to_stop = True


#: What each kind of event brings about.
TRANSITIONS: dict[type[Any], Callable[[EngineState, Any], None]] = {
    Connected: connections.connect,
    Received: receiving.receive,
    Unreadable: connections.refuse_input,
    Ended: connections.note_end,
    Gone: connections.lose,
    Committed: commits.adopt,
    CommitFailed: commits.report_failure,
    Computed: computations.take_result,
    Emitted: computations.take_tier,
    ComputeFailed: computations.take_failure,
    Woken: _wake,
    Loaded: loading.take_session,
    Found: readings.answer_repeated,
    HistoryRead: readings.replay_history,
    SeedDataRead: readings.take_seed_data,
    DiskLow: _note_disk,
    Stop: _ask_to_stop,
}
