"""The ROUTER socket: peers that come and go, that don't read, that send long messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import zmq
import zmq.asyncio

from fechner.server.engine.events import Connected, Event, Gone, Received, Unreadable
from fechner.server.protocol.limits import Limits
from fechner.server.shell.transports import zmq as transport
from fechner.server.shell.transports.turns import Account
from fechner.server.shell.transports.zmq import ZmqTransport
from fechner.server.shell.transports.zmq_peer import ZmqPeer


class Bench:
    """A transport, what it delivers, and clients for it."""

    def __init__(self, limits: Limits) -> None:
        self.events: list[Event] = []
        self.peers: dict[int, ZmqPeer] = {}
        self.changed = asyncio.Event()
        self.transport = ZmqTransport("tcp://127.0.0.1:*", limits, self._new, self._deliver)
        self.context = zmq.asyncio.Context()
        self.clients: list[zmq.asyncio.Socket] = []

    def _new(self, make: Callable[[int], ZmqPeer]) -> ZmqPeer:
        number = len(self.peers) + 1
        self.peers[number] = make(number)
        return self.peers[number]

    def _deliver(self, event: Event) -> None:
        self.events.append(event)
        self.changed.set()

    def client(self, kind: int = zmq.DEALER, name: bytes = b"", holds: int = 1000) -> zmq.asyncio.Socket:
        """`holds`: messages that it takes before it is asked for them."""
        socket = self.context.socket(kind)
        socket.setsockopt(zmq.RCVHWM, holds)
        if name:
            socket.setsockopt(zmq.IDENTITY, name)
        socket.connect(f"tcp://127.0.0.1:{self.transport.port}")
        self.clients.append(socket)
        return socket

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 30)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def has(self, kind: type[Any], count: int) -> bool:
        return len(self.of(kind)) == count

    def ends_with(self, value: Any) -> bool:
        """Whether the last event is a message with this value."""
        last = self.events[-1] if self.events else None
        return isinstance(last, Received) and last.value == value

    def close(self) -> None:
        self.transport.close()
        for socket in self.clients:
            socket.close(linger=0)
        self.context.term()


def on_a_bench(test: Callable[[Bench], Awaitable[None]], limits: Limits | None = None) -> None:
    """Run a test in a loop that has such a socket."""

    async def main() -> None:
        bench = Bench(limits or Limits())
        try:
            await test(bench)
        finally:
            bench.close()

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())


def test_requests_and_replies_of_both_kinds_of_clients() -> None:
    """REQ with its delimiter, DEALER without; each is connected once."""

    async def test(bench: Bench) -> None:
        for kind in (zmq.REQ, zmq.DEALER):
            client = bench.client(kind)
            for number in range(2):
                await client.send(b'{"a":%d}' % number)
                await bench.until(partial(bench.ends_with, {"a": number}))
                bench.peers[bench.events[-1].connection].send(b"reply")  # type: ignore[union-attr]
                assert await client.recv() == b"reply"
        assert len(bench.of(Connected)) == 2

    on_a_bench(test)


@pytest.mark.parametrize("named", [b"", b"booth-1"])
def test_a_peer_that_has_left_is_gone(named: bytes) -> None:
    """After all that it had sent; nothing of it is kept, and the next one is a peer of its own."""

    async def test(bench: Bench) -> None:
        for number in (1, 2):
            client = bench.client(name=named)
            for _ in range(100):
                await client.send(b"{}")
            await bench.until(partial(bench.has, Received, 100 * number))
            client.close(linger=0)
            await bench.until(partial(bench.has, Gone, number))
            assert [event.connection for event in bench.of(Gone)] == [*range(1, number + 1)]
        assert isinstance(bench.events[-1], Gone)
        assert not bench.transport._peers
        assert not bench.transport._presence._through

    on_a_bench(test)


def test_one_leaves_and_the_others_stay() -> None:
    """Each is told from the others by the connection it comes through."""

    async def test(bench: Bench) -> None:
        clients = [bench.client() for _ in range(5)]
        for client in clients:
            await client.send(b"{}")
        await bench.until(lambda: len(bench.of(Received)) == 5)
        numbers = {}
        for number, peer in bench.peers.items():
            peer.send(b"%d" % number)
        for client in clients:
            numbers[client] = int(await client.recv())
        clients[2].close(linger=0)
        await bench.until(lambda: bool(bench.of(Gone)))
        assert [event.connection for event in bench.of(Gone)] == [numbers[clients[2]]]
        for client in (*clients[:2], *clients[3:]):
            bench.peers[numbers[client]].send(b"still there")
            assert await client.recv() == b"still there"

    on_a_bench(test)


def test_a_long_message_is_read_apart_and_keeps_its_place() -> None:
    """Others are heard meanwhile; its sender's next messages wait for it."""

    async def test(bench: Bench) -> None:
        client = bench.client()
        long = json.dumps({"long": "x" * 60_000}).encode()
        for data in (b'{"a":0}', long, b'{"a":1}'):
            await client.send(data)
        await bench.until(lambda: len(bench.of(Received)) == 3)
        assert [list(event.value) for event in bench.of(Received)] == [["a"], ["long"], ["a"]]

    on_a_bench(test)


