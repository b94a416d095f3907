"""TCP: a byte stream of JSON values, split incrementally (docs/reference/wire.md, Transport)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from fechner.server.engine.events import Connected, Event, Gone, Unreadable
from fechner.server.observing.counters import Counters
from fechner.server.observing.logs import Log, emit
from fechner.server.protocol.limits import Limits, exceeded
from fechner.server.shell.transports.incoming import WHOLE_BYTES, Incoming
from fechner.server.shell.transports.sockets import keep_alive, reset_at_close
from fechner.server.shell.transports.turns import Account, Turns, timed

#: Read at once from one connection.
READ_BYTES = 65_536

#: How long a closing connection's input is read and discarded, so that no reset overtakes the last reply,
#: and how much of it.
LINGER_SECONDS = 1.0
DISCARD_BYTES = 16 * 1024 * 1024

#: Replies that wait for a peer to read them, beyond which it is taken for lost.
UNREAD_BYTES = 8 * 1024 * 1024


class TcpConnection(asyncio.Protocol):
    """One client on the byte stream.

    Args:
        number: its name for the engine.
        limits: of the server.
        deliver: takes its events.
        turns: when more than a small request waits; without it everything is handled as it comes.
        counters: of the server.
        made: told once it is there; with TLS, once it has agreed on encryption.
    """

    def __init__(
        self,
        number: int,
        limits: Limits,
        deliver: Callable[[Event], None],
        turns: Turns | None = None,
        counters: Counters | None = None,
        made: Callable[[TcpConnection], None] = lambda connection: None,
    ) -> None:
        self.number = number
        self._counters = counters or Counters()
        self._limits, self._deliver, self._turns, self._made = limits, deliver, turns, made
        self._incoming = Incoming(number, limits)
        self._transport: asyncio.Transport | None = None
        self._parsing = False  # a long message, in another thread
        self._resting = False  # its last requests took long
        self._account = Account()
        self._spent = 0.0  # of the processor's seconds, on the message that is being read
        self._paused = False  # the engine has enough requests of ours
        self._clogged = False  # the peer doesn't read our replies
        self._heard_all = False  # the peer sends no more
        self._closing = False
        self._lost = False
        self._said_gone = False
        self._discarded = 0
        self._timer: asyncio.TimerHandle | None = None  # for a begun message
        self._unread: asyncio.TimerHandle | None = None  # for replies
        self._encrypted = False

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self._transport = cast(asyncio.Transport, transport)
        self._encrypted = transport.get_extra_info("ssl_object") is not None
        if hasattr(transport, "max_size"):
            transport.max_size = READ_BYTES
        self._made(self)
        keep_alive(transport.get_extra_info("socket"))
        address = transport.get_extra_info("peername")
        peer = f"{address[0]}:{address[1]}" if address else "tcp"
        self._deliver(Connected(self.number, True, peer))

    def data_received(self, data: bytes) -> None:
        """Bytes came, cut anywhere."""
        if self._closing:
            self._discard(len(data))
            return
        self._counters.bytes_in += len(data)
        if self._incoming.deaf:
            return
        if not self._parsing and self._incoming.add_whole(data):
            if self._turns is not None and self._turns.held():
                self._work()
            else:
                self._pass_on()
        else:
            self._incoming.add(data)
            self._work()

    def eof_received(self) -> bool:
        """The client sends no more."""
        if self._closing:
            return False
        self._incoming.end()
        self._heard_all = True
        self._work()
        return not self._encrypted  # it may still read; TLS can't be closed by halves

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self._lost = True
        for timer in (self._timer, self._unread):
            if timer is not None:
                timer.cancel()
        self._timer = self._unread = None
        self._incoming.no_end()
        self._work()  # what had arrived is still honoured

    def pause_writing(self) -> None:
        """The client doesn't read: hear nothing from it until it does."""
        self._clogged = True
        if self._unread is None:
            loop = asyncio.get_running_loop()
            self._unread = loop.call_later(self._limits.message_seconds, self._does_not_read)
        self._set_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._clogged = False
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        self._work()

    # What the engine wants

    def send(self, data: bytes) -> None:
        """Send a reply with one write."""
        transport = self._transport
        if transport is None or self._lost or transport.is_closing():
            return
        if self._clogged and transport.get_write_buffer_size() > UNREAD_BYTES:
            self._give_up(f"leaves {UNREAD_BYTES} bytes of replies unread")
            return
        transport.write(data)

    def pause(self, paused: bool) -> None:
        """Deliver nothing more, or go on."""
        self._paused = paused
        self._set_reading()
        if not paused and self._can_go_on():
            asyncio.get_running_loop().call_soon(self._work)

    def trust(self, limits: Limits) -> None:
        """From now on these are the limits."""
        self._limits = limits
        self._incoming.allow(limits)

    def close(self, linger: float = LINGER_SECONDS) -> None:
        """Shut down writing after what was sent, discard input for a while, close."""
        if self._closing or self._transport is None:
            return
        self._closing = True
        self._incoming.forget()
        if self._lost:
            self._work()
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        transport = self._transport
        if self._heard_all or self._encrypted:  # there is no input to wait for, or TLS says it to the client
            transport.close()
        elif transport.can_write_eof():
            with suppress(OSError):  # the client may be gone already
                transport.write_eof()
        if not transport.is_closing():
            transport.resume_reading()
        asyncio.get_running_loop().call_later(linger, transport.abort)

    # Inside: a piece of work at a time

    def go_on(self) -> bool:
        """Split or deliver a little of what has arrived; whether more can be done now."""
        if self._can_go_on():
            self._step()
        more = self._can_go_on()
        if not more:
            self._at_rest()
        return more

    def _work(self) -> None:
        """Go on with what has arrived, when it is our turn."""
        if self._turns is None or not self._can_go_on():
            while self.go_on():
                pass
        else:
            self._turns.add(self)
            self._set_reading()

    def _pass_on(self) -> None:
        """Deliver the one request that has come by itself, if the engine takes any."""
        if self._can_go_on():
            self._step()
        self._at_rest()

    def _can_go_on(self) -> bool:
        """Whether there is something to do, and nobody to wait for."""
        if self._parsing or self._closing:
            return False
        if (self._paused or self._clogged) and not self._lost:
            return False
        if self._resting and not self._lost and not self._incoming.only_ends:
            return False
        return self._incoming.more

    def _step(self) -> None:
        """Deliver one event, or split a slice of the input."""
        if self._incoming.splits:
            begun = time.thread_time()
            self._time(self._incoming.split())
            self._spent += time.thread_time() - begun
            return
        item = self._incoming.take()
        if item is not None:
            self._hand_over(item)

    def _time(self, ended: bool) -> None:
        """A message that has begun has so long to end."""
        begun = self._incoming.begun
        if self._timer is not None and (ended or not begun):
            self._timer.cancel()
            self._timer = None
        if begun and self._timer is None and not self._lost:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._limits.message_seconds, self._too_slow)

    def _hand_over(self, item: bytes | Event) -> None:
        if not isinstance(item, bytes):
            self._give(item)
        elif self._turns is None or len(item) <= WHOLE_BYTES:
            self._parsed(self._incoming.event(item))
        else:
            self._parsing = True
            self._turns.apart(lambda: timed(lambda: self._incoming.event(item)), self._parsed_apart)

    def _parsed_apart(self, found: tuple[Event, float]) -> None:
        event, took = found
        self._spent += took
        self._parsing = False
        if not self._closing:
            self._incoming.put_back(event)
            if isinstance(event, Unreadable):
                self._incoming.drop_after_fault()
        self._work()

    def _parsed(self, event: Event) -> None:
        if isinstance(event, Unreadable):
            self._incoming.drop_after_fault()
        self._give(event)

    def _give(self, event: Event) -> None:
        """Deliver; after one that took long the others go first for a while."""
        begun = time.thread_time()
        self._deliver(event)
        took, self._spent = self._spent + time.thread_time() - begun, 0.0
        rest = self._account.charge(took) if self._turns is not None else 0.0
        if rest and not self._lost:
            self._resting = True
            asyncio.get_running_loop().call_later(rest, self._rested)

    def _rested(self) -> None:
        self._resting = False
        self._work()

    def _at_rest(self) -> None:
        """Nothing more can be done now: read on, or say that the connection is gone."""
        if self._lost and not self._parsing and (self._closing or not self._incoming.waiting):
            if not self._said_gone:
                self._said_gone = True
                self._deliver(Gone(self.number))
            return
        self._set_reading()

    def _set_reading(self) -> None:
        transport = self._transport
        if transport is None or self._lost or transport.is_closing() or self._closing:
            return
        incoming = self._incoming
        if self._paused or self._clogged or self._parsing or incoming.waiting or incoming.deaf:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def _too_slow(self) -> None:
        self._timer = None
        seconds = self._limits.message_seconds
        busy = self._parsing or self._resting or self._incoming.waiting
        if self._paused or self._clogged or busy:  # it is we who don't read
            self._timer = asyncio.get_running_loop().call_later(seconds, self._too_slow)
            return
        text = f"a message did not end within {seconds:g} s of its beginning"
        error = exceeded("message_seconds", text, hint="send each message in one go")
        self._incoming.fail(error)
        self._work()

    def _does_not_read(self) -> None:
        self._unread = None
        self._give_up(f"reads no reply within {self._limits.message_seconds:g} s")

    def _give_up(self, why: str) -> None:
        """Cut the connection: the peer isn't there any more, or does as if."""
        transport = self._transport
        if transport is not None and not transport.is_closing():
            self._counters.count_line("warning")
            emit(Log("warning", f"a peer {why}: connection closed", self.number))
            reset_at_close(transport.get_extra_info("socket"))
            self._incoming.forget()  # none of it was answered, and nobody waits for the answers
            transport.abort()

    def _discard(self, count: int) -> None:
        self._discarded += count
        if self._discarded > DISCARD_BYTES and self._transport is not None:
            self._transport.abort()
