"""What an engine knows and what is to come of it: plain tables, and the effects of the event at hand.

Whatever the engine has asked the shell for, and is told later, stands in one table, `waiting`: by the number
that effect and event share, what is awaited, and for whom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from fechner.server.engine.agenda import Agenda
from fechner.server.engine.effects import Effect, Load, Send
from fechner.server.engine.events import Now
from fechner.server.engine.lanes import Connection, Lane, Left
from fechner.server.engine.options import EngineOptions
from fechner.server.observing.counters import Counters
from fechner.server.observing.faults import Fault
from fechner.server.observing.logs import Log
from fechner.server.protocol.dialects import Dialect, Request
from fechner.server.protocol.errors import FechnerError
from fechner.server.version import __version__

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Awaits(Enum):
    """What is awaited; those of `PENALTY` and `LAST_SESSION` wait for a connection, the others for a lane."""

    COMPUTATION = "a computation that a job waits for"
    AHEAD = "a computation that no request waits for yet"
    COMMIT = "a commit that a reply waits for"
    DEADLINE = "the deadline of a computation"
    PENALTY = "the time after which a wrong token is answered"
    REPLY = "the reply to a repeated id"
    HISTORY = "the changes that a replay recomputes"
    SEED_DATA = "the earlier trials that a setup copies"
    SESSION = "a session that is read back"
    LAST_SESSION = "the session that was used last"


@dataclass(frozen=True, slots=True)
class Awaited:
    """What is awaited, for whom, and of a computation ahead the digest by which it is known there."""

    kind: Awaits
    who: Lane | Connection
    digest: bytes = b""


class EngineState:
    """The state of an engine, and how its transitions say what is to be done. Args as of `Engine`.

    Attributes:
        entropy, record, environment, machine, begun: as told.
        options: as told, but for what a server that writes nothing doesn't do.
        limits: of the server.
        counters: what has happened, in numbers.
        server: name and version.
        connections: by their numbers.
        lanes: by the ids of their sessions.
        waiting: what is awaited, by its token.
        agenda: who can go on.
        to_consider: lanes whose next ask may be foreseen.
        left_behind: sessions that lost their connection, in the order in which they did.
        turned_away: when senders without a session were, by address and whether they had one of their own.
        disk_low: a warning for who asks; empty while there is room.
        stopping: everything is refused but what is being committed.
        to_stop: stop as soon as the event at hand is dealt with.
        now: the time of the event at hand.
    """

    def __init__(
        self,
        entropy: Callable[[int], bytes],
        record: str,
        options: EngineOptions,
        environment: Callable[[], dict[str, Any]],
        machine: Callable[[], dict[str, Any]],
        begun: float,
    ) -> None:
        self.entropy, self.record = entropy, record
        if options.read_only:
            options = replace(options, reattach=False, eager=False, speculate=False)
        self.options, self.limits = options, options.limits
        self.environment, self.machine, self.begun = environment, machine, begun
        self.counters = Counters()
        self.server = f"fechner {__version__}"
        self.connections: dict[int, Connection] = {}
        self.lanes: dict[str, Lane] = {}
        self.waiting: dict[int, Awaited] = {}
        self.agenda = Agenda()
        self.to_consider: list[Lane] = []
        self.left_behind: dict[str, Left] = {}
        self.turned_away: dict[tuple[str, bool], list[float]] = {}
        self.disk_low = ""
        self.stopping = self.to_stop = False
        self.now = Now(0.0, _EPOCH)
        self._token = 0
        self._effects: list[Effect] = []

    # Out

    def emit(self, effect: Effect) -> None:
        """Add an effect."""
        self._effects.append(effect)

    def take_effects(self) -> list[Effect]:
        """The effects since this was asked last."""
        effects, self._effects = self._effects, []
        return effects

    def send(self, connection: Connection, dialect: Dialect | None, text: str) -> None:
        """Send a reply's text."""
        if not connection.gone:
            ending = b"\n" if dialect is None else dialect.ending
            data = text.encode() + (ending if connection.stream else b"")
            self.counters.replies += 1
            self.counters.bytes_out += len(data)
            self.emit(Send(connection.number, data))

    def count_reply(self, connection: Connection, request: Request, code: str, received: float) -> None:
        """Count a request that has its reply."""
        dialect = "none" if connection.dialect is None else connection.dialect.name
        self.counters.count_reply(request.type, dialect, code, self.now.seconds - received)

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

    # Waiting

    def token(self) -> int:
        """A fresh number for an effect that is answered by an event."""
        self._token += 1
        return self._token

    def wait(self, kind: Awaits, who: Lane | Connection, digest: bytes = b"") -> int:
        """Await something under a fresh number."""
        token = self.token()
        self.waiting[token] = Awaited(kind, who, digest)
        return token

    def take(self, token: int, kind: Awaits) -> bool:
        """Await something no longer; whether it was awaited."""
        return self._take(token, kind) is not None

    def _take(self, token: int, kind: Awaits) -> Lane | Connection | None:
        one = self.waiting.get(token)
        if one is None or one.kind is not kind:
            return None
        del self.waiting[token]
        return one.who

    def take_lane(self, token: int, kind: Awaits) -> Lane | None:
        """The lane that has waited by this number; None: it was answered when the server began to stop."""
        one = self._take(token, kind)
        assert one is None or isinstance(one, Lane)
        return one

    def take_connection(self, token: int, kind: Awaits) -> Connection | None:
        """The connection that has waited by this number; None as of lanes."""
        one = self._take(token, kind)
        assert one is None or isinstance(one, Connection)
        return one

    def tokens(self, who: Lane | Connection, kind: Awaits) -> list[int]:
        """The numbers by which somebody awaits something."""
        return [token for token, one in self.waiting.items() if one.who is who and one.kind is kind]

    def awaited(self, *kinds: Awaits) -> Iterator[tuple[int, Awaited]]:
        """Everything of these kinds that is awaited, one kind after the other."""
        for kind in kinds:
            yield from [(token, one) for token, one in self.waiting.items() if one.kind is kind]

    # Sessions

    def draw_seed(self) -> int:
        """A fresh seed, below 2**53 so that every client's numbers hold it."""
        return int.from_bytes(self.entropy(7), "big") >> 3

    def load(self, lane: Lane) -> None:
        """Read a lane's session from the record; its jobs wait for it. Not in a stop: they are refused."""
        if self.stopping:
            return
        lane.loading = True
        self.emit(Load(self.wait(Awaits.SESSION, lane), lane.session.id))
