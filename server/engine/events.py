"""What goes into the engine, with the time at which it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fechner.server.observing.faults import NO_FAULT, Fault
from fechner.server.protocol.errors import FechnerError

if TYPE_CHECKING:
    from fechner.database.form.changes import Change
    from fechner.database.form.message import Owner
    from fechner.server.session.seed_data import Earlier
    from fechner.server.session.session import Session


@dataclass(frozen=True, slots=True)
class Now:
    """The clock as an argument: `seconds` never runs backwards, `time` is the date (UTC)."""

    seconds: float
    time: datetime


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
    """A `Commit` is not on record.

    Attributes:
        token: that of the `Commit`.
        reason: why, for the client; it may quote the message, so the log shows it for debugging only.
        unsettled: something of it may be on record: reading back will tell.
        kind: why, for the log, without a word that may quote the message.
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
    """A `Compute` raised: `error` is for the client, `fault` for the server's log."""

    task: int
    error: FechnerError
    fault: Fault = NO_FAULT


@dataclass(frozen=True, slots=True)
class Loaded:
    """A `Load` is done: the session and the ids its ok messages used, or None if there is no such session.

    With an error, which is for the client, `whose` has the session's owner, if it could still be read.
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
