"""What every dialect provides: requests parsed into the core's messages, replies rendered from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from fechner.server.protocol.dialects.traits import Traits
from fechner.server.protocol.errors import FechnerError, as_message
from fechner.server.protocol.jsontext import render as to_json
from fechner.server.protocol.messages import Message


@dataclass
class Request:
    """One request in the core's terms.

    Attributes:
        raw: the value as it came.
        type: the core's message type; the wire's text where it is unknown.
        id: the client's id, None where it sent none.
        session: the session it names, None for the connection's current one.
        message: the parsed message, None if `fault` is set.
        fault: why it can't be honoured.
    """

    raw: Any
    type: str
    id: str | None = None
    session: str | None = None
    message: Message | None = None
    fault: FechnerError | None = None


@dataclass(frozen=True)
class Timing:
    """How long a request waited and computed, in milliseconds, who answered, and whether ahead of it."""

    queue_ms: float = 0.0
    compute_ms: float = 0.0
    tier: str | None = None
    source: str = "request"


@dataclass(frozen=True)
class Reply:
    """What a request is answered with: the core's reply message, or an error."""

    message: dict[str, Any] = field(default_factory=dict)
    error: FechnerError | None = None
    session: str | None = None
    warnings: list[tuple[str, str]] = field(default_factory=list)
    timing: Timing = Timing()


def join(name: str, done: Reply, ask: Reply) -> Reply:
    """The reply to a message that is done as two: what `name` did, and the ask behind it.

    It holds if the first does. It is the same whenever it is put together.
    """
    after = ask.message if ask.error is None else {"error": as_message(ask.error)}
    return Reply(
        {name: done.message, "ask": after},
        session=done.session,
        warnings=[*done.warnings, *ask.warnings],
        timing=(ask if ask.error is None else done).timing,
    )


def undecided_error(error: FechnerError) -> str:
    """An error before the dialect is known, readable in either."""
    message = {"version": "1", "type": None, "ok": False, "error": as_message(error)}
    return to_json({**message, "server_error": str(error)})


class Dialect(Protocol):
    """A wire version.

    Attributes:
        name: for the record and `--dialect`.
        versions: values of a request's `version` that it answers; None: requests without one.
        handlers: the version under which its handlers are registered.
        traits: its clients' habits.
        ending: bytes after each reply on a byte stream.
    """

    name: str
    versions: tuple[str | None, ...]
    handlers: str
    traits: Traits
    ending: bytes

    def speaks(self, value: dict[str, Any]) -> bool:
        """Whether a connection that begins with this request speaks it."""
        ...

    def parse(self, value: dict[str, Any]) -> Request:
        """A request; what can't be honoured is its `fault`."""
        ...

    def render(self, request: Request, reply: Reply) -> str:
        """The reply's text."""
        ...

    @property
    def recall(self) -> Callable[[str], Reply] | None:
        """Makes the reply of the text of one that went well; None where requests have no id to ask by."""
        ...
