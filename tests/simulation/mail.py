"""A ZMQ-like connection: whole messages, no order to lose, no end that anybody hears of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fechner.server.engine.events import Connected, Event, Gone, Received, Unreadable
from fechner.server.protocol import jsontext
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.limits import Limits

from .clock import Clock
from .network import Client
from .weather import Weather

if TYPE_CHECKING:
    from .server import Process


class Box:
    """The server's end (`ports.Peer`)."""

    def __init__(self, mail: Mail) -> None:
        self.mail = mail

    def send(self, data: bytes) -> None:
        """Send a reply."""
        self.mail.deliver(data)

    def pause(self, paused: bool) -> None:
        """Nothing to do."""

    def trust(self, limits: Limits) -> None:
        """Its messages are short."""

    def close(self, linger: float = 0.0) -> None:
        """There is nothing to close."""
        self.mail.drop()


class Mail:
    """Both ends of it; the client's methods are those of a `Wire`, as far as they make sense."""

    stream = False

    def __init__(
        self, clock: Clock, weather: Weather, client: Client, server: Process, number: int, peer: str
    ) -> None:
        self.clock, self.weather, self.client, self.server = clock, weather, client, server
        self.number, self.peer = number, peer
        self.open, self.vanished, self.reading = True, False, True
        self._in = self._out = 0.0
        self._dropped = False  # the server has forgotten it
        self._arrive(self._accepted)

    def _accepted(self) -> None:
        self.server.peers[self.number] = Box(self)
        self.server.deliver(Connected(self.number, False, self.peer))

    def _arrive(self, call: object, *arguments: object) -> None:
        self._in = max(self._in, self.clock.now + self.weather.lasts(self.weather.latency))
        self.server.loop.call_at(self._in, call, *arguments)  # type: ignore[arg-type]

    # The client's end

    def send(self, data: bytes) -> None:
        """Send one message."""
        if self.open and not self.vanished:
            self._arrive(self._received, data)

    def _received(self, data: bytes) -> None:
        if self._dropped:
            self._dropped = False
            self._accepted()
        try:
            event: Event = Received(self.number, jsontext.parse(data, self.server.limits))
        except FechnerError as error:
            event = Unreadable(self.number, error)
        self.server.deliver(event)

    def vanish(self) -> None:
        self.vanished = True

    def reset(self) -> None:
        """Go away; the server can't know."""
        self.open = False

    end = close = reset

    def read(self, reading: bool) -> None:
        """A router keeps nothing for who doesn't read."""

    def heal(self) -> None:
        """At the end of time the server gives a silent peer up."""
        self._arrive(self._given_up)

    def _given_up(self) -> None:
        if not self._dropped:
            self.server.deliver(Gone(self.number))

    # From the server

    def drop(self) -> None:
        """The server forgets it: what it sends next makes it a new one."""
        self._dropped = True
        self.server.loop.call_soon(self.server.deliver, Gone(self.number))

    def deliver(self, data: bytes) -> None:
        """A message on the way to the client."""
        self._out = max(self._out, self.clock.now + self.weather.lasts(self.weather.latency))
        self.clock.at(self._out, self._delivered, data)

    def _delivered(self, data: bytes) -> None:
        if self.open and not self.vanished:
            self.client.got(self, data)  # type: ignore[arg-type]

    def cut_off(self) -> None:
        """The server is gone: its client notices nothing, and loses patience."""
        self.clock.after(5.0, self._noticed)

    def _noticed(self) -> None:
        if self.open and not self.vanished:
            self.client.lost(self, True)  # type: ignore[arg-type]
