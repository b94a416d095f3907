"""Who waits for what: connections, the lane of each session, and the jobs in them.

A lane is a session's queue: its jobs are done strictly in order, one at a time. Sessions have lanes of their
own, so they don't wait for each other.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fechner.server.engine.events import Computed, Now
from fechner.server.engine.phases import Phase, check_follows
from fechner.server.engine.principals import Principal
from fechner.server.protocol.dialects import Dialect, Request
from fechner.server.protocol.dialects.base import Reply
from fechner.server.protocol.messages import Ask, Begin, Message, Update
from fechner.server.session.handlers.results import Answer, Computation, Reading
from fechner.strategies.tiers import rank

if TYPE_CHECKING:
    from fechner.server.session.session import Session
    from fechner.strategies.core.state import State

#: Ids of a session that are kept in memory; where there are more, each new one is looked up on record.
MOST_IDS = 10_000


@dataclass(slots=True)
class Left:
    """A session that a connection left behind.

    Attributes:
        host: the address that it was held from.
        since: when it was left, in seconds.
        dialect: what its client spoke.
        participant: whom its client named last, None if nobody.
        spoke: when its client last sent something.
        superseded: somebody has begun anew there since.
    """

    host: str
    since: float
    dialect: str
    participant: str | None
    spoke: float
    superseded: bool = False


@dataclass(slots=True)
class Step:
    """One recorded message of a job: its type, its message, the key it is recorded under."""

    type: str
    message: Message
    key: str | None


@dataclass
class Job:
    """A request on its way.

    Attributes:
        connection: who gets the reply.
        request: what is asked.
        received, started: when; `started` None while it waits.
        steps: the messages that it is recorded as (an update: two).
        replies: of the steps done, in order; of one that was on record already its text.
        compute_ms: spent in computations.
        closes: close the connection after the reply.
        silent: the server made it itself; nobody gets the reply.
        pending: the step's reply, its text and the answer that it renders, while they are being recorded.
        source: where its answer came from: the request itself, or a computation ahead of it.
        code: what it was answered with: `ok`, or an error's code.
        took_up: how the session was left behind that it took up (reattachment.py).
    """

    connection: Connection
    request: Request
    received: Now
    steps: list[Step] = field(default_factory=list)
    replies: list[Reply | str] = field(default_factory=list)
    started: float | None = None
    compute_ms: float = 0.0
    closes: bool = False
    silent: bool = False
    pending: tuple[Reply, str, Answer] | None = None
    source: str = "request"
    took_up: Left | None = None
    code: str = "ok"

    @property
    def step(self) -> Step:
        """The step being done."""
        return self.steps[len(self.replies)]


@dataclass(eq=False)
class Connection:
    """A peer.

    Attributes:
        number: its transport's name for it.
        stream: whether replies travel on a byte stream.
        peer: its address, for the log.
        phase: how far it has come; changed by `enter`.
        dialect: decided by its first request.
        session: the current session; kept after exit, so that a repeated exit finds its reply.
        owned: sessions that this connection holds.
        observing: sessions that it only looks at.
        waiting: jobs that no lane has yet.
        outstanding: jobs in lanes.
        barrier: a setup, resume or exit in work: later requests depend on its outcome.
        last_heard: when it last said something.
        paused: it is held back until some of its requests are answered.
        default_tried: the server has set up or resumed for it what its options say.
        spoke: when it last sent a request.
        participant: whom it named last, where it names anybody.
        own_session: it has held a session, or tried to set one up.
        principal: who it is; None before it has shown the token that the server asks for.
        wrong_tokens: how many it has sent.
    """

    number: int
    stream: bool
    peer: str
    last_heard: float
    dialect: Dialect | None = None
    phase: Phase = Phase.OPEN
    session: str | None = None
    owned: set[str] = field(default_factory=set)
    observing: set[str] = field(default_factory=set)
    waiting: deque[Job] = field(default_factory=deque)
    outstanding: int = 0
    barrier: Job | None = None
    paused: bool = False
    default_tried: bool = False
    spoke: float = 0.0
    participant: str | None = None
    own_session: bool = False
    principal: Principal | None = None
    wrong_tokens: int = 0

    def enter(self, phase: Phase) -> None:
        """It has come so far.

        Raises:
            IllegalPhase: that can't follow the phase it is in.
        """
        check_follows(phase, self.phase)
        self.phase = phase

    @property
    def gone(self) -> bool:
        """It is lost; what it had sent is still honoured."""
        return self.phase is Phase.GONE

    @property
    def closing(self) -> bool:
        """Its last reply is on the way."""
        return self.phase is Phase.CLOSING

    @property
    def busy(self) -> int:
        """Requests received and not answered."""
        return len(self.waiting) + self.outstanding

    @property
    def host(self) -> str:
        """Its address, without its port."""
        return self.peer.rpartition(":")[0] or self.peer


@dataclass
class Ahead:
    """An ask computed before it came: how it was foreseen, its task, and its result once there is one.

    With `tiers`, `emitted` is that of the highest tier so far.
    """

    source: str
    task: int
    tiers: bool = False
    result: Computed | None = None
    emitted: Any = None


@dataclass(eq=False)
class Lane:
    """A session's queue.

    Attributes:
        session: as of its last adopted change.
        known: the session is on record.
        loading: it is being read back.
        stale: reading it back has failed: what memory holds may not be what is on record.
        unreadable: so it has, but whose it is could be read.
        ids: hashes, sorted, of the ids that its ok messages used, unless they are too many: eight bytes each,
            and the record tells apart what has the same.
        ids_on_record: they are: only the record knows them.
        owner: the connection that holds it, None while it is detached.
        queue: jobs that wait.
        running: the job in work.
        computation, reading: what the running job waits for.
        alarm: the token of its deadline, None where it has none.
        emitted: the result of its highest tier so far, None where there is none.
        ahead: asks computed ahead, by the digest of state and arguments.
        considered: the state for which that was last planned.
        repeats: number, fixed values and `beyond` of the last ask, and whether it had a deadline.
        last_type: of the last message that the session adopted.
    """

    session: Session
    known: bool = False
    loading: bool = False
    stale: bool = False
    unreadable: bool = False
    ids: array[int] = field(default_factory=lambda: array("q"))
    ids_on_record: bool = False
    owner: Connection | None = None
    queue: deque[Job] = field(default_factory=deque)
    running: Job | None = None
    computation: Computation | None = None
    reading: Reading | None = None
    alarm: int | None = None
    emitted: Any = None
    ahead: dict[bytes, Ahead] = field(default_factory=dict)
    considered: State | None = None
    repeats: tuple[int, dict[str, Any], bool, bool] = (1, {}, False, False)
    last_type: str = ""

    def note_ids(self, ids: Iterable[str]) -> None:
        """Ok messages have used these ids."""
        for short in sorted(map(hash, ids)):
            insort(self.ids, short, lo=0 if not self.ids or short < self.ids[-1] else len(self.ids))
        if len(self.ids) > MOST_IDS:
            self.ids_on_record = True
        if self.ids_on_record:
            del self.ids[:]

    def may_know(self, id_: str) -> bool:
        """Whether an ok message may have used the id; the record knows."""
        if self.ids_on_record:
            return True
        short = hash(id_)
        at = bisect_left(self.ids, short)
        return at < len(self.ids) and self.ids[at] == short

    @property
    def idle(self) -> bool:
        """Nothing is being done."""
        return self.running is None and not self.queue and not self.loading

    @property
    def job(self) -> Job:
        """The job in work, where there must be one."""
        assert self.running is not None
        return self.running


def steps_of(request: Request) -> list[Step]:
    """The messages that a request is recorded as."""
    message = request.message
    assert message is not None
    if isinstance(message, Update):
        ask: Ask = message.ask
        return [Step("tell", message.tell, request.id), Step("ask", ask, companion(request.id))]
    if isinstance(message, Begin):
        return [Step("setup", message.setup, request.id), Step("ask", message.ask, companion(request.id))]
    return [Step(request.type, message, request.id)]


def companion(id_: str | None) -> str | None:
    """The reserved key of an update's ask: longer than any client's id, so it meets none."""
    return None if id_ is None else f"{id_}{'the ask of this update':>64}"


def higher(before: dict[str, Any] | None, now: dict[str, Any]) -> dict[str, Any]:
    """The result of the higher tier: a computation that is begun again passes the lower ones anew."""
    return now if before is None or rank(now["tier"]) >= rank(before["tier"]) else before
