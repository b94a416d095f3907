"""One client of the ROUTER socket: what waits for it, and what of its own waits."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from fechner.server.engine.events import Event, Received, Unreadable
from fechner.server.protocol import jsontext
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.framing import too_long
from fechner.server.protocol.limits import Limits
from fechner.server.shell.transports.turns import Account


class Router(Protocol):
    """The socket that peers come through."""

    strangers: Limits

    def send(self, peer: ZmqPeer, frames: list[bytes]) -> None:
        """Send without waiting."""
        ...

    def handle(self, peer: ZmqPeer, body: list[bytes]) -> None:
        """Hand a message over."""
        ...

    def forget(self, peer: ZmqPeer) -> None:
        """The peer is gone, or as good as."""
        ...


class ZmqPeer:
    """One peer: its routing id, whether it uses the empty delimiter (REQ does), and what waits for it."""

    def __init__(self, router: Router, number: int, envelope: list[bytes]) -> None:
        self._router, self.number, self.envelope = router, number, envelope
        self.descriptor = -1
        self.limits = router.strangers
        self.backlog: deque[list[bytes]] = deque()  # messages that wait for their turn
        self.backlog_bytes = 0
        self.parsing = False  # a long one, in another thread
        self.resting = False  # its last ones took long
        self.account = Account()
        self.unsent: deque[list[bytes]] = deque()  # replies that ZMQ takes no more of
        self.unsent_bytes = 0
        self.unread_since = 0.0

    @property
    def identity(self) -> bytes:
        """Its routing id."""
        return self.envelope[0]

    @property
    def held(self) -> bool:
        """Whether its messages have to wait."""
        return self.parsing or self.resting or bool(self.unsent)

    def send(self, data: bytes) -> None:
        """Send a reply; a lost peer blocks nobody."""
        self._router.send(self, [*self.envelope, data])

    def pause(self, paused: bool) -> None:
        """Nothing to do: the engine refuses what is too much."""

    def trust(self, limits: Limits) -> None:
        """From now on these are the limits."""
        self.limits = limits

    def close(self, linger: float = 0.0) -> None:
        """A ROUTER has nothing to close for one peer: what it sends next makes it a new one."""
        self._router.forget(self)

    def go_on(self) -> bool:
        """Handle a message that had to wait; whether more can be done now."""
        if self.backlog and not self.held:
            body = self.backlog.popleft()
            self.backlog_bytes -= sum(map(len, body))
            self._router.handle(self, body)
        return bool(self.backlog) and not self.held

    def event(self, body: list[bytes]) -> Event:
        """A message of it, or why it is none."""
        try:
            if len(body) != 1:
                raise FechnerError("bad_request", "one frame per message, after the empty delimiter if any")
            if len(body[0]) > self.limits.message_bytes:
                raise too_long(self.limits)
            return Received(self.number, jsontext.parse(body[0], self.limits))
        except FechnerError as error:
            return Unreadable(self.number, error)
