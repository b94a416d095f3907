"""A TCP connection turns bytes into events, paused and closed as the engine wants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fechner.server.engine.events import Connected, Ended, Event, Gone, Received, Unreadable
from fechner.server.protocol.limits import Limits
from fechner.server.shell.transports.tcp import TcpConnection


class Wire:
    """A transport that notes what is done with it."""

    def __init__(self) -> None:
        self.reading = True
        self.closing = False
        self.written: list[bytes] = []
        self.ended = False

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 4321) if name == "peername" else None

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.closing

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def write(self, data: bytes) -> None:
        assert not self.ended
        self.written.append(data)

    def abort(self) -> None:
        self.closing = True


class Line:
    """A connection, its wire, and the events that it delivers."""

    def __init__(self, limits: Limits) -> None:
        self.events: list[Event] = []
        self.wire = Wire()
        self.connection = TcpConnection(1, limits, self.events.append)
        self.connection.connection_made(self.wire)  # type: ignore[arg-type]

    @property
    def values(self) -> list[Any]:
        return [event.value for event in self.events if isinstance(event, Received)]

    @property
    def faults(self) -> list[str]:
        return [event.error.code for event in self.events if isinstance(event, Unreadable)]


def on_a_line(test: Callable[[Line], None], limits: Limits | None = None) -> None:
    """Run a test inside an event loop."""

    async def main() -> None:
        test(Line(limits or Limits()))

    asyncio.run(main())


def test_bytes_become_values() -> None:
    """However they are cut; the peer is named."""

    def test(line: Line) -> None:
        line.connection.data_received(b'{"a":1}{"b"')
        line.connection.data_received(b":2} 7")
        assert line.events[0] == Connected(1, True, "127.0.0.1:4321")
        assert line.values == [{"a": 1}, {"b": 2}]
        assert line.connection.eof_received() is True
        assert line.values == [{"a": 1}, {"b": 2}, 7]
        assert line.events[-1] == Ended(1)
        line.connection.connection_lost(None)
        assert line.events[-2:] == [Ended(1), Gone(1)]

    on_a_line(test)


@pytest.mark.parametrize(
    ("data", "code"),
    [(b'{"a":1}}', "bad_json"), (b'{"a":1}{"b":NaN}', "bad_json"), (b'{"a":1}"\xff"', "bad_json")],
)
def test_what_is_broken_is_told_after_what_was_whole(data: bytes, code: str) -> None:
    """The values before it, then the fault, and nothing that follows in the same packet."""

    def test(line: Line) -> None:
        line.connection.data_received(data + b'{"c":3}')
        assert line.values == [{"a": 1}]
        assert line.faults[:1] == [code]
        assert isinstance(line.events[-1], Unreadable)

    on_a_line(test)


def test_a_stream_that_ends_inside_a_value() -> None:
    """It is a fault, and then the end."""

    def test(line: Line) -> None:
        line.connection.data_received(b'{"a":')
        line.connection.eof_received()
        assert line.faults == ["bad_json"]
        assert line.events[-1] == Ended(1)

    on_a_line(test)


def test_a_paused_connection_delivers_nothing() -> None:
    """What has come waits, more is not read, and later everything comes in order."""

    async def main() -> None:
        line = Line(Limits())
        line.connection.pause(True)
        assert not line.wire.reading
        line.connection.data_received(b'{"a":1}{"b":2}')
        line.connection.eof_received()
        assert line.values == []
        line.connection.pause(False)
        await asyncio.sleep(0)
        assert line.values == [{"a": 1}, {"b": 2}]
        assert line.events[-1] == Ended(1)
        assert line.wire.reading

    asyncio.run(main())


def test_a_client_that_does_not_read_is_not_read() -> None:
    """Until it reads again."""

    def test(line: Line) -> None:
        line.connection.pause_writing()
        assert not line.wire.reading
        line.connection.resume_writing()
        assert line.wire.reading

    on_a_line(test)


def test_closing_lets_the_last_reply_out() -> None:
    """Writing is shut down after it, input is read and discarded, nothing more is written."""

    def test(line: Line) -> None:
        line.connection.pause(True)
        line.connection.send(b"last")
        line.connection.close(linger=60)
        assert line.wire.written == [b"last"]
        assert line.wire.ended
        assert line.wire.reading
        assert not line.wire.closing
        before = len(line.events)
        line.connection.data_received(b'{"a":1}')
        assert len(line.events) == before
        line.connection.close()

    on_a_line(test)


def test_what_had_arrived_is_honoured_when_the_connection_is_lost() -> None:
    """Also what waited behind a pause."""

    def test(line: Line) -> None:
        line.connection.pause(True)
        line.connection.data_received(b'{"a":1}{"b":2}')
        line.connection.connection_lost(None)
        assert line.values == [{"a": 1}, {"b": 2}]
        assert line.events[-1] == Gone(1)
        line.connection.send(b"to nobody")
        assert line.wire.written == []

    on_a_line(test)


def test_a_message_that_does_not_end_in_time() -> None:
    """It is refused, but not while the server itself doesn't read."""

    def test(line: Line) -> None:
        line.connection.data_received(b'{"a":')
        assert line.connection._timer.runs
        line.connection.pause(True)
        line.connection._refuse_slow()
        assert line.faults == []
        assert line.connection._timer.runs
        line.connection.pause(False)
        line.connection._refuse_slow()
        assert line.faults == ["limit_reached"]

    on_a_line(test)


