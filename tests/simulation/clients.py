"""What every simulated client does: connect, send, wait, lose patience, break off, come back."""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING, Any

from .clock import Handle
from .ledger import Request
from .mail import Mail
from .network import Wire

if TYPE_CHECKING:
    from .world import World

#: In both cases the server goes on with its work, and sooner or later finds out or not.
WAYS_TO_BREAK = ("reset", "close", "vanish", "end")


class BaseClient:
    """One client.

    Attributes:
        life: how many requests it still means to make.
        outstanding: requests sent on the present connection and not answered.
        unsure: requests that may or may not have been honoured, to be sent again.
    """

    stream = True

    def __init__(self, world: World, name: str, host: str) -> None:
        self.world, self.name, self.host = world, name, host
        self.rng = random.Random(world.rng.getrandbits(64))
        self.ledger = world.ledger
        self.wire: Wire | Mail | None = None
        self.life = self.rng.choice((3, 8, 15, 30))
        self.hurry = self.rng.choice((0.001, 0.1, 2.0, 20.0))
        self.patience = self.rng.choice((None, None, 1.0, 10.0, 60.0))
        self.outstanding: deque[Request] = deque()
        self.unsure: deque[Request] = deque()
        self.tries = 0
        self.gone = False
        self._count = 0
        self._waiting: Handle | None = None

    # Coming and going

    def begin(self) -> None:
        """Connect; again and again while there is no server."""
        if self.gone or self.wire is not None:
            return
        server = self.world.server
        if server is None or not server.loop.alive or server.halted or server.stopped_at is not None:
            self.world.clock.after(0.2 + self.rng.random() * 3, self.begin)
            return
        self.wire = self.world.connect(self, self.stream)
        self.world.trace(f"{self.name} connects as {self.wire.number}")
        self.connected()

    def connected(self) -> None:
        """A connection is there."""
        self.soon()

    def lost(self, wire: Wire, reset: bool) -> None:
        """The server closed the connection, or it broke."""
        if wire is not self.wire:
            return
        self.world.trace(f"{self.name} {'loses' if reset else 'is closed out of'} connection {wire.number}")
        if not reset and not wire.server.engine.state.stopping and not self.may_be_closed():
            unanswered = [request.text[:100] for request in self.outstanding]
            self.ledger.breach(f"{self.name}: closed without a reason; unanswered: {unanswered}")
        self.dropped()

    def may_be_closed(self) -> bool:
        """Whether it gave a reason to be closed out."""
        return self.wire is not None and self.wire.number in self.world.ended

    def dropped(self) -> None:
        """There is no connection any more: what was under way is unsure."""
        if self._waiting is not None:
            self._waiting.cancel()
        self.wire = None
        self.unsure.extendleft(reversed([r for r in self.outstanding if r not in self.unsure]))
        self.outstanding.clear()
        self.tries += 1
        if self.tries > 40 or self.life <= 0:
            self.gone = True
            return
        self.world.clock.after(0.01 + self.rng.random() ** 3 * 15, self.begin)

    def break_off(self, way: str) -> None:
        """End the connection in one of the ways."""
        wire = self.wire
        if wire is None:
            return
        self.world.trace(f"{self.name} breaks off {wire.number}: {way}")
        if way == "end":
            self.world.ended.add(wire.number)
            wire.end()  # and reads on, until it is closed
            if wire.stream:
                return
        else:
            getattr(wire, way)()
        self.dropped()

    def leave(self) -> None:
        """Its work is done."""
        self.gone = True
        if self._waiting is not None:
            self._waiting.cancel()
        if self.wire is not None:
            way = self.rng.choice((*WAYS_TO_BREAK, "stay"))
            self.world.trace(f"{self.name} leaves: {way}")
            if way == "end":
                self.world.ended.add(self.wire.number)
            if way != "stay":
                getattr(self.wire, way)()

    # Sending

    def soon(self) -> None:
        """Act after a while."""
        self.world.clock.after(self.rng.random() ** 2 * self.hurry, self._act)

    def _act(self) -> None:
        if self.wire is None or self.outstanding or self.gone or self.wire.number in self.world.ended:
            return
        if self.life <= 0 and not self.unsure:
            self.leave()
        else:
            self.act()

    def act(self) -> None:
        """Send something; called only when nothing is outstanding."""
        raise NotImplementedError

    def new(self, type_: str, value: dict[str, Any], **more: Any) -> Request:
        """A request that nobody has sent yet."""
        self._count += 1
        return Request(self.name, type_, value, **more)

    def fresh(self) -> str:
        """A text that no other request has."""
        self._count += 1
        return f"{self.name}-{self._count}"

    def transmit(self, request: Request) -> bool:
        """Send a request, if the weather lets it out; False if the connection broke over it."""
        wire, weather = self.wire, self.world.weather
        assert wire is not None
        self.life -= 1
        data = request.data
        breaks = weather.happens(weather.connection_breaks)
        if breaks and self.stream and self.rng.random() < 0.3:
            self.world.trace(f"{self.name} sends half of {request.text[:120]}")
            wire.send(data[: self.rng.randrange(len(data))])
            self.unsure.append(request)
            self.break_off("reset")
            return False
        self.world.trace(f"{self.name} on {wire.number}: {request.text[:200]}")
        self.ledger.note_sent(request, wire.number)
        self.outstanding.append(request)
        wire.send(data + self.rng.choice((b"", b"\n", b" \r\n")) if self.stream else data)
        if breaks:
            way = self.rng.choice(WAYS_TO_BREAK)
            self.world.clock.after(weather.lasts(5.0), self._break_if, wire, way)
        elif self.patience is not None and not self.world.is_calm:
            if self._waiting is not None:
                self._waiting.cancel()
            self._waiting = self.world.clock.after(self.patience, self._impatient, wire, request)
        return True

    def _break_if(self, wire: Wire, way: str) -> None:
        if self.wire is wire and not self.gone and wire.number not in self.world.ended:
            self.break_off(way)

    def _impatient(self, wire: Wire, request: Request) -> None:
        if self.wire is wire and request in self.outstanding and not self.world.is_calm:
            self._break_if(wire, self.rng.choice(WAYS_TO_BREAK))

    # Receiving

    def got(self, wire: Wire, data: bytes) -> None:
        """Bytes from the server."""
        if wire is self.wire:
            self.received(data)

    def received(self, data: bytes) -> None:
        """What one write of the server sent."""
        raise NotImplementedError
