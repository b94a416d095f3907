"""TCP: a byte stream of JSON values, split incrementally (wire.md 1)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from fechner.server import jsontext
from fechner.server.errors import FechnerError
from fechner.server.events import Connected, Ended, Event, Gone, Received, Unreadable
from fechner.server.framing import Splitter
from fechner.server.limits import Limits

#: The longest input that is looked at as a whole: a begun request may come in many pieces.
WHOLE_BYTES = 65_536

#: How long a closing connection's input is read and discarded, so that no reset overtakes the last reply.
LINGER_SECONDS = 1.0


class TcpConnection(asyncio.Protocol):
    """One client on the byte stream."""

    def __init__(self, number: int, limits: Limits, deliver: Callable[[Event], None]) -> None:
        self.number = number
        self._limits, self._deliver = limits, deliver
        self._splitter = Splitter(limits)
        self._backlog: deque[Event] = deque()
        self._transport: asyncio.Transport | None = None
        self._paused = False  # the engine has enough requests of ours
        self._clogged = False  # the peer doesn't read our replies
        self._closing = False
        self._lost = False
        self._timer: asyncio.TimerHandle | None = None

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self._transport = cast(asyncio.Transport, transport)
        address = transport.get_extra_info("peername")
        peer = f"{address[0]}:{address[1]}" if address else "tcp"
        self._deliver(Connected(self.number, True, peer))

    def data_received(self, data: bytes) -> None:
        """Bytes came, cut anywhere."""
        if self._closing:
            return
        if not self._splitter.begun and self._splitter.fault is None:
            whole = self._whole(data)
            if whole is not None:
                self._backlog.append(whole)
                self._pass_on()
                return
        texts = self._splitter.feed(data)
        self._take(texts)
        begun = self._splitter.begun and self._splitter.fault is None
        if self._timer is not None and (texts or not begun):
            self._timer.cancel()
            self._timer = None
        if begun and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._limits.message_seconds, self._too_slow)

    def eof_received(self) -> bool:
        """The client sends no more."""
        if self._closing:
            return False
        self._take(self._splitter.end())
        self._backlog.append(Ended(self.number))
        self._pass_on()
        return True  # it may still read

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self._lost = True
        if self._timer is not None:
            self._timer.cancel()
        while self._backlog:  # what had arrived is still honoured
            self._deliver(self._backlog.popleft())
        self._deliver(Gone(self.number))

    def pause_writing(self) -> None:
        """The client doesn't read: hear nothing from it until it does."""
        self._clogged = True
        self._set_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._clogged = False
        self._set_reading()

    # What the engine wants

    def send(self, data: bytes) -> None:
        """Send a reply with one write."""
        if self._transport is not None and not self._lost and not self._transport.is_closing():
            self._transport.write(data)

    def pause(self, paused: bool) -> None:
        """Deliver nothing more, or go on."""
        self._paused = paused
        self._set_reading()
        if not paused and self._backlog:
            asyncio.get_running_loop().call_soon(self._pass_on)

    def close(self, linger: float = LINGER_SECONDS) -> None:
        """Shut down writing after what was sent, discard input for a while, close."""
        if self._closing or self._transport is None or self._lost:
            return
        self._closing = True
        self._backlog.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        transport = self._transport
        if transport.can_write_eof():
            with suppress(OSError):  # the client may be gone already
                transport.write_eof()
        if not transport.is_closing():
            transport.resume_reading()
        asyncio.get_running_loop().call_later(linger, transport.abort)

    # Inside

    def _whole(self, data: bytes) -> Event | None:
        """The request, if the bytes are one and no more, as most are: then they need no splitting."""
        if data[:1] != b"{" or len(data) > min(WHOLE_BYTES, self._limits.message_bytes):
            return None
        try:
            return Received(self.number, jsontext.parse(data, self._limits))
        except FechnerError:
            return None  # in pieces, several, or broken: the splitter knows what

    def _take(self, texts: list[bytes]) -> None:
        for text in texts:
            self._backlog.append(self._event(text))
            if isinstance(self._backlog[-1], Unreadable):
                break  # the connection closes after this error
        else:
            if self._splitter.fault is not None:
                self._backlog.append(Unreadable(self.number, self._splitter.fault))
        self._pass_on()

    def _event(self, text: bytes) -> Event:
        try:
            return Received(self.number, jsontext.parse(text, self._limits))
        except FechnerError as error:
            return Unreadable(self.number, error)

    def _pass_on(self) -> None:
        while self._backlog and not self._paused and not self._closing:
            self._deliver(self._backlog.popleft())
        self._set_reading()

    def _set_reading(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or self._closing:
            return
        if self._paused or self._clogged or self._backlog:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def _too_slow(self) -> None:
        self._timer = None
        seconds = self._limits.message_seconds
        if self._paused or self._clogged or self._backlog:  # it is we who don't read
            self._timer = asyncio.get_running_loop().call_later(seconds, self._too_slow)
            return
        error = FechnerError("limit_reached", f"a message did not end within {seconds:g} s of its beginning")
        self._backlog.append(Unreadable(self.number, error))
        self._pass_on()
