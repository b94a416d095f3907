"""ZMQ: a ROUTER socket, one JSON value per message, for REQ and DEALER clients.

The peer's side is in docs/reference/wire.md, Transport.
ZMQ itself tells nobody who is connected. That a peer is gone is heard from the socket's monitor, by the
number of the descriptor that its messages came through; that it doesn't read is seen when its queue is full.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import zmq

from fechner.server.engine.events import Connected, Event, Gone, Unreadable
from fechner.server.observing.counters import Counters
from fechner.server.observing.logs import Log, emit
from fechner.server.protocol.limits import Limits, exceeded
from fechner.server.shell.transports.incoming import WHOLE_BYTES
from fechner.server.shell.transports.outgoing import UNREAD_BYTES
from fechner.server.shell.transports.turns import Turns, timed
from fechner.server.shell.transports.zmq_peer import ZmqPeer
from fechner.server.shell.transports.zmq_presence import Presence
from fechner.server.shell.transports.zmq_socket import QUEUED_IN, router_socket

#: Messages of one peer that wait here, behind one that takes long.
MOST_WAITING = 1_000

#: A long message counts as if it came at this rate, however soon it is refused: ZMQ had its work with it too.
BYTES_PER_SECOND = 200e6

#: After a message from a peer that has sent too many already nothing is received for a moment: others wait
#: no longer than that, and the flood, which can't be told from them before it is received, comes slowly.
FLOOD_SECONDS = 0.001

#: How often a peer that didn't read is tried again.
RETRY_SECONDS = 0.01


class ZmqTransport:
    """The ROUTER socket in the asyncio loop.

    Args:
        address: where to bind.
        limits: of the server.
        new_peer: numbers a peer and knows it from then on.
        deliver: takes events.
        turns: when messages are looked at.
        counters: of the server.
        curve: the server's public and secret keys, to encrypt with.
        strict: a peer is one connection: whoever comes with its routing id through another one is somebody
            else, who has not shown a token.
        strangers: limits until a peer has shown a token, if others.
    """

    def __init__(
        self,
        address: str,
        limits: Limits,
        new_peer: Callable[[Callable[[int], ZmqPeer]], ZmqPeer],
        deliver: Callable[[Event], None],
        turns: Turns | None = None,
        counters: Counters | None = None,
        curve: tuple[bytes, bytes] | None = None,
        strict: bool = False,
        strangers: Limits | None = None,
    ) -> None:
        self._strict = strict
        self._counters = counters or Counters()
        self._limits, self._new_peer, self._deliver = limits, new_peer, deliver
        self.strangers = strangers or limits
        self._turns = turns or Turns()
        self._peers: dict[bytes, ZmqPeer] = {}
        self._received_since = 0
        self._retrying: set[ZmqPeer] = set()
        self._flooded = False  # nothing is received for a moment
        self._context = zmq.Context()
        self._socket = router_socket(self._context, address, limits, curve, strict)
        self._presence = Presence(self._socket)
        try:
            self._socket.bind(address)
        except zmq.ZMQError:
            self._end(linger=0)
            raise
        self._loop = asyncio.get_running_loop()
        self._fd = int(self._socket.getsockopt(zmq.FD))
        self._loop.add_reader(self._fd, self._drain)
        self._loop.add_reader(self._presence.descriptor, self._watch)
        self._loop.call_soon(self._drain)

    @property
    def port(self) -> int:
        """The port that is bound."""
        endpoint = self._socket.getsockopt(zmq.LAST_ENDPOINT)
        assert isinstance(endpoint, bytes)
        return int(endpoint.rsplit(b":", 1)[1])

    def close(self) -> None:
        """Send what is under way, for a moment, and close."""
        if not self._socket.closed:
            self._loop.remove_reader(self._fd)
            self._loop.remove_reader(self._presence.descriptor)
            self._end(linger=200)

    def _end(self, linger: int) -> None:
        self._socket.disable_monitor()
        self._presence.close()
        self._socket.close(linger=linger)
        self._context.term()

    # Replies out

    def send(self, peer: ZmqPeer, frames: list[bytes]) -> None:
        """Send without waiting; what ZMQ doesn't take is kept until it does, up to a point."""
        if self._socket.closed or self._peers.get(peer.identity) is not peer:
            return
        if self._strict and not self._is_there(peer):
            return  # nobody else may get its replies
        if peer.unsent or not self._try(peer, frames):
            if self._peers.get(peer.identity) is not peer:
                return  # it is gone
            if peer.unsent_bytes > UNREAD_BYTES:
                self._give_up(peer, f"leaves {UNREAD_BYTES} bytes of replies unread")
                return
            peer.unread_since = peer.unread_since if peer.unsent else self._loop.time()
            peer.unsent.append(frames)
            peer.unsent_bytes += len(frames[-1])
            if not self._retrying:
                self._loop.call_later(RETRY_SECONDS, self._retry)
            self._retrying.add(peer)
        # The socket's descriptor tells edges, and sending may have swallowed one.
        self._drain()

    def _try(self, peer: ZmqPeer, frames: list[bytes]) -> bool:
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError:  # the peer is gone
            self.forget(peer)
            return False
        return True

    def _retry(self) -> None:
        if self._socket.closed:
            return
        for peer in tuple(self._retrying):
            while peer.unsent and self._try(peer, peer.unsent[0]):
                peer.unsent_bytes -= len(peer.unsent.popleft()[-1])
                peer.unread_since = self._loop.time()
            if not peer.unsent:
                self._retrying.discard(peer)
                self._turns.add(peer)
            elif self._loop.time() - peer.unread_since > self._limits.message_seconds:
                self._give_up(peer, f"reads no reply within {self._limits.message_seconds:g} s")
        if self._retrying:
            self._loop.call_later(RETRY_SECONDS, self._retry)
        self._drain()

    def _give_up(self, peer: ZmqPeer, why: str) -> None:
        self._counters.count_line("warning")
        emit(Log("warning", f"a peer {why}: dropped", peer.number))
        self.forget(peer)

    # Peers come and go

    def forget(self, peer: ZmqPeer) -> None:
        """The peer is gone, or as good as."""
        peer.unsent.clear()
        peer.backlog.clear()
        peer.unsent_bytes = peer.backlog_bytes = 0
        self._retrying.discard(peer)
        self._presence.leave(peer)
        if self._peers.get(peer.identity) is peer:
            del self._peers[peer.identity]
            self._deliver(Gone(peer.number))

    def _watch(self) -> None:
        """Hear which connections have ended."""
        if self._presence.watch():
            self._received_since = 0
        if self._presence.any_vanished:
            self._drain()

    def _see_off(self) -> None:
        """All that those who vanished had sent has been received by now."""
        for peer in self._presence.take_vanished():
            self.forget(peer)

    # Messages in

    def _drain(self) -> None:
        self._turns.add(self)

    def go_on(self) -> bool:
        """Receive one message; whether there may be more."""
        if self._socket.closed or self._flooded:
            return False
        # Without this libzmq would hear of another peer's message only after a hundred of this one's.
        self._socket.getsockopt(zmq.EVENTS)
        try:
            frames: list[Any] = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.ZMQError:
            self._see_off()
            return False
        self._message(frames)
        self._received_since += 1
        if self._received_since > (QUEUED_IN + 1) * (len(self._peers) + 1):  # each peer had its turns
            self._see_off()
        return True

    def _message(self, frames: list[Any]) -> None:
        descriptor = int(frames[-1].get(zmq.SRCFD))
        identity, body = frames[0].bytes, frames[1:4]
        size = sum(map(len, body))
        self._counters.bytes_in += size
        envelope = [identity]
        if len(body) > 1 and not len(body[0]):
            envelope.append(b"")
            body = body[1:]
        peer = self._peers.get(identity)
        if peer is not None and self._strict and not (self._is_there(peer) and peer.descriptor == descriptor):
            self.forget(peer)
            peer = None
        if peer is None:
            peer = self._new_peer(lambda number: ZmqPeer(self, number, envelope))
            self._peers[identity] = peer
            self._enter(peer, descriptor)
            self._deliver(Connected(peer.number, False, f"zmq-{peer.number}"))
            if identity not in self._peers:
                return  # refused, and told so
        elif not self._presence.has(peer, descriptor):
            self._enter(peer, descriptor)
        peer.envelope = envelope
        if not peer.held and not peer.backlog:
            self.handle(peer, [frame.bytes for frame in body])
        elif len(peer.backlog) < MOST_WAITING and peer.backlog_bytes < 2 * self._limits.message_bytes:
            peer.backlog.append([frame.bytes for frame in body])
            peer.backlog_bytes += size
        else:
            text = f"{len(peer.backlog)} messages are waiting already"
            error = exceeded("waiting_requests", text, hint="wait for replies before sending more")
            self._deliver(Unreadable(peer.number, error))
            self._flooded = True
            self._loop.call_later(FLOOD_SECONDS, self._end_flood)

    def _end_flood(self) -> None:
        self._flooded = False
        self._drain()

    def _is_there(self, peer: ZmqPeer) -> bool:
        """Whether its connection stands: libzmq tells of an end before it takes anything from the next."""
        self._watch()
        return self._presence.has(peer, peer.descriptor)

    def _enter(self, peer: ZmqPeer, descriptor: int) -> None:
        """A peer's messages come through this descriptor: not what had that number before."""
        self._presence.leave(peer)
        self._watch()
        self._presence.enter(peer, descriptor)

    def handle(self, peer: ZmqPeer, body: list[bytes]) -> None:
        """Hand a message over; a long one is read in another thread first."""
        if len(body) == 1 and WHOLE_BYTES < len(body[0]) <= peer.limits.message_bytes:
            peer.parsing = True

            def then(found: tuple[Event, float]) -> None:
                event, took = found
                peer.parsing = False
                if self._peers.get(peer.identity) is peer:
                    self._give(peer, event, max(took, len(body[0]) / BYTES_PER_SECOND))
                    self._turns.add(peer)

            self._turns.apart(lambda: timed(lambda: peer.event(body)), then)
        else:
            self._give(peer, peer.event(body))

    def _give(self, peer: ZmqPeer, event: Event, took: float = 0.0) -> None:
        """Deliver; after one that took long, with its reading, the others go first for a while."""
        begun = time.thread_time()
        self._deliver(event)
        rest = peer.account.charge(took + time.thread_time() - begun, apart=bool(took))
        if rest:
            peer.resting = True
            self._loop.call_later(rest, self._end_rest, peer)

    def _end_rest(self, peer: ZmqPeer) -> None:
        peer.resting = False
        self._turns.add(peer)
