"""Replies on their way to a client over TCP, which may not read them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fechner.server.observing.counters import Counters
from fechner.server.observing.logs import Log, emit
from fechner.server.protocol.limits import Limits
from fechner.server.shell.transports.phases import Hold, Timer
from fechner.server.shell.transports.sockets import reset_at_close

#: Replies that wait for a peer to read them, beyond which it is taken for lost.
UNREAD_BYTES = 8 * 1024 * 1024


class Outgoing:
    """What writes to a client's transport, and cuts it where nobody reads.

    Args:
        number: of the connection.
        transport: of the client.
        hold: knows whether the client doesn't read.
        counters: of the server.
        drop: told before a connection is cut.
    """

    def __init__(
        self,
        number: int,
        transport: asyncio.Transport,
        hold: Hold,
        counters: Counters,
        drop: Callable[[], None],
    ) -> None:
        self._number, self._transport, self._hold = number, transport, hold
        self._counters, self._drop = counters, drop
        self.timer = Timer()

    def send(self, data: bytes) -> None:
        """Send a reply with one write."""
        if self._transport.is_closing():
            return
        if self._hold.clogged and self._transport.get_write_buffer_size() > UNREAD_BYTES:
            self._give_up(f"leaves {UNREAD_BYTES} bytes of replies unread")
        else:
            self._transport.write(data)

    def clog(self, limits: Limits) -> None:
        """The client doesn't read: it has so long to begin again."""
        self._hold.clogged = True
        self.timer.begin(limits.message_seconds, lambda: self.give_up(limits))

    def unclog(self) -> None:
        """The client reads again."""
        self._hold.clogged = False
        self.timer.stop()

    def give_up(self, limits: Limits) -> None:
        """The client has not read for too long."""
        self._give_up(f"reads no reply within {limits.message_seconds:g} s")

    def _give_up(self, why: str) -> None:
        """Cut the connection: the peer isn't there any more, or does as if."""
        transport = self._transport
        if not transport.is_closing():
            self._counters.count_line("warning")
            emit(Log("warning", f"a peer {why}: connection closed", self._number))
            reset_at_close(transport.get_extra_info("socket"))
            self._drop()
            transport.abort()
