"""Peers that do harm, each as hard as it can, until told to end; `hostile.py` measures beside them."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import zmq
from talkers import SOBOL, modelled

#: Told that an attack has begun; asked whether it is over.
Begun = Callable[[], None]
Over = Callable[[], bool]
Attack = Callable[[int, int, Begun, Over], None]


def request(type: str, **message: Any) -> bytes:
    """A version 1 request."""
    return json.dumps({"version": "1", "type": type, "message": message}).encode()


def connect(port: int, small: bool = False) -> socket.socket:
    """A connection; `small`: it takes little before it is read."""
    found = socket.socket()
    if small:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    found.settimeout(30)
    found.connect(("127.0.0.1", port))
    return found


def stream(port: int, data: bytes, begun: Begun, over: Over, reads: bool = True) -> None:
    """Send the same bytes again and again, as fast as they are taken; connect again when cut off."""
    first = True
    while not over():
        with contextlib.suppress(OSError), connect(port, small=not reads) as one:
            one.setblocking(False)
            if first:
                begun()
                first = False
            waiting = memoryview(b"")
            while not over():
                readable, writable, _ = select.select([one] if reads else [], [one], [], 0.1)
                if readable and not one.recv(1 << 20):
                    break
                if writable:
                    waiting = waiting or memoryview(data)
                    waiting = waiting[one.send(waiting) :]


def in_session(port: int, config: str, data: bytes, begun: Begun, over: Over) -> None:
    """The same, in a session of its own."""
    with connect(port) as one:
        one.sendall(request("setup", config=config))
        one.recv(1 << 20)
        one.setblocking(False)
        begun()
        waiting = memoryview(b"")
        while not over():
            readable, writable, _ = select.select([one], [one], [], 0.1)
            if readable and not one.recv(1 << 20):
                return
            if writable:
                waiting = waiting or memoryview(data)
                waiting = waiting[one.send(waiting) :]


def never_reads(port: int, _: int, begun: Begun, over: Over) -> None:
    """Asks for large replies and reads none."""
    first, sockets = True, []
    names = ", ".join(f"choice-{number:092}" for number in range(500))
    config = SOBOL.replace("[x, y]", "[x, y, c]") + f"[c]\npar_type = categorical\nchoices = [{names}]\n"
    for _number in range(20):
        one = connect(port, small=True)
        one.sendall(request("setup", config=config))
        one.setblocking(False)
        sockets.append(one)
    while not over():
        writable = select.select([], sockets, [], 0.1)[1]
        for one in writable:
            try:
                one.send(request("get_config") * 10)
            except OSError:
                sockets.remove(one)
        if first:
            begun()
            first = False
        if not sockets:
            time.sleep(0.1)


def never_ends(port: int, _: int, begun: Begun, over: Over) -> None:
    """A hundred messages of a megabyte that are begun and not ended."""
    sockets = [connect(port) for _number in range(100)]
    for one in sockets:
        one.sendall(b'{"version":"1","message":[' + (b'"' + b"x" * 60_000 + b'",') * 16)
    begun()
    while not over():
        time.sleep(0.1)


def drips(port: int, _: int, begun: Begun, over: Over) -> None:
    """A byte a second, on a hundred connections."""
    sockets = [connect(port) for _number in range(100)]
    begun()
    for byte in itertools.cycle(b'{"version" '):
        for one in sockets:
            with contextlib.suppress(OSError):
                one.send(bytes([byte]))
        for _number in range(10):
            if over():
                return
            time.sleep(0.1)


def idle(port: int, _: int, begun: Begun, over: Over) -> None:
    """Nine hundred connections that say nothing."""
    sockets = [connect(port) for _number in range(900)]
    begun()
    while not over():
        time.sleep(0.1)
    for one in sockets:
        one.close()


def pings(port: int, _: int, begun: Begun, over: Over) -> None:
    """Pings without a pause."""
    stream(port, b'{"version":"1","type":"ping","id":"a"}' * 500, begun, over)


def garbage(port: int, _: int, begun: Begun, over: Over) -> None:
    """What is no JSON, and a new connection each time that one is closed."""
    stream(port, os.urandom(65_536), begun, over)


def no_requests(port: int, _: int, begun: Begun, over: Over) -> None:
    """JSON that is no request, two bytes each."""
    stream(port, b"[]" * 32_768, begun, over)


def asks(port: int, _: int, begun: Begun, over: Over) -> None:
    """Sobol asks without a pause."""
    in_session(port, SOBOL, request("ask") * 500, begun, over)


def tells(port: int, _: int, begun: Begun, over: Over) -> None:
    """Tells without a pause."""
    in_session(port, SOBOL, request("tell", config={"x": 0.5, "y": 0.5}, outcome=1) * 500, begun, over)


def large_tells(port: int, _: int, begun: Begun, over: Over) -> None:
    """Five hundred trials in each tell, each of them refused."""
    good, bad = ({"config": {"x": x, "y": 0.5}, "outcome": 1} for x in (0.5, 7))
    trials = [*[good] * 500, bad]
    in_session(port, SOBOL, request("tell", trials=trials) * 10, begun, over)


def expensive(port: int, _: int, begun: Begun, over: Over) -> None:
    """Asks that fit a model each, without a pause."""
    with connect(port) as one:
        lines = one.makefile("rb")
        one.sendall(request("setup", config=modelled(5, 100_000)))
        lines.readline()
        points = [{"config": {"x": i / 300, "y": (7 * i % 300) / 300}, "outcome": i % 2} for i in range(300)]
        one.sendall(request("tell", trials=points) + request("ask", n=5))
        lines.readline()
        lines.readline()
        begun()
        while not over():
            one.sendall(request("ask"))
            trial = json.loads(lines.readline())["message"]["trials"][0]["trial"]
            one.sendall(request("tell", trial=trial, outcome=1))
            lines.readline()


def huge_texts(port: int, _: int, begun: Begun, over: Over) -> None:
    """Messages of two megabytes of text."""
    texts = ["x" * 60_000] * 34
    stream(port, json.dumps({"version": "1", "type": "ping", "message": texts}).encode(), begun, over)


def huge_lists(port: int, _: int, begun: Begun, over: Over) -> None:
    """Messages of two megabytes of as many values as possible."""
    values = b"{}," * 690_000
    data = b'{"version":"1","type":"tell","message":{"trials":[' + values + b"{}]}}"
    stream(port, data, begun, over)


def churn(port: int, _: int, begun: Begun, over: Over) -> None:
    """Connections that are opened and closed, or reset, as fast as possible."""
    begun()
    while not over():
        for number in range(50):
            one = connect(port)
            if number % 2:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()


@contextlib.contextmanager
def dealer(port: int, holds: int = 1000) -> Iterator[zmq.Socket[bytes]]:
    """A ZMQ client."""
    context = zmq.Context()
    found = context.socket(zmq.DEALER)
    found.setsockopt(zmq.RCVHWM, holds)
    found.setsockopt(zmq.LINGER, 0)
    found.connect(f"tcp://127.0.0.1:{port}")
    try:
        yield found
    finally:
        context.destroy(linger=0)


def zmq_stream(port: int, data: bytes, begun: Begun, over: Over, reads: bool = True) -> None:
    """Send the same message again and again."""
    with dealer(port, 1000 if reads else 1) as one:
        one.send(data)
        begun()
        while not over():
            events = one.poll(100, zmq.POLLIN | zmq.POLLOUT if reads else zmq.POLLOUT)
            if events & zmq.POLLIN:
                with contextlib.suppress(zmq.Again):
                    for _ in range(100):
                        one.recv(zmq.NOBLOCK)
            if events & zmq.POLLOUT:
                with contextlib.suppress(zmq.Again):
                    for _ in range(100):
                        one.send(data, zmq.NOBLOCK)


def zmq_pings(_: int, port: int, begun: Begun, over: Over) -> None:
    """Pings without a pause, over ZMQ."""
    zmq_stream(port, b'{"version":"1","type":"ping","id":"a"}', begun, over)


def zmq_garbage(_: int, port: int, begun: Begun, over: Over) -> None:
    """What is no JSON, over ZMQ."""
    zmq_stream(port, os.urandom(1000), begun, over)


def zmq_huge(_: int, port: int, begun: Begun, over: Over) -> None:
    """Messages of two megabytes, over ZMQ."""
    values = b"{}," * 690_000
    data = b'{"version":"1","type":"tell","message":{"trials":[' + values + b"{}]}}"
    zmq_stream(port, data, begun, over)


def zmq_never_reads(_: int, port: int, begun: Begun, over: Over) -> None:
    """Pings whose replies are never read, over ZMQ."""
    zmq_stream(port, b'{"version":"1","type":"hello"}', begun, over, reads=False)


def zmq_churn(_: int, port: int, begun: Begun, over: Over) -> None:
    """ZMQ peers that come, say one thing and go."""
    begun()
    while not over():
        with dealer(port) as one:
            one.send(b'{"version":"1","type":"ping"}')
            one.poll(1000)


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        *(never_reads, never_ends, drips, idle, pings, garbage, no_requests, asks, tells, large_tells),
        *(expensive, huge_texts, huge_lists, churn),
        *(zmq_pings, zmq_garbage, zmq_huge, zmq_never_reads, zmq_churn),
    )
}
