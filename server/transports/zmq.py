"""ZMQ: a ROUTER socket, one JSON value per message, for REQ and DEALER clients (wire.md 1)."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable

import zmq
from fechner.server import jsontext
from fechner.server.counters import Counters
from fechner.server.errors import FechnerError
from fechner.server.events import Connected, Event, Gone, Received, Unreadable
from fechner.server.framing import too_long
from fechner.server.limits import Limits

#: Messages taken in before other transports get their turn.
_TURN = 64


class ZmqPeer:
    """One peer's way back: its routing id and whether it uses the empty delimiter (REQ does)."""

    def __init__(self, transport: ZmqTransport, number: int, envelope: list[bytes]) -> None:
        self._transport, self.number, self.envelope = transport, number, envelope

    def send(self, data: bytes) -> None:
        """Send a reply; a lost peer blocks nobody."""
        self._transport.send([*self.envelope, data])

    def pause(self, paused: bool) -> None:
        """Nothing to do: the engine refuses what is too much."""

    def close(self, linger: float = 0.0) -> None:
        """A ROUTER has nothing to close for one peer."""


class ZmqTransport:
    """The ROUTER socket in the asyncio loop."""

    def __init__(
        self,
        address: str,
        limits: Limits,
        new_peer: Callable[[Callable[[int], ZmqPeer]], ZmqPeer],
        deliver: Callable[[Event], None],
        counters: Counters,
    ) -> None:
        self._counters = counters
        self._limits, self._new_peer, self._deliver = limits, new_peer, deliver
        self._peers: OrderedDict[bytes, ZmqPeer] = OrderedDict()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.MAXMSGSIZE, 4 * limits.message_bytes)
        self._socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        self._socket.setsockopt(zmq.IPV6, "[" in address)
        try:
            self._socket.bind(address)
        except zmq.ZMQError:
            self._socket.close()
            self._context.term()
            raise
        self._loop = asyncio.get_running_loop()
        self._fd = int(self._socket.getsockopt(zmq.FD))
        self._loop.add_reader(self._fd, self._drain)
        self._loop.call_soon(self._drain)

    @property
    def port(self) -> int:
        """The port that is bound."""
        endpoint = self._socket.getsockopt(zmq.LAST_ENDPOINT)
        assert isinstance(endpoint, bytes)
        return int(endpoint.rsplit(b":", 1)[1])

    def send(self, frames: list[bytes]) -> None:
        """Send without waiting."""
        if self._socket.closed:
            return
        with contextlib.suppress(zmq.ZMQError):  # the peer is gone or reads nothing
            self._socket.send_multipart(frames, zmq.NOBLOCK)
        # The socket's descriptor tells edges, and sending may have swallowed one.
        self._loop.call_soon(self._drain)

    def close(self) -> None:
        """Send what is under way, for a moment, and close."""
        if not self._socket.closed:
            self._loop.remove_reader(self._fd)
            self._socket.close(linger=200)
            self._context.term()

    def _drain(self) -> None:
        for _ in range(_TURN):
            if self._socket.closed:
                return
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.ZMQError:
                return
            self._message(frames)
        self._loop.call_soon(self._drain)

    def _message(self, frames: list[bytes]) -> None:
        identity, body = frames[0], frames[1:]
        self._counters.bytes_in += sum(map(len, body))
        envelope = [identity]
        if len(body) > 1 and body[0] == b"":
            envelope.append(b"")
            body = body[1:]
        peer = self._peers.get(identity)
        if peer is None:
            peer = self._new_peer(lambda number: ZmqPeer(self, number, envelope))
            self._peers[identity] = peer
            self._deliver(Connected(peer.number, False, f"zmq-{peer.number}"))
            while len(self._peers) > self._limits.connections:
                _, silent = self._peers.popitem(last=False)
                self._deliver(Gone(silent.number))
        self._peers.move_to_end(identity)
        peer.envelope = envelope
        self._deliver(self._event(peer.number, body))

    def _event(self, number: int, body: list[bytes]) -> Event:
        try:
            if len(body) != 1:
                raise FechnerError("bad_request", "one frame per message, after the empty delimiter if any")
            if len(body[0]) > self._limits.message_bytes:
                raise too_long(self._limits)
            return Received(number, jsontext.parse(body[0], self._limits))
        except FechnerError as error:
            return Unreadable(number, error)
