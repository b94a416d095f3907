"""Alarms of the engine as timers of the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Set

from fechner.server.engine.events import Wake


class Alarms:
    """Deadlines may be far away, and most are met long before: those are forgotten now and then.

    Args:
        ring: told the token of an alarm whose time has come.
        awaited: the tokens that somebody still waits for.
    """

    def __init__(self, ring: Callable[[int], None], awaited: Callable[[], Set[int]]) -> None:
        self._ring, self._awaited = ring, awaited
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._timers)

    def __contains__(self, token: int) -> bool:
        return token in self._timers

    def set(self, wake: Wake) -> None:
        """Ring at that time, in the seconds of `time.monotonic`."""
        if len(self._timers) > 64 and len(self._timers) > 64 + 2 * len(awaited := self._awaited()):
            for token in self._timers.keys() - awaited:
                self._timers.pop(token).cancel()
        wait = max(0.0, wake.seconds - time.monotonic())
        loop = asyncio.get_running_loop()
        self._timers[wake.token] = loop.call_later(wait, self._over, wake.token)

    def close(self) -> None:
        """Ring no more."""
        while self._timers:
            self._timers.popitem()[1].cancel()

    def _over(self, token: int) -> None:
        self._timers.pop(token, None)
        self._ring(token)
