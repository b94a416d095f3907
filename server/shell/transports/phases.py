"""Where a connection of a byte stream is between its beginning and its end, and why its input may wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum


class Phase(Enum):
    """One of a connection's phases, which follow each other as `closed` and `lost` say.

    Attributes:
        closing: we have closed it: what the client still sends is thrown away.
        lost: there is no connection any more.
    """

    OPEN = ("both may send", False, False)
    ENDED = ("the client sends no more; it may still read", False, False)
    CLOSING = ("we send no more", True, False)
    LOST = ("what had arrived before is still honoured", False, True)
    OVER = ("lost, and nothing is honoured", True, True)
    TOLD = ("over, and the engine knows", True, True)

    def __init__(self, meaning: str, closing: bool, lost: bool) -> None:
        self.meaning, self.closing, self.lost = meaning, closing, lost

    @property
    def closed(self) -> Phase:
        """The phase after we close it."""
        return _CLOSED.get(self, self)

    @property
    def parted(self) -> Phase:
        """The phase after it is lost."""
        return _PARTED.get(self, self)


_CLOSED = {Phase.OPEN: Phase.CLOSING, Phase.ENDED: Phase.CLOSING, Phase.LOST: Phase.OVER}
_PARTED = {Phase.OPEN: Phase.LOST, Phase.ENDED: Phase.LOST, Phase.CLOSING: Phase.OVER}


class Hold:
    """Why nothing more of a peer is looked at for now.

    Attributes:
        parsing: a long message of its is read in another thread.
        resting: its last requests took long.
        paused: the engine has enough requests of its.
        clogged: it doesn't read our replies.
    """

    __slots__ = ("clogged", "parsing", "paused", "resting")

    def __init__(self) -> None:
        self.parsing = self.resting = self.paused = self.clogged = False


class Timer:
    """A time that runs out unless it is stopped before."""

    __slots__ = ("_handle",)

    def __init__(self) -> None:
        self._handle: asyncio.TimerHandle | None = None

    @property
    def runs(self) -> bool:
        """Whether it was begun and is not over."""
        return self._handle is not None

    def begin(self, seconds: float, call: Callable[[], None]) -> None:
        """Call after so many seconds, unless it runs already."""
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(seconds, self._end, call)

    def stop(self) -> None:
        """Don't call."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _end(self, call: Callable[[], None]) -> None:
        self._handle = None
        call()
