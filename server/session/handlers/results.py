"""What handlers are given and what they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from fechner.server.protocol.dialects.traits import Traits
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.limits import Limits

if TYPE_CHECKING:
    from fechner.database.form.changes import Change
    from fechner.server.session.seed_data import Earlier
    from fechner.server.session.session import Session
    from fechner.strategies.specification import Specification


class Priority(IntEnum):
    """Which computation goes first."""

    REAL = 0
    EAGER = 1
    SPECULATIVE = 2
    REPLAY = 3


@dataclass(frozen=True)
class Context:
    """What a handler may look at.

    Attributes:
        session: the session as of its last change.
        limits: of the server.
        version: the registry's version of the dialect that the request came in.
        traits: the habits of that dialect's clients.
        draw_seed: a fresh seed, for setups that name none.
        server: name and version.
        record: the record's name.
        environment: what computes here: library versions, threads, processor.
        read_only: the sender observes.
        owner: of the sessions that the sender sets up.
    """

    session: Session
    limits: Limits
    version: str
    traits: Traits
    draw_seed: Callable[[], int]
    server: str
    record: str
    environment: Callable[[], dict[str, Any]]
    read_only: bool = False
    owner: str | None = None


@dataclass(frozen=True)
class Answer:
    """What to reply, and the change to record first (None: nothing changes).

    A setup's configuration is checked once, before the change is made: `specification` is what it says.
    """

    message: dict[str, Any]
    change: Change | None = None
    warnings: list[tuple[str, str]] = field(default_factory=list)
    tier: str | None = None
    specification: Specification | None = None


@dataclass(frozen=True)
class Computation:
    """A pure function of the core to run by an executor; `answer` makes a reply of its result, or goes on.

    With `deadline_ms`, from the request's receipt, its best tier until then is the result, and where there is
    none what `fallback` gives, which takes no time worth mentioning.
    """

    function: str
    arguments: tuple[Any, ...]
    answer: Callable[[Any], Answer | Computation]
    priority: Priority = Priority.REAL
    deadline_ms: float | None = None
    fallback: Callable[[], Any] = lambda: None


@dataclass(frozen=True)
class Reading:
    """Earlier trials that a setup wants from the record first; `answer` makes a reply of what was found."""

    specification: Specification
    answer: Callable[[Mapping[str, Earlier]], Answer]


Result = Answer | Computation | Reading


def require_setup(context: Context) -> None:
    """Raise no_session unless something is set up."""
    if not context.session.strategies:
        raise FechnerError("no_session", "nothing is set up in this session", hint="send setup first")
