"""Alarms of the engine as timers of the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from fechner.server.engine.effects import Wake


class Alarms:
    """Deadlines that somebody waits for.

    Args:
        ring: told the token of an alarm whose time has come.
    """

    def __init__(self, ring: Callable[[int], None]) -> None:
        self._ring = ring
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def set(self, wake: Wake) -> None:
        """Ring at that time, in the seconds of `time.monotonic`."""
        wait = max(0.0, wake.seconds - time.monotonic())
        loop = asyncio.get_running_loop()
        self._timers[wake.token] = loop.call_later(wait, self._end, wake.token)

    def silence(self, token: int) -> None:
        """Don't ring."""
        timer = self._timers.pop(token, None)
        if timer is not None:  # else its time has come already
            timer.cancel()

    def _end(self, token: int) -> None:
        self._timers.pop(token, None)
        self._ring(token)
