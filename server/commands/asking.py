"""A minimal client of version 1, for commands that ask a running server how it is."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol

#: How long a server may take to answer what it answers at once.
SECONDS = 10.0


class Unanswered(Exception):
    """Nobody is there, or what answers is no Fechner server, or it refuses; the text says so."""


class Line(Protocol):
    """A way to a server."""

    def exchange(self, request: bytes) -> bytes:
        """The reply to a request.

        Raises:
            OSError, EOFError: there is none.
        """
        ...


class TcpLine:
    """A TCP connection: a reply ends with a newline."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._replies: IO[bytes] = connected.makefile("rb")

    def exchange(self, request: bytes) -> bytes:
        """The reply to a request."""
        self._socket.sendall(request)
        reply = self._replies.readline()
        if not reply:
            raise EOFError("the connection was closed")
        return reply


class ZmqLine:
    """A DEALER socket: a reply is a message."""

    def __init__(self, connected: Any) -> None:
        self._socket = connected

    def exchange(self, request: bytes) -> bytes:
        """The reply to a request."""
        import zmq

        try:
            self._socket.send(request)
            reply: bytes = self._socket.recv()
        except zmq.ZMQError as error:
            raise TimeoutError("timed out" if isinstance(error, zmq.Again) else str(error)) from None
        return reply


@contextmanager
def asking(host: str, port: int, zmq_port: int | None = None, seconds: float = SECONDS) -> Iterator[Line]:
    """A connection to the server at an address, by ZMQ if that port is given.

    What a connection has to say first (who it is, say) belongs here.

    Raises:
        Unanswered: nobody listens there.
    """
    if zmq_port is not None:
        with _zmq(host, zmq_port, seconds) as line:
            yield line
        return
    try:
        connected = socket.create_connection((host, port), seconds)
    except OSError as error:
        raise Unanswered(f"no server answers at {host} port {port}: {error.strerror or error}") from None
    with connected:
        yield TcpLine(connected)


@contextmanager
def _zmq(host: str, port: int, seconds: float) -> Iterator[ZmqLine]:
    import zmq

    with zmq.Context() as context, context.socket(zmq.DEALER) as connected:
        connected.setsockopt(zmq.LINGER, 0)
        connected.setsockopt(zmq.RCVTIMEO, int(1e3 * seconds))
        connected.setsockopt(zmq.SNDTIMEO, int(1e3 * seconds))
        connected.setsockopt(zmq.IPV6, ":" in host)
        connected.connect(f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}")
        yield ZmqLine(connected)


def ask(line: Line, type_: str) -> dict[str, Any]:
    """The message of the server's reply to a request without content.

    Raises:
        Unanswered: there is none, or an error.
    """
    try:
        text = line.exchange(json.dumps({"version": "1", "type": type_, "message": {}}).encode())
    except (OSError, EOFError) as error:
        raise Unanswered(f"the server doesn't answer: {error}") from None
    try:
        reply = json.loads(text)
        if reply["ok"]:
            return dict(reply["message"])
        detail = f"{reply['error']['code']}: {reply['error']['detail']}"
    except (ValueError, KeyError, TypeError):
        raise Unanswered("what answers there is no Fechner server") from None
    if reply["error"]["code"] == "unknown_type":
        detail = f"it is older than this program and has no {type_}"
    raise Unanswered(f"the server refuses: {detail}")
