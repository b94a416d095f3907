"""TCP between a client and a server: bytes in order, delayed, cut and glued; ends, resets and full buffers.

The server's end of a wire is the transport that the real `TcpConnection` is given.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from fechner.server.shell.transports.tcp import TcpConnection

from .clock import Clock, Loop
from .turns import SimulatedAccount
from .weather import Weather

if TYPE_CHECKING:
    from .server import Process

#: Of a client's kernel, and of a server's transport before it says so and after (bytes).
WINDOW, HIGH, LOW = 4096, 16384, 4096


class Client(Protocol):
    """Who holds the other end."""

    def got(self, wire: Wire, data: bytes) -> None:
        """Bytes came (what one write sent, together)."""

    def lost(self, wire: Wire, reset: bool) -> None:
        """The server sends no more, or the connection is lost."""


class Wire:
    """One connection. The client's end are its methods `send`, `end`, `close`, `reset`, `vanish`, `read`."""

    stream = True

    def __init__(
        self, clock: Clock, weather: Weather, client: Client, server: Process, number: int, peer: str
    ) -> None:
        self.clock, self.weather, self.client, self.server = clock, weather, client, server
        self.number, self.peer = number, peer
        self.open = True  # the client's end
        self.vanished = False
        self.reading = True
        self.over = False  # nothing comes from the server any more
        self._unread: deque[bytes | None] = deque()
        self._in = self._out = 0.0  # when the last thing arrives, each way
        self.transport = Transport(self, server.loop)
        self._protocol = TcpConnection(number, server.limits, server.deliver, server.turns)
        self._protocol._account = SimulatedAccount(server)
        self._arrive(self._accepted)

    def _accepted(self) -> None:
        self.server.peers[self.number] = self._protocol
        self.transport.protocol = self._protocol
        self._protocol.connection_made(self.transport)  # type: ignore[arg-type]

    def _arrive(self, call: Any, *arguments: Any) -> None:
        """Something arrives at the server, after what was sent before."""
        self._in = max(self._in, self.clock.now + self.weather.lasts(self.weather.latency))
        self.server.loop.call_at(self._in, call, *arguments)

    # The client's end

    def send(self, data: bytes) -> None:
        """Send bytes."""
        if self.open and not self.vanished:
            for piece in self.weather.pieces(data):
                self._arrive(self.transport.arrived, piece)

    def end(self) -> None:
        """Send no more, but read on."""
        if self.open and not self.vanished:
            self._arrive(self.transport.arrived, None)

    def close(self) -> None:
        """Send no more and read no more: what still comes is answered by a reset."""
        if self._unread:
            self.reset()  # as kernels do
        self.end()
        self.open = False

    def reset(self) -> None:
        """Break off; the server finds out, unless the wire is cut too."""
        self.open = False
        if not self.vanished:
            self._arrive(self.transport.was_reset)

    def vanish(self) -> None:
        """The wire is cut: nothing comes through any more, in either direction, and nobody notices."""
        self.vanished = True

    def read(self, reading: bool) -> None:
        """Begin or cease to read."""
        self.reading = reading
        while self.reading and self._unread:
            self._take(self._unread.popleft())

    def heal(self) -> None:
        """At the end of time the server's kernel gives a lost peer up."""
        self.vanished = False
        self.reset()

    # From the server

    def deliver(self, data: bytes | None) -> None:
        """Bytes, or the end (None), on the way to the client."""
        self._out = max(self._out, self.clock.now + self.weather.lasts(self.weather.latency))
        self.clock.at(self._out, self._delivered, data)

    def _delivered(self, data: bytes | None) -> None:
        if self.vanished:
            return
        if self.reading or not self.open:
            self._take(data)
        else:
            self._unread.append(data)

    def _take(self, data: bytes | None) -> None:
        if data is None:
            self._lost(False)
            return
        self.transport.window += len(data)
        self.server.loop.call_soon(self.transport.pump_out)
        if self.open:
            self.client.got(self, data)
        elif not self.over:
            self.over = True
            self.reset()

    def cut_off(self) -> None:
        """The server's end is gone: the client hears of it."""
        self._out = max(self._out, self.clock.now + self.weather.lasts(self.weather.latency))
        self.clock.at(self._out, self._lost, True)

    def _lost(self, reset: bool) -> None:
        if self.open and not self.over and not self.vanished:
            self.over = True
            self.client.lost(self, reset)


