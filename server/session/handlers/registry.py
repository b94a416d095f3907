"""The registry of handlers, and what they are given and return."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fechner.server.engine.events import Priority
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.limits import Limits
from fechner.server.protocol.messages import Message

if TYPE_CHECKING:
    from fechner.server.session.seed_data import Earlier
    from fechner.server.session.session import Session
    from fechner.strategies.specification import Specification


@dataclass(frozen=True)
class Context:
    """What a handler may look at.

    Attributes:
        session: the session as of its last change.
        limits: of the server.
        version: the registry version of the dialect that the request came in.
        lenient: AEPsych's habits: asks go on after the end, a missing end is a warning.
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
    lenient: bool
    draw_seed: Callable[[], int]
    server: str
    record: str
    environment: Callable[[], dict[str, Any]]
    read_only: bool = False
    owner: str | None = None


@dataclass(frozen=True)
class Answer:
    """What to reply, and the change to record first (None: nothing changes)."""

    message: dict[str, Any]
    change: dict[str, Any] | None = None
    warnings: list[tuple[str, str]] = field(default_factory=list)
    tier: str | None = None


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
Handler = Callable[[Context, Any], Result]

#: The modules of handlers.
MODULES = ("ask", "correct", "exit", "finish_strategy", "info", "query", "resume", "setup", "skip", "tell")

#: Handlers by (type, version); filled by `load`.
HANDLERS: dict[tuple[str, str], Handler] = {}
_loaded = False
_loading = threading.Lock()


def handles(type_: str, *versions: str) -> Callable[[Handler], Handler]:
    """Register a handler for a message type in these versions."""

    def register(handler: Handler) -> Handler:
        for version in versions:
            HANDLERS[type_, version] = handler
        return handler

    return register


def load() -> None:
    """Import every module of handlers, and the core with them.

    Whichever thread needs any of them first calls this: two threads that import modules of one package in
    different order can meet in the interpreter's import locks.
    """
    global _loaded
    if _loaded:
        return
    with _loading:
        for module in MODULES:
            import_module(f"fechner.server.session.handlers.{module}")
        _loaded = True


def handle(context: Context, type_: str, message: Message) -> Result:
    """The answer of the handler for (type, version).

    Raises:
        FechnerError: unknown_type, or what the handler raises.
    """
    load()
    handler = HANDLERS.get((type_, context.version))
    if handler is None:
        raise FechnerError("unknown_type", f"no handler for '{type_}'", where="type")
    return handler(context, message)


def require_setup(context: Context) -> None:
    """Raise no_session unless something is set up."""
    if not context.session.strategies:
        raise FechnerError("no_session", "nothing is set up in this session", hint="send setup first")
