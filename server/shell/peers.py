"""The clients' connections, of any transport, by their numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

from fechner.server.engine.events import Event
from fechner.server.observing.counters import Counters
from fechner.server.protocol.limits import Limits
from fechner.server.shell.descriptors import make_room, too_little
from fechner.server.shell.ports import Peer
from fechner.server.shell.transports.tcp import LINGER_SECONDS, TcpConnection
from fechner.server.shell.transports.turns import Turns

AnyPeer = TypeVar("AnyPeer", bound=Peer)

#: Within this a client has to agree on encryption.
HANDSHAKE_SECONDS = 10.0

#: Connections over the limit that are told so at a time; more are cut off without a word.
REFUSALS = 100


class Peers:
    """Who is connected, and who is about to be.

    Args:
        limits: of who has shown no token.
        deliver: takes their events.
        turns: when their input is looked at.
        counters: of the server.
    """

    def __init__(
        self, limits: Limits, deliver: Callable[[Event], None], turns: Turns, counters: Counters
    ) -> None:
        self._limits, self._deliver, self._turns, self._counters = limits, deliver, turns, counters
        self._peers: dict[int, Peer] = {}
        # Since when each has tried to agree on encryption; asyncio tells of no failure, but drops it.
        self._begun: WeakKeyDictionary[TcpConnection, float] = WeakKeyDictionary()
        self._number = 0
        self._room = 0

    @property
    def over_tcp(self) -> bool:
        """Whether anybody is connected over TCP."""
        return any(isinstance(peer, TcpConnection) for peer in self._peers.values())

    def make_room(self, connections: int, encrypted: bool) -> str:
        """Have the system allow so many, and some more; a warning if it doesn't."""
        self._room = make_room(connections + (connections if encrypted else 0) + REFUSALS)
        return too_little(self._room, connections) if self._room < connections else ""

    def get(self, number: int) -> Peer | None:
        """One of them, unless it is gone."""
        return self._peers.get(number)

    def forget(self, number: int) -> None:
        """It is gone."""
        self._peers.pop(number, None)

    def accept(self) -> TcpConnection:
        """A connection that has begun; where it has yet to agree on encryption it may never come to be.

        Raises:
            ConnectionRefusedError: there is no room; asyncio closes the socket.
        """
        now = asyncio.get_running_loop().time()
        if len(self._peers) + len(self._begun) >= self._room:
            before = now - HANDSHAKE_SECONDS - LINGER_SECONDS
            for failed in [one for one, since in self._begun.items() if since < before]:
                del self._begun[failed]
            if len(self._peers) + len(self._begun) >= self._room:
                raise ConnectionRefusedError
        self._number += 1
        connection = TcpConnection(
            self._number, self._limits, self._deliver, self._turns, self._counters, self._admit
        )
        self._begun[connection] = now
        return connection

    def add(self, make: Callable[[int], AnyPeer]) -> AnyPeer:
        """Number a client that is there at once, as ZMQ's are."""
        self._number += 1
        peer = make(self._number)
        self._peers[self._number] = peer
        return peer

    def _admit(self, connection: TcpConnection) -> None:
        self._begun.pop(connection, None)
        self._peers[connection.number] = connection
