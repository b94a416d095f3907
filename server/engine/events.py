"""What goes into the engine (events) and what comes out of it (effects)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fechner.server.observing.faults import NO_FAULT, Fault
from fechner.server.protocol.errors import FechnerError
from fechner.server.session.handlers.results import Priority

if TYPE_CHECKING:
    from fechner.database.form.changes import Change
    from fechner.database.form.message import Entry, Owner
    from fechner.server.session.seed_data import Earlier
    from fechner.server.session.session import Session
    from fechner.strategies.specification import Specification


@dataclass(frozen=True, slots=True)
class Now:
    """The clock as an argument: `seconds` never runs backwards, `time` is the date (UTC)."""

    seconds: float
    time: datetime


# Events


@dataclass(frozen=True, slots=True)
class Connected:
    """A peer is there. `stream`: replies travel on a byte stream, so broken input closes it."""

    connection: int
    stream: bool
    peer: str


@dataclass(frozen=True, slots=True)
class Received:
    """A complete JSON value."""

    connection: int
    value: Any


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Input that is no JSON value within the limits."""

    connection: int
    error: FechnerError


@dataclass(frozen=True, slots=True)
class Ended:
    """The peer sends no more; it may still read."""

    connection: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The connection is lost."""

    connection: int


@dataclass(frozen=True, slots=True)
class Committed:
    """A `Commit` is on disk."""

    token: int


@dataclass(frozen=True, slots=True)
class CommitFailed:
    """A `Commit` is not on record; nothing of it is, unless that is `unsettled`: reading back will tell.

    `kind` says why without a word that may quote the message.
    """

    token: int | None
    reason: str
    unsettled: bool = False
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Computed:
    """A `Compute` has its result."""

    task: int
    result: Any
    compute_ms: float


@dataclass(frozen=True, slots=True)
class Emitted:
    """A `Compute` in tiers has the result of a lower tier, and goes on."""

    task: int
    result: Any


@dataclass(frozen=True, slots=True)
class Woken:
    """The time of a `Wake` has come."""

    token: int


@dataclass(frozen=True, slots=True)
class ComputeFailed:
    """A `Compute` raised; `fault` is for the server's log."""

    task: int
    error: FechnerError
    fault: Fault = NO_FAULT


@dataclass(frozen=True, slots=True)
class Loaded:
    """A `Load` is done: the session and the ids its ok messages used, or None if there is no such session.

    With an error, `whose` has the session's owner, if it could still be read.
    """

    token: int
    session: Session | None
    ids: frozenset[str] = frozenset()
    error: str = ""
    whose: Owner | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A `Find` is done: request and reply as recorded, None if there are none, or why it can't be said."""

    token: int
    request: str | None
    reply: str | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class HistoryRead:
    """A `ReadHistory` is done: the changes by sequence number, or None if there is no such session.

    `broken_chain` is the first message that was changed, is missing or stands in another's place; `whose` as
    in `Loaded`.
    """

    token: int
    changes: Sequence[tuple[int, Change]] | None
    error: str = ""
    whose: Owner | None = None
    broken_chain: int | None = None


@dataclass(frozen=True, slots=True)
class SeedDataRead:
    """A `ReadSeedData` is done: what each section of conditions found."""

    token: int
    found: Mapping[str, Earlier]
    error: str = ""


@dataclass(frozen=True, slots=True)
class DiskLow:
    """There is little room left for the record, as the text says; empty: enough again."""

    text: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop: finish what is being committed, answer the rest, close."""


Event = (
    Connected
    | Received
    | Unreadable
    | Ended
    | Gone
    | Committed
    | CommitFailed
    | Computed
    | Emitted
    | ComputeFailed
    | Woken
    | Loaded
    | Found
    | HistoryRead
    | SeedDataRead
    | DiskLow
    | Stop
)

# Effects


@dataclass(frozen=True, slots=True)
class Send:
    """Send a reply, with one write."""

    connection: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection once everything sent has left; `at_once`: others need its place."""

    connection: int
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Deliver nothing more from this connection (True), or go on (False)."""

    connection: int
    paused: bool


@dataclass(frozen=True, slots=True)
class Trust:
    """The connection has shown a token: it is no stranger any more."""

    connection: int


@dataclass(frozen=True, slots=True)
class Commit:
    """Put entries on record, together. Answered by an event if `token` is not None."""

    token: int | None
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Compute:
    """Run a pure function of the core (`execution.FUNCTIONS`).

    With `tiers` its lower tiers come as events of their own. A loop that computes in its own thread, where no
    `Wake` can reach it, gives up at `due`, in the seconds of `Now`.
    """

    task: int
    priority: Priority
    function: str
    arguments: tuple[Any, ...]
    tiers: bool = False
    due: float | None = None


@dataclass(frozen=True, slots=True)
class Wake:
    """Send `Woken` at this time, in the seconds of `Now`."""

    token: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Promote:
    """A computation in work, or waiting, has this priority from now on."""

    task: int
    priority: Priority


@dataclass(frozen=True, slots=True)
class Abandon:
    """Nobody wants this computation any more."""

    task: int


@dataclass(frozen=True, slots=True)
class Load:
    """Read a session back from the record (`"last"`: the one used last, by `owner` unless `anybody`)."""

    token: int
    session: str
    owner: str | None = None
    anybody: bool = True


@dataclass(frozen=True, slots=True)
class Find:
    """Look up the message that used an id."""

    token: int
    session: str
    client_id: str


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """Read what every message did to a session."""

    token: int
    session: str


@dataclass(frozen=True, slots=True)
class ReadSeedData:
    """Read the earlier trials that warm the stages of a setup; at most `most` for each section.

    Sessions of `owner` only, unless `anybody`.
    """

    token: int
    session: str
    specification: Specification
    most: int
    owner: str | None = None
    anybody: bool = True


@dataclass(frozen=True, slots=True)
class Log:
    """A line for the server's log.

    Nothing in it but `fault.detail`, which is for debugging only, may quote a message: no name, no outcome,
    no token, no configuration.

    Attributes:
        level: debug, info, warning or error.
        text: what happened.
        connection: the number of the connection that it is about.
        session: the id of the session that it is about; the log shows its beginning.
        incident: the id that a client was told.
        fault: the exception behind it.
    """

    level: str
    text: str
    connection: int | None = None
    session: str | None = None
    incident: str | None = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Halt:
    """Everything is answered and on record: stop the loop."""


Effect = (
    Send
    | Close
    | Pause
    | Trust
    | Commit
    | Compute
    | Promote
    | Abandon
    | Wake
    | Load
    | Find
    | ReadHistory
    | ReadSeedData
    | Log
    | Halt
)