def test_replies_to_a_peer_that_reads_late_are_kept() -> None:
    """All arrive, in order, however few ZMQ takes at a time; its further messages wait meanwhile."""

    async def test(bench: Bench) -> None:
        client = bench.client(holds=1)
        await client.send(b"{}")
        await bench.until(lambda: bool(bench.of(Received)))
        peer = bench.peers[1]
        sent = 0
        while not peer.unsent:
            peer.send(b"%d " % sent + b"x" * 100_000)
            sent += 1
        peer.send(b"%d " % sent)
        await client.send(b'{"a":1}')
        got = [int((await client.recv()).split()[0]) for _ in range(sent + 1)]
        assert got == list(range(sent + 1))
        await bench.until(lambda: len(bench.of(Received)) == 2)
        assert not peer.unsent
        assert peer.unsent_bytes == 0

    on_a_bench(test)


def test_a_peer_that_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once so many bytes wait for it; nothing of them is kept."""
    monkeypatch.setattr(transport, "UNREAD_BYTES", 1_000_000)

    async def test(bench: Bench) -> None:
        client = bench.client(holds=1)
        await client.send(b"{}")
        await bench.until(lambda: bool(bench.of(Received)))
        peer, most = bench.peers[1], 0
        while not bench.of(Gone):
            peer.send(b"x" * 100_000)
            most = max(most, peer.unsent_bytes)
        assert 1_000_000 < most <= 1_100_000
        assert not peer.unsent
        assert not bench.transport._peers
        peer.send(b"to nobody")

    on_a_bench(test)


def test_a_peer_that_reads_nothing_in_time_is_dropped() -> None:
    """By the clock of a begun message."""

    async def test(bench: Bench) -> None:
        client = bench.client(holds=1)
        await client.send(b"{}")
        await bench.until(lambda: bool(bench.of(Received)))
        while not bench.of(Gone):
            if bench.peers[1].unsent_bytes < 1_000_000:  # until the sockets' buffers are full, too
                bench.peers[1].send(b"x" * 100_000)
            await asyncio.sleep(0)

    on_a_bench(test, Limits(message_seconds=0.05))


def test_what_is_refused_is_told_why_and_forgotten() -> None:
    """The engine closes it: its next message makes it a new peer."""

    async def test(bench: Bench) -> None:
        client = bench.client()
        deliver = bench._deliver

        def refusing(event: Event) -> None:
            deliver(event)
            if isinstance(event, Connected):
                bench.peers[event.connection].send(b"full")
                bench.peers[event.connection].close()

        bench.transport._deliver = refusing
        for _ in range(3):
            await client.send(b"{}")
            assert await client.recv() == b"full"
        assert len(bench.of(Connected)) == len(bench.of(Gone)) == 3
        assert not bench.of(Received)
        assert not bench.transport._presence._through

    on_a_bench(test)


def test_messages_that_wait_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those behind one that is being read, or for a peer that doesn't read."""
    monkeypatch.setattr(transport, "MOST_WAITING", 4)

    async def test(bench: Bench) -> None:
        client = bench.client()
        await client.send(b"{}")
        await bench.until(lambda: bool(bench.of(Received)))
        bench.peers[1].parsing = True
        for _ in range(5):
            await client.send(b"{}")
        await bench.until(lambda: bool(bench.of(Unreadable)))
        [fault] = bench.of(Unreadable)
        assert fault.error.code == "limit_reached"
        assert "waiting_requests" in fault.error.detail
        bench.peers[1].parsing = False
        bench.transport._turns.add(bench.peers[1])
        await bench.until(lambda: len(bench.of(Received)) == 5)

    on_a_bench(test)


def test_a_long_message_counts_by_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """At least: what is refused early took ZMQ its time."""
    charged: list[float] = []

    def charge(self: Account, seconds: float, apart: bool = False) -> float:
        charged.append(seconds)
        return 0.0

    monkeypatch.setattr(Account, "charge", charge)

    async def test(bench: Bench) -> None:
        client = bench.client()
        await client.send(b"{" * 2_000_000)
        await bench.until(lambda: bool(bench.of(Unreadable)))
        await bench.until(lambda: bool(charged))
        assert charged[0] >= 2_000_000 / transport.BYTES_PER_SECOND

    on_a_bench(test)


def test_others_are_looked_for_before_each_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself libzmq does so after a hundred messages, and hears of nobody else for many milliseconds."""

    async def test(bench: Bench) -> None:
        asked: list[int] = []
        socket = bench.transport._socket

        class Asked:
            def __getattr__(self, name: str) -> Any:
                return getattr(socket, name)

            def getsockopt(self, option: int) -> Any:
                asked.append(option)
                return socket.getsockopt(option)

        monkeypatch.setattr(bench.transport, "_socket", Asked())
        client = bench.client()
        for _ in range(50):
            await client.send(b"{}")
        await bench.until(lambda: len(bench.of(Received)) == 50)
        assert asked.count(zmq.EVENTS) >= 50

    on_a_bench(test)


def test_a_flood_is_received_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a message too many nothing is received for a moment; then what others sent meanwhile."""
    monkeypatch.setattr(transport, "MOST_WAITING", 0)
    monkeypatch.setattr(transport, "FLOOD_SECONDS", 60.0)

    async def test(bench: Bench) -> None:
        flood, other = bench.client(), bench.client()
        await flood.send(b"{}")
        await bench.until(lambda: bool(bench.of(Received)))
        bench.peers[1].parsing = True
        for _ in range(3):
            await flood.send(b"{}")
        await bench.until(lambda: bool(bench.of(Unreadable)))
        await other.send(b"[]")
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(bench.events) == 3
        monkeypatch.setattr(transport, "FLOOD_SECONDS", 0.0)
        bench.transport._end_flood()
        await bench.until(lambda: len(bench.of(Received)) == 2)
        await bench.until(lambda: len(bench.of(Unreadable)) == 3)

    on_a_bench(test)
