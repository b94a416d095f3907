"""One connection to a server, over TCP or in memory: send a request, wait for the reply with its id.

A channel knows nothing of sessions and never connects again: it raises ``Broken`` or ``Slow``.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections import deque
from typing import Any, Callable, Optional, Protocol

from fechner_client.errors import ProtocolError
from fechner_client.framing import BadReply, ReplyReader, encode

_CHUNK = 1 << 18


class Broken(Exception):
    """The connection is gone; whether the request arrived is not known."""


class Slow(Exception):
    """No reply in time; the connection is as good as before."""


class Channel(Protocol):
    """What the rest of the client needs of a connection."""

    def request(self, request: dict[str, Any], timeout: Optional[float]) -> dict[str, Any]:
        """The reply to a request (an envelope with an id); raises Broken, Slow or ProtocolError."""

    def close(self) -> None:
        """Let go of the connection; may be called twice."""


class ServerChannel(Protocol):
    """What a server in the same process gives: a dict in, a dict out, from any thread."""

    def request(self, request: dict[str, Any], /) -> dict[str, Any]: ...

    def close(self) -> None: ...


class Server(Protocol):
    """A server in the same process: ``fechner.server.Server``."""

    def connect(self) -> Any:
        """A new connection: a ServerChannel."""


def opener(
    host: str,
    port: int,
    server: Optional[Server],
    zmq: bool,
    tls: Optional[ssl.SSLContext] = None,
    curve: Optional[str] = None,
) -> Callable[[float], Channel]:
    """What opens a channel to a place, given seconds to do it in."""

    def open_channel(timeout: float) -> Channel:
        if server is not None:
            return MemoryChannel(server)
        if zmq:
            from fechner_client.zmq_channel import ZmqChannel

            return ZmqChannel(host, port, timeout, curve)
        return TcpChannel(host, port, timeout, tls)

    return open_channel


class TcpChannel:
    """A TCP connection: one request, one line of JSON in UTF-8, each way."""

    def __init__(self, host: str, port: int, timeout: float, tls: Optional[ssl.SSLContext] = None) -> None:
        self._where = f"{host}:{port}"
        self._socket = socket.create_connection((host, port), timeout)
        if self._socket.getsockname() == self._socket.getpeername():
            # Without a listener a connection to a port of the ephemeral range can meet itself.
            self._socket.close()
            raise ConnectionRefusedError(f"nothing listens at {self._where}")
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if tls is not None:
            try:
                self._socket = tls.wrap_socket(self._socket, server_hostname=host)
            except BaseException:
                self._socket.close()
                raise
        self._reader = ReplyReader()
        self._replies: deque[Any] = deque()

    def request(self, request: dict[str, Any], timeout: Optional[float]) -> dict[str, Any]:
        try:
            self._socket.settimeout(timeout)
            self._socket.sendall(encode(request) + b"\n")
        except OSError as fault:
            raise Broken(f"the request could not be sent: {fault}") from fault
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            while self._replies:
                reply = reply_to(request, self._replies.popleft(), self._where)
                if reply is not None:
                    return reply
            self._receive(until)

    def _receive(self, until: Optional[float]) -> None:
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            raise Slow
        try:
            self._socket.settimeout(left)
            data = self._socket.recv(_CHUNK)
        except socket.timeout:
            raise Slow from None
        except OSError as fault:
            raise Broken(str(fault)) from fault
        if not data:
            raise Broken("the server closed the connection")
        try:
            self._replies.extend(self._reader.feed(data))
        except BadReply as fault:
            raise not_fechner(self._where, str(fault)) from None

    def close(self) -> None:
        self._socket.close()


class MemoryChannel:
    """A server in the same process."""

    def __init__(self, server: Server) -> None:
        self._channel: ServerChannel = server.connect()

    def request(self, request: dict[str, Any], timeout: Optional[float]) -> dict[str, Any]:
        reply = reply_to(request, self._channel.request(request), "the server in this process")
        if reply is None:
            raise Broken("the server in this process answered another request")
        return reply

    def close(self) -> None:
        self._channel.close()


def reply_to(request: dict[str, Any], reply: Any, where: str) -> Optional[dict[str, Any]]:
    """The reply if it belongs to the request, None if it is the late one of an earlier request.

    An error without id belongs to whatever was sent last: the server could not read its id.
    """
    if not isinstance(reply, dict) or not isinstance(reply.get("ok"), bool):
        raise not_fechner(where, repr(reply)[:80])
    if reply.get("id") == request["id"] or (not reply["ok"] and "id" not in reply):
        return reply
    return None


def not_fechner(where: str, answer: str) -> ProtocolError:
    """What to raise when something else than Fechner's version 1 answers."""
    return ProtocolError(
        "protocol",
        f"what listens at {where} does not answer in version 1 of Fechner's protocol: {answer}",
        hint="is this the address and port of `fechner serve`?",
    )
