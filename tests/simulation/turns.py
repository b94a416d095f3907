"""Whose input is looked at next: the real `Turns`, with steps for its clock and a made-up thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fechner.server.shell.transports.turns import HELD_SECONDS, MOST_REST_SECONDS, Account, Result, Turns

if TYPE_CHECKING:
    from .server import Process

#: How long a message that is parsed apart takes at most (seconds).
APART = 0.1


class SimulatedAccount(Account):
    """A sender rests when the weather says so, not by the processor's clock."""

    def __init__(self, server: Process) -> None:
        super().__init__()
        self._server = server

    def charge(self, seconds: float) -> float:
        """How long it rests."""
        weather = self._server.weather
        return weather.lasts(MOST_REST_SECONDS) if weather.happens(weather.long_requests) else 0.0


class SimulatedTurns(Turns):
    """A turn has a number of steps that the weather decides."""

    def __init__(self, server: Process) -> None:
        super().__init__(lambda: server.weather.happens(server.weather.held))
        self._server = server

    def apart(self, work: Callable[[], Result], then: Callable[[Result], None]) -> None:
        """Done later, in no time."""
        server = self._server
        server.happened["parsed apart"] += 1
        server.loop.call_later(server.weather.lasts(APART), lambda: then(work()))

    def _turn(self) -> None:
        if self.held():
            self._server.happened["held"] += 1
            self._server.loop.call_later(HELD_SECONDS, self._turn)
            return
        self._scheduled = True
        for _ in range(self._server.weather.rng.choice((1, 3, 20))):
            if not self._waiting:
                break
            peer = self._waiting.popleft()
            self._known.discard(id(peer))
            if peer.go_on():
                self.add(peer)
        self._scheduled = bool(self._waiting)
        if self._waiting:
            self._server.loop.call_soon(self._turn)