class Transport:
    """The server's end, as asyncio's transports behave (of `asyncio.Transport`, what is used)."""

    def __init__(self, wire: Wire, loop: Loop) -> None:
        self.wire, self.loop = wire, loop
        self.protocol: TcpConnection | None = None
        self.window = WINDOW
        self.lost = False
        self._arrived: deque[bytes | None] = deque()
        self._unsent: deque[bytes] = deque()
        self._size = 0
        self._reading = True
        self._clogged = False
        self._ended = self._told = False  # our side: said so, and sent
        self._closing = False
        self._reset = False

    # What the server calls

    def get_extra_info(self, name: str) -> Any:
        host, _, port = self.wire.peer.rpartition(":")
        return (host, int(port)) if name == "peername" else None

    def get_write_buffer_size(self) -> int:
        return self._size

    def is_closing(self) -> bool:
        return self._closing

    def can_write_eof(self) -> bool:
        return True

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        if not self._reading:
            self._reading = True
            self.loop.call_soon(self._pump_in)

    def write(self, data: bytes) -> None:
        if self._closing or self.lost:
            return
        if self._ended:
            self.wire.server.faults.append(f"written after the end: {data.decode()[:200]}")
            return
        if self._reset:
            self._lose()
            return
        self._unsent.append(data)
        self._size += len(data)
        self.pump_out()
        if self._size > HIGH and not self._clogged:
            self._clogged = True
            assert self.protocol is not None
            self.protocol.pause_writing()

    def write_eof(self) -> None:
        if not self._ended:
            self._ended = True
            self.pump_out()

    def close(self) -> None:
        """Hear no more, send what is to be sent, then close."""
        self._reading = False
        self._closing = True
        self.write_eof()
        self._lose_once_sent()

    def _lose_once_sent(self) -> None:
        if not self.lost and not self._unsent:
            self._lose()

    def abort(self) -> None:
        """Close at once."""
        if not self.lost:
            self._lose()

    # What the network does

    def arrived(self, data: bytes | None) -> None:
        """Bytes, or the client's end (None), are here; they are read as soon as the server reads."""
        self._arrived.append(data)
        self._pump_in()

    def was_reset(self) -> None:
        """Noticed by who reads or writes."""
        self._reset = True
        if self._reading or self._size:
            self._lose()

    def pump_out(self) -> None:
        """Send what the client's kernel has room for."""
        while self._unsent and self.window > 0 and not self.lost:
            data = self._unsent.popleft()
            self._size -= len(data)
            self.window -= len(data)
            self.wire.deliver(data)
        if self._ended and not self._told and not self._unsent and not self.lost:
            self._told = True
            self.wire.deliver(None)
        if self._closing:
            self._lose_once_sent()
        elif self._clogged and self._size <= LOW and not self.lost:
            self._clogged = False
            assert self.protocol is not None
            self.protocol.resume_writing()

    def _pump_in(self) -> None:
        while self._reading and self._arrived and not self.lost and self.protocol is not None:
            first = self._arrived.popleft()
            if first is None:
                if not self.protocol.eof_received():
                    self._closing = True
                    self.loop.call_soon(self._lose)
                continue
            data = [first]
            while self._arrived and self._arrived[0] is not None:
                data.append(self._arrived.popleft())  # type: ignore[arg-type]
            self.protocol.data_received(b"".join(data))
        if self._reset and self._reading and not self.lost:
            self._lose()

    def _lose(self) -> None:
        self._closing = True
        if not self.lost:
            self.lost = True
            self.loop.call_soon(self._tell_lost)
            self.wire.cut_off()

    def _tell_lost(self) -> None:
        if self.protocol is not None:
            self.protocol.connection_lost(None)
