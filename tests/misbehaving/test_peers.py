"""The misbehaving clients do what they say, against a server that only splits and echoes."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

Address = tuple[str, int]


class Echo:
    """Answers each JSON value by ``{"echo": value}``, and broken JSON at the end by an error."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address: Address = self.listener.getsockname()
        self.resets = 0
        self.ended = threading.Semaphore(0)
        self.reading = threading.Event()
        self.reading.set()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                self.converse(connection)
        except OSError:
            self.resets += 1
        self.ended.release()

    def converse(self, connection: socket.socket) -> None:
        waiting = ""
        while data := connection.recv(1 << 20):
            self.reading.wait(10)
            waiting = (waiting + data.decode("utf-8", "replace")).lstrip()
            while waiting:
                try:
                    value, end = json.JSONDecoder().raw_decode(waiting)
                except ValueError:
                    break
                waiting = waiting[end:].lstrip()
                connection.sendall(json.dumps({"echo": value}).encode() + b"\n")
        if waiting:
            connection.sendall(b'{"ok":false}\n')
        connection.shutdown(socket.SHUT_WR)


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.reading.set()
    server.listener.close()


def test_replies_come_in_order_whatever_the_packets(peers: Any, echo: Echo) -> None:
    """One byte at a time, all at once, oddly spaced."""
    requests = [peers.request("ping", id=str(number)) for number in range(10)]
    expected = [{"echo": request} for request in requests]
    assert peers.byte_at_a_time(echo.address, requests[:3]) == expected[:3]
    assert peers.one_packet(echo.address, requests) == expected
    assert peers.odd_spacing(echo.address, requests) == expected
    assert len(peers.flood(echo.address, 500)) == 500


def test_broken_streams_get_what_the_server_says_until_it_closes(peers: Any, echo: Echo) -> None:
    """Good requests first, then the error, then the end."""
    ping = peers.request("ping", id="a")
    assert peers.broken_json(echo.address, [ping]) == [{"echo": ping}, {"ok": False}]
    assert peers.truncated(echo.address) == [{"ok": False}]
    assert peers.bare_token_at_the_end(echo.address) == [{"ok": False}]
    assert len(peers.bare_tokens(echo.address)) == 7
    assert peers.bare_tokens(echo.address)[-1]["echo"]["id"] == "after"


def test_large_and_deep_requests_are_what_they_say(peers: Any) -> None:
    """Over 2 MiB in strings of an allowed length; deeper than 32."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        got: list[bytes] = []

        def refuse(*ends: bytes) -> None:
            for end in ends:
                connection, _ = listener.accept()
                with connection:
                    total = bytearray()
                    while not total.endswith(end):
                        total += connection.recv(1 << 22)
                    got.append(bytes(total))
                    connection.sendall(b'{"ok":false}\n')

        thread = threading.Thread(target=refuse, args=(b'"outcome": 1}}', b"[" * 40))
        thread.start()
        assert peers.too_large(listener.getsockname()) == [{"ok": False}]
        assert peers.too_deep(listener.getsockname()) == [{"ok": False}]
        thread.join(10)
    assert len(got[0]) > 2 << 20
    assert got[1].count(b"[") == 40


def test_those_who_vanish_are_gone(peers: Any, echo: Echo) -> None:
    """A reset after the replies that were waited for."""
    requests = [peers.request("ping", id="1"), peers.request("ping", id="2")]
    assert peers.vanish(echo.address, requests, wait_for=1) == [{"echo": requests[0]}]
    assert echo.ended.acquire(timeout=10)
    peers.connect_and_leave(echo.address, 3)
    assert all(echo.ended.acquire(timeout=10) for _ in range(3))


def test_one_who_never_reads_fills_the_buffers(peers: Any, echo: Echo) -> None:
    """It stops when the server takes no more."""
    echo.reading.clear()
    with peers.NeverReads(echo.address) as deaf:
        assert 0 < deaf.sent < 200_000
