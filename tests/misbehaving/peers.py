"""Clients that misbehave on purpose: each does one wrong thing over a raw socket and says what came back.

Every function takes the server's address as ``(host, port)`` and opens its own connection. Replies come back
as parsed objects, in order of arrival. "All that comes back" is read until the server closes the connection;
a reset in place of a clean end raises ConnectionResetError.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import threading
from collections.abc import Iterable, Sequence
from typing import Any

Address = tuple[str, int]
Request = dict[str, Any]

TIMEOUT = 30.0


def request(kind: str, message: Any = None, id: str | None = None, **more: Any) -> Request:
    """A version 1 request."""
    envelope: Request = {"version": "1", "type": kind, "message": {} if message is None else message, **more}
    return envelope if id is None else {**envelope, "id": id}


def encoded(requests: Iterable[Request | bytes]) -> bytes:
    """Requests as one run of bytes with nothing between them; bytes go as they are."""
    return b"".join(r if isinstance(r, bytes) else json.dumps(r).encode() for r in requests)


class Raw:
    """A socket that sends anything and reads one reply a line."""

    def __init__(self, address: Address, timeout: float = TIMEOUT) -> None:
        self.socket = socket.create_connection(address, timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._waiting = b""

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *requests: Request | bytes) -> None:
        self.socket.sendall(encoded(requests))

    def end(self) -> None:
        """Half-close: nothing more will be written."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Vanish without a goodbye: the peer sees a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def read(self) -> Any:
        """The next reply; None at the end of the stream."""
        while b"\n" not in self._waiting:
            data = self.socket.recv(1 << 16)
            if not data:
                last, self._waiting = self._waiting, b""
                return json.loads(last) if last.strip() else None
            self._waiting += data
        line, self._waiting = self._waiting.split(b"\n", 1)
        return json.loads(line)

    def read_many(self, count: int) -> list[Any]:
        """That many replies."""
        return [self.read() for _ in range(count)]

    def read_to_end(self) -> list[Any]:
        """All replies until the server closes."""
        replies = []
        while (reply := self.read()) is not None:
            replies.append(reply)
        return replies


def byte_at_a_time(address: Address, requests: Sequence[Request]) -> list[Any]:
    """Write the requests in packets of one byte; the replies, one for each request."""
    with Raw(address) as raw:
        for byte in encoded(requests):
            raw.socket.sendall(bytes([byte]))
        return raw.read_many(len(requests))


def one_packet(address: Address, requests: Sequence[Request]) -> list[Any]:
    """Write all requests at once, without anything between them; the replies, one for each request."""
    with Raw(address) as raw:
        raw.send(*requests)
        return raw.read_many(len(requests))


def odd_spacing(address: Address, requests: Sequence[Request]) -> list[Any]:
    """White space of every kind before, between and after the requests; the replies, one for each."""
    with Raw(address) as raw:
        raw.send(b"\r\n\t ")
        for one in requests:
            raw.send(json.dumps(one, indent=1).encode(), b" \r\n\r\n\t")
        return raw.read_many(len(requests))


def broken_json(
    address: Address, first: Sequence[Request] = (), broken: bytes = b'{"version":"1",]'
) -> list[Any]:
    """Good requests, then broken JSON and a half-close; all that comes back until the server closes."""
    with Raw(address) as raw:
        raw.send(*first, broken)
        raw.end()
        return raw.read_to_end()


def broken_and_on(address: Address, broken: bytes = b'{"version":"1",]', more: int = 1 << 20) -> list[Any]:
    """Broken JSON followed by a lot more, without half-close: the reply must not be lost to a reset."""
    with Raw(address) as raw:
        # Writing may fail once the server has closed; what it said before must still be there.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            raw.send(broken, b" " * more)
        return raw.read_to_end()


def truncated(address: Address, part: bytes = b'{"version":"1","type":"pi') -> list[Any]:
    """Half a request and a half-close; everything that comes back."""
    with Raw(address) as raw:
        raw.send(part)
        raw.end()
        return raw.read_to_end()


