"""TCP: a byte stream of JSON values, split incrementally (docs/reference/wire.md, Transport)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from fechner.server.engine.events import Connected, Event, Gone, Unreadable
from fechner.server.observing.counters import Counters
from fechner.server.protocol.limits import Limits, exceeded
from fechner.server.shell.transports.incoming import WHOLE_BYTES, Incoming
from fechner.server.shell.transports.outgoing import Outgoing
from fechner.server.shell.transports.phases import Hold, Phase, Timer
from fechner.server.shell.transports.sockets import keep_alive
from fechner.server.shell.transports.turns import Account, Turns, timed

#: Read at once from one connection.
READ_BYTES = 65_536

#: How long a closing connection's input is read and discarded, so that no reset overtakes the last reply,
#: and how much of it.
LINGER_SECONDS = 1.0
DISCARD_BYTES = 16 * 1024 * 1024


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
        self._outgoing: Outgoing | None = None
        self._phase = Phase.OPEN
        self._hold = Hold()
        self._encrypted = False
        self._account = Account()
        self._spent = 0.0  # of the processor's seconds, on the message that is being read
        self._discarded = 0
        self._timer = Timer()  # for a begun message

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self._transport = transport = cast(asyncio.Transport, transport)
        drop = self._incoming.forget  # none of it was answered, and nobody waits for the answers
        self._outgoing = Outgoing(self.number, transport, self._hold, self._counters, drop)
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
        if self._phase.closing:
            self._discard(len(data))
            return
        self._counters.bytes_in += len(data)
        if self._incoming.deaf:
            return
        if not self._hold.parsing and self._incoming.add_whole(data):
            if self._turns is not None and self._turns.held():
                self._work()
            else:
                self._pass_on()
        else:
            self._incoming.add(data)
            self._work()

    def eof_received(self) -> bool:
        """The client sends no more."""
        if self._phase.closing:
            return False
        self._incoming.end()
        self._phase = Phase.ENDED
        self._work()
        return not self._encrypted  # it may still read; TLS can't be closed by halves

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self._phase = self._phase.parted
        self._timer.stop()
        if self._outgoing is not None:
            self._outgoing.timer.stop()
        self._incoming.no_end()
        self._work()  # what had arrived is still honoured

    def pause_writing(self) -> None:
        """The client doesn't read: hear nothing from it until it does."""
        if self._outgoing is not None:
            self._outgoing.clog(self._limits)
        self._set_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        if self._outgoing is not None:
            self._outgoing.unclog()
        self._work()

    # What the engine wants

    def send(self, data: bytes) -> None:
        """Send a reply."""
        if self._outgoing is not None and not self._phase.lost:
            self._outgoing.send(data)

    def pause(self, paused: bool) -> None:
        """Deliver nothing more, or go on."""
        self._hold.paused = paused
        self._set_reading()
        if not paused and self._can_go_on():
            asyncio.get_running_loop().call_soon(self._work)

    def trust(self, limits: Limits) -> None:
        """From now on these are the limits."""
        self._limits = limits
        self._incoming.allow(limits)

    def close(self, linger: float = LINGER_SECONDS) -> None:
        """Shut down writing after what was sent, discard input for a while, close."""
        before, transport = self._phase, self._transport
        if before.closing or transport is None:
            return
        self._phase = before.closed
        self._incoming.forget()
        if self._phase.lost:
            self._work()
            return
        self._timer.stop()
        if before is Phase.ENDED or self._encrypted:  # no input is to come, or TLS says it to the client
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
        hold, phase = self._hold, self._phase
        if hold.parsing or phase.closing:
            return False
        if (hold.paused or hold.clogged) and not phase.lost:
            return False
        if hold.resting and not phase.lost and not self._incoming.only_ends:
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
        if ended or not begun:
            self._timer.stop()
        if begun and not self._phase.lost:
            self._timer.begin(self._limits.message_seconds, self._refuse_slow)

    def _hand_over(self, item: bytes | Event) -> None:
        if not isinstance(item, bytes):
            self._give(item)
        elif self._turns is None or len(item) <= WHOLE_BYTES:
            self._give_parsed(self._incoming.event(item))
        else:
            self._hold.parsing = True
            self._turns.apart(lambda: timed(lambda: self._incoming.event(item)), self._take_parsed)

    def _take_parsed(self, found: tuple[Event, float]) -> None:
        """A long message was read in another thread."""
        event, took = found
        self._spent += took
        self._hold.parsing = False
        if not self._phase.closing:
            self._incoming.put_back(event)
            if isinstance(event, Unreadable):
                self._incoming.drop_after_fault()
        self._work()

    def _give_parsed(self, event: Event) -> None:
        if isinstance(event, Unreadable):
            self._incoming.drop_after_fault()
        self._give(event)

    def _give(self, event: Event) -> None:
        """Deliver; after one that took long the others go first for a while."""
        begun = time.thread_time()
        self._deliver(event)
        took, self._spent = self._spent + time.thread_time() - begun, 0.0
        rest = self._account.charge(took) if self._turns is not None else 0.0
        if rest and not self._phase.lost:
            self._hold.resting = True
            asyncio.get_running_loop().call_later(rest, self._end_rest)

    def _end_rest(self) -> None:
        self._hold.resting = False
        self._work()

    def _at_rest(self) -> None:
        """Nothing more can be done now: read on, or say that the connection is gone."""
        phase = self._phase
        if phase.lost and not self._hold.parsing and (phase.closing or not self._incoming.waiting):
            self._phase = Phase.TOLD
            if phase is not Phase.TOLD:
                self._deliver(Gone(self.number))
            return
        self._set_reading()

    def _set_reading(self) -> None:
        transport, phase = self._transport, self._phase
        if transport is None or phase.lost or phase.closing or transport.is_closing():
            return
        incoming, hold = self._incoming, self._hold
        if hold.paused or hold.clogged or hold.parsing or incoming.waiting or incoming.deaf:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def _refuse_slow(self) -> None:
        """The time of a begun message is over."""
        seconds, hold = self._limits.message_seconds, self._hold
        busy = hold.parsing or hold.resting or self._incoming.waiting
        if hold.paused or hold.clogged or busy:  # it is we who don't read
            self._timer.begin(seconds, self._refuse_slow)
            return
        text = f"a message did not end within {seconds:g} s of its beginning"
        error = exceeded("message_seconds", text, hint="send each message in one go")
        self._incoming.fail(error)
        self._work()

    def _discard(self, count: int) -> None:
        self._discarded += count
        if self._discarded > DISCARD_BYTES and self._transport is not None:
            self._transport.abort()
