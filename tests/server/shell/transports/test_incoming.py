"""What a connection has sent is looked at by turns, in order, and only while its replies are read."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

import pytest

from fechner.server.engine.events import Ended, Event, Gone, Received, Unreadable
from fechner.server.protocol.limits import Limits
from fechner.server.shell.transports import incoming, outgoing, tcp, turns
from fechner.server.shell.transports.tcp import TcpConnection
from fechner.server.shell.transports.turns import Account, Turns


class Wire:
    """A transport that takes everything."""

    def __init__(self) -> None:
        self.reading = True

    def get_extra_info(self, name: str) -> Any:
        return None

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


def connection(limits: Limits | None = None) -> tuple[TcpConnection, Wire, list[Event]]:
    """One that shares the loop."""
    events: list[Event] = []
    one, wire = TcpConnection(1, limits or Limits(), events.append, Turns()), Wire()
    one.connection_made(wire)  # type: ignore[arg-type]
    return one, wire, events


def values(events: list[Event]) -> list[Any]:
    return [event.value for event in events if isinstance(event, Received)]


def test_a_small_request_is_handled_at_once_and_glued_ones_by_turns() -> None:
    """While they wait nothing more is read; then reading goes on."""

    async def main() -> None:
        one, wire, events = connection()
        one.data_received(b'{"a":0}')
        assert values(events) == [{"a": 0}]
        one.data_received(b'{"a":1}' * 5_000)
        assert values(events) == [{"a": 0}]
        assert not wire.reading
        while not wire.reading:
            await asyncio.sleep(0)
        assert values(events) == [{"a": 0}, *[{"a": 1}] * 5_000]

    asyncio.run(main())


def test_a_long_message_is_read_apart_and_keeps_its_place() -> None:
    """What came before is delivered before it, what came behind it after it; its fault ends all."""

    async def main() -> None:
        one, wire, events = connection()
        long = b'{"long":"%s"}' % (b"x" * 60_000)
        one.data_received(b'{"a":0}' + long + b'{"a":1}')
        while not wire.reading:
            await asyncio.sleep(0)
        assert [list(value) for value in values(events)] == [["a"], ["long"], ["a"]]
        one.data_received(b'{"long":"%s"}{"a":2}' % (b"x" * 70_000))
        while not isinstance(events[-1], Unreadable):
            await asyncio.sleep(0)
        assert len(values(events)) == 3
        assert not wire.reading
        one._turns.close()

    asyncio.run(main())


def test_nothing_is_passed_on_for_a_client_that_does_not_read() -> None:
    """Also not what had arrived before it was noticed, else its replies would pile up."""

    async def main() -> None:
        one, wire, events = connection()
        one.data_received(b'{"a":1}' * 100)
        one.pause_writing()
        for _ in range(10):
            await asyncio.sleep(0)
        assert values(events) == []
        one.resume_writing()
        while not wire.reading:
            await asyncio.sleep(0)
        assert len(values(events)) == 100

    asyncio.run(main())


def test_what_had_arrived_is_honoured_before_a_connection_is_gone() -> None:
    """However much it was, and however often the engine has enough."""

    async def main() -> None:
        one, _, events = connection()
        one.pause(True)
        one.data_received(b'{"a":1}' * 500)
        one.connection_lost(None)
        while not isinstance(events[-1], Gone):
            await asyncio.sleep(0)
        assert len(values(events)) == 500
        assert sum(isinstance(event, Gone) for event in events) == 1

    asyncio.run(main())


def test_a_closing_connection_s_input_is_discarded_up_to_a_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough for the reply to arrive, not for ever."""
    monkeypatch.setattr(tcp, "DISCARD_BYTES", 100)

    async def main() -> None:
        aborted: list[bool] = []
        one, wire, events = connection()
        wire.can_write_eof = lambda: False  # type: ignore[attr-defined]
        wire.abort = lambda: aborted.append(True)  # type: ignore[attr-defined]
        one.close(linger=60)
        one.data_received(b"x" * 100)
        assert not aborted
        one.data_received(b"x")
        assert aborted
        assert values(events) == []

    asyncio.run(main())


def test_a_client_that_has_said_all_is_closed_at_once() -> None:
    """There is no input to discard: its socket isn't kept for a second."""

    async def main() -> None:
        done: list[str] = []
        one, wire, _ = connection()
        wire.close = lambda: done.append("closed")  # type: ignore[attr-defined]
        wire.write_eof = lambda: done.append("half closed")  # type: ignore[attr-defined]
        wire.abort = lambda: None  # type: ignore[attr-defined]
        one.eof_received()
        one.close()
        assert done == ["closed"]

    asyncio.run(main())


