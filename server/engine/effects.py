"""What comes out of the engine: what is to be done, one value each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fechner.server.observing.logs import Log
from fechner.server.session.handlers.results import Priority

if TYPE_CHECKING:
    from fechner.database.record import Entry
    from fechner.strategies.specification import Specification


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
    """Send `Woken` at this time, in the seconds of `Now`, unless a `Silence` comes first."""

    token: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody waits for this `Wake` any more; a `Woken` that comes all the same does nothing."""

    token: int


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
    | Silence
    | Load
    | Find
    | ReadHistory
    | ReadSeedData
    | Log
    | Halt
)
