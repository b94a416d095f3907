"""The steps of a talk: the actions it may want, what comes of them, and how long it goes on trying."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Callable, NamedTuple, Optional, TypeVar, Union

_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)

_T = TypeVar("_T")

#: A request or a reply, or the message in it.
Message = dict[str, Any]


class Open(NamedTuple):
    """Open a channel, within so many seconds."""

    timeout: float


class Send(NamedTuple):
    """Send a request and wait for its reply, so many seconds or for ever."""

    request: Message
    timeout: Optional[float]


class Close(NamedTuple):
    """Let go of the channel."""


class Wait(NamedTuple):
    """Let time pass."""

    seconds: float


Action = Union[Open, Send, Close, Wait]
Outcome = Union[Message, Exception, None]
Steps = Generator[Action, Outcome, _T]


class Patience:
    """Paces the attempts during one outage and ends them."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = clock() + seconds
        self._attempts = 0

    def wait(self) -> Steps[bool]:
        """Wait a little and say True, or False when the time is over."""
        left = self._until - self._clock()
        if left <= 0:
            return False
        yield Wait(min(_PAUSES[min(self._attempts, len(_PAUSES) - 1)], left))
        self._attempts += 1
        return True