def test_time_counts_from_the_beginning_of_a_message() -> None:
    """Each has its own time; an idle connection has none to keep."""

    def test(line: Line) -> None:
        connection = line.connection
        connection.data_received(b"  ")
        assert not connection._timer.runs
        connection.data_received(b'{"a":')
        first = connection._timer._handle
        connection.data_received(b"1")
        assert connection._timer._handle is first
        connection.data_received(b'}{"b"')
        assert connection._timer._handle is not first
        connection.data_received(b":2}")
        assert not connection._timer.runs

    on_a_line(test)


FRAGMENTS = st.sampled_from(
    [
        *(
            b'{"a":1}',
            b'{"b":[1,{"c":"\\u00e9"}]}',
            b"{",
            b"}",
            b"[",
            b"]",
            b'"',
            b"\\",
            b",",
            b":",
            b" ",
            b"\n",
        ),
        *(
            b'{"a":NaN}',
            b'{"a":1e999}',
            b'{"a":1,"a":2}',
            b'{"\xff":1}',
            b'{"a":' + b"[" * 40 + b"1" + b"]" * 40 + b"}",
        ),
        *(
            b'{"n":' + b"1" * 301 + b"}",
            b'{"n":0.' + b"1" * 400 + b"}",
            b'{"s":"' + b"x" * 300 + b'"}',
            b"\xef\xbb\xbf",
        ),
        *(b'{"a":1}\n{"b":2}\n', b"7 ", b"null", b"tru", b"-", b'{"a":"\x00"}'),
    ]
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(FRAGMENTS, min_size=1, max_size=4))
def test_a_message_in_one_piece_is_what_it_is_in_many(fragments: list[bytes]) -> None:
    """The same values and the same faults, whether the bytes come at once or one by one."""
    data = b"".join(fragments)
    limits = replace(Limits(), message_bytes=256)
    seen: list[list[Event]] = []
    for pieces in ([data], [data[i : i + 1] for i in range(len(data))]):

        def test(line: Line, pieces: list[bytes] = pieces) -> None:
            for piece in pieces:
                line.connection.data_received(piece)
            line.connection.eof_received()
            seen.append(line.events)

        on_a_line(test, limits)

    def told(events: list[Event]) -> list[Any]:
        """Up to the first fault, after which nobody listens any more."""
        found: list[Any] = []
        for event in events:
            if isinstance(event, Unreadable):
                return [*found, (event.error.code, event.error.detail)]
            found.append(event)
        return found

    assert told(seen[0]) == told(seen[1])