def test_replies_that_nobody_reads_end_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """By their number of bytes, or by the time; one that reads in time is kept."""
    monkeypatch.setattr(outgoing, "UNREAD_BYTES", 100)

    async def main() -> None:
        ended: list[str] = []
        one, wire, _ = connection()
        wire.written = 0  # type: ignore[attr-defined]

        def write(data: bytes) -> None:
            wire.written += len(data)  # type: ignore[attr-defined]

        wire.write = write  # type: ignore[attr-defined]
        wire.get_write_buffer_size = lambda: wire.written  # type: ignore[attr-defined]
        wire.abort = lambda: ended.append("cut")  # type: ignore[attr-defined]
        one.send(b"x" * 1_000)  # one reply always goes
        one.pause_writing()
        assert one._outgoing is not None
        assert one._outgoing.timer.runs
        one.resume_writing()
        assert not one._outgoing.timer.runs
        one.pause_writing()
        assert ended == []
        one.send(b"x")
        assert ended == ["cut"]
        one._outgoing.give_up(Limits())
        assert ended == ["cut", "cut"]

    asyncio.run(main())


def test_who_kept_the_loop_for_long_waits_while_others_don_t(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its next request comes later; nothing is lost, and small requests never wait."""
    monkeypatch.setattr(turns, "LONG_SECONDS", 0.0)
    monkeypatch.setattr(turns, "FREE_SECONDS", 0.0)

    async def main() -> None:
        one, wire, events = connection()
        one.data_received(b'{"a":1}')
        assert one._hold.resting
        one.data_received(b'{"a":2}')
        assert not wire.reading
        assert values(events) == [{"a": 1}]
        while len(values(events)) < 2:
            await asyncio.sleep(0)
        monkeypatch.setattr(turns, "LONG_SECONDS", 60.0)
        while one._hold.resting:
            await asyncio.sleep(0)
        one.data_received(b'{"a":3}')
        assert len(values(events)) == 3
        assert wire.reading

    asyncio.run(main())


@pytest.mark.parametrize("behind", [b"", b'{"a":2}'])
def test_the_end_of_a_client_that_waits_is_heard_at_once(
    monkeypatch: pytest.MonkeyPatch, behind: bytes
) -> None:
    """Who comes again at once finds the connection before gone; what came before the end comes first."""
    monkeypatch.setattr(turns, "LONG_SECONDS", 0.0)
    monkeypatch.setattr(turns, "FREE_SECONDS", 0.0)

    async def main() -> None:
        one, wire, events = connection()
        one.data_received(b'{"a":1}')
        assert one._hold.resting
        assert wire.reading
        if behind:
            one.data_received(behind)
        one.eof_received()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert any(isinstance(event, Ended) for event in events) is not bool(behind)
        while not any(isinstance(event, Ended) for event in events):
            await asyncio.sleep(0)
        assert len(values(events)) == 1 + bool(behind)
        assert isinstance(events[-1], Ended)

    asyncio.run(main())


def test_everybody_waits_while_much_waits_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also who sends one request at a time; then all goes on."""
    monkeypatch.setattr(turns, "HELD_SECONDS", 0.0)
    behind = [True]

    async def main() -> None:
        events: list[Event] = []
        one, wire = TcpConnection(1, Limits(), events.append, Turns(lambda: behind[0])), Wire()
        one.connection_made(wire)  # type: ignore[arg-type]
        one.data_received(b'{"a":1}')
        for _ in range(10):
            await asyncio.sleep(0)
        assert values(events) == []
        assert not wire.reading
        behind[0] = False
        while not wire.reading:
            await asyncio.sleep(0)
        assert values(events) == [{"a": 1}]

    asyncio.run(main())


def test_reading_a_long_message_counts_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut into slices, and read in another thread: all of it is charged with the message, and only once."""
    charged: list[float] = []
    ticks = itertools.count(0.0)

    def charge(account: Account, took: float) -> float:
        charged.append(took)
        return 0.0

    monkeypatch.setattr(Account, "charge", charge)
    monkeypatch.setattr(time, "thread_time", lambda: next(ticks))

    async def main() -> None:
        one, _, events = connection()
        one.data_received(b'{"a":[' + b"1," * 20_000 + b"1]}")
        while len(values(events)) < 1:
            await asyncio.sleep(0)
        one.data_received(b'{"a":1}')
        while len(values(events)) < 2:
            await asyncio.sleep(0)
        assert one._turns is not None
        one._turns.close()

    asyncio.run(main())
    slices = 40_000 // incoming.SLICE_BYTES
    assert charged[0] >= slices + 2  # and the reading, and the handling
    assert charged[1] == 1.0