def too_large(address: Address, size: int = (2 << 20) + 1) -> list[Any]:
    """One request of at least that many bytes, in many strings of an allowed length; all that comes back."""
    text = "x" * 60_000
    filler = [text] * (size // len(text) + 1)
    return broken_and_on(address, encoded([request("tell", {"config": {"p": filler}, "outcome": 1})]), more=0)


def too_deep(address: Address, depth: int = 40) -> list[Any]:
    """A request nested that deep; all that comes back."""
    return broken_and_on(address, b'{"version":"1","type":"ping","message":' + b"[" * depth, more=0)


def long_string(address: Address, size: int = 70_000) -> list[Any]:
    """A complete ping whose message holds a string of that many bytes; the reply, or all that comes back."""
    with Raw(address) as raw:
        raw.send(request("ping", {"x": "x" * size}, id="long"))
        raw.end()
        return raw.read_to_end()


def endless_string(address: Address, size: int = 3 << 20) -> list[Any]:
    """A string of that many bytes that has no end; all that comes back."""
    return broken_and_on(address, b'{"version":"1","type":"ping","id":"' + b"x" * size, more=0)


def bare_tokens(
    address: Address, tokens: bytes = b'1 true null "ask" [1] -2.5e3 ', after: int = 6
) -> list[Any]:
    """Complete values that are no objects, then a ping: one error each, then the ping's reply."""
    with Raw(address) as raw:
        raw.send(tokens, request("ping", id="after"))
        return raw.read_many(after + 1)


def bare_token_at_the_end(address: Address, token: bytes = b"ask") -> list[Any]:
    """A bare token that ends with the stream; all that comes back."""
    return broken_json(address, broken=token)


def invalid_utf8(address: Address) -> list[Any]:
    """A request with a byte that no UTF-8 has; all that comes back."""
    return broken_json(address, broken=b'{"version":"1","type":"ping","id":"\xff"}')


def vanish(address: Address, requests: Sequence[Request], wait_for: int = 0, reset: bool = True) -> list[Any]:
    """Send the requests, read the first ``wait_for`` replies and be gone while the rest is computed."""
    with Raw(address) as raw:
        raw.send(*requests)
        replies = raw.read_many(wait_for)
        if reset:
            raw.reset()
        return replies


class NeverReads:
    """Sends pings and never reads a reply, until the server stops taking any: then both buffers are full.

    Keep it open while another client is served; ``sent`` counts the whole requests that the kernel took.
    """

    def __init__(self, address: Address, most: int = 200_000, id: str = "x" * 60) -> None:
        self.socket = socket.socket(socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(address)
        self.socket.setblocking(False)
        self.sent = 0
        packet = encoded([request("ping", id=id)])
        waiting = b""
        while self.sent < most:
            waiting = waiting or packet
            try:
                taken = self.socket.send(waiting)
            except BlockingIOError:
                if not self._writable(1.0):
                    break
                continue
            except ConnectionResetError:  # the server has had enough
                break
            waiting = waiting[taken:]
            self.sent += not waiting

    def _writable(self, seconds: float) -> bool:
        return bool(select.select([], [self.socket], [], seconds)[1])

    def __enter__(self) -> NeverReads:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def flood(address: Address, count: int = 1_000) -> list[Any]:
    """That many pings in one go, more than the server lets wait; then read: every reply must be there."""
    with Raw(address) as raw:
        raw.send(*(request("ping", id=str(number)) for number in range(count)))
        return raw.read_many(count)


def connect_and_leave(address: Address, times: int = 50) -> None:
    """Open a connection and close it without a word, again and again."""
    for _ in range(times):
        socket.create_connection(address, TIMEOUT).close()


class Flood:
    """Sends the same bytes again and again from a thread, as fast as they are taken, and reads what comes.

    Cut off, it connects again. `sent` and `got` count bytes, `connections` how often it connected.
    """

    def __init__(self, address: Address, data: bytes, first: bytes = b"") -> None:
        self.address, self.data, self.first = address, data, first
        self.sent = self.got = self.connections = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> Flood:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(TIMEOUT)

    def _run(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                self._once()

    def _once(self) -> None:
        with socket.create_connection(self.address, TIMEOUT) as one:
            self.connections += 1
            if self.first:
                one.sendall(self.first)
                self.got += len(one.recv(1 << 20))
            one.setblocking(False)
            waiting = memoryview(b"")
            while not self._over.is_set():
                readable, writable, _ = select.select([one], [one], [], 0.1)
                if readable:
                    data = one.recv(1 << 20)
                    if not data:
                        return
                    self.got += len(data)
                if writable:
                    waiting = waiting or memoryview(self.data)
                    taken = one.send(waiting)
                    waiting = waiting[taken:]
                    self.sent += taken
