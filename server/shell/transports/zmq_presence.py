"""Whose connection stands: ZMQ tells of ends by the numbers of descriptors that messages came through."""

from __future__ import annotations

import zmq
from zmq.utils.monitor import parse_monitor_message

from fechner.server.shell.transports.zmq_peer import ZmqPeer


class Presence:
    """Peers by the descriptor of their connection, and those whose connection has ended.

    Args:
        socket: the ROUTER socket, not yet bound.
    """

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        self._monitor = socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._through: dict[int, set[ZmqPeer]] = {}
        self._vanished: list[ZmqPeer] = []  # what they had sent may not have been received yet
        self.descriptor = int(self._monitor.getsockopt(zmq.FD))

    def close(self) -> None:
        """Hear no more."""
        self._monitor.close(linger=0)

    def watch(self) -> bool:
        """Hear which connections have ended; whether any had."""
        before = len(self._vanished)
        while not self._monitor.closed:
            try:
                event = parse_monitor_message(self._monitor.recv_multipart(zmq.NOBLOCK))
            except zmq.ZMQError:
                break
            self._vanished += self._through.pop(int(event["value"]), ())
        return len(self._vanished) > before

    def has(self, peer: ZmqPeer, descriptor: int) -> bool:
        """Whether its messages come through this descriptor, as far as is known."""
        return peer in self._through.get(descriptor, ())

    def enter(self, peer: ZmqPeer, descriptor: int) -> None:
        """A peer's messages come through this descriptor."""
        peer.descriptor = descriptor
        self._through.setdefault(descriptor, set()).add(peer)

    def leave(self, peer: ZmqPeer) -> None:
        """It no longer comes through the descriptor that it came through."""
        others = self._through.get(peer.descriptor)
        if others is not None:
            others.discard(peer)
            if not others:
                del self._through[peer.descriptor]

    @property
    def any_vanished(self) -> bool:
        """Whether anybody's connection has ended, and nobody was told."""
        return bool(self._vanished)

    def take_vanished(self) -> list[ZmqPeer]:
        """Those whose connection has ended, but for who has come back through another one."""
        vanished, self._vanished = self._vanished, []
        return [peer for peer in vanished if not self.has(peer, peer.descriptor)]
