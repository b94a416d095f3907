"""A connection over TCP: one request, one line of JSON in UTF-8, each way."""

from __future__ import annotations

import socket
import ssl
import time
from collections import deque
from typing import Any, Optional

from fechner_client.channel import Broken, Slow, not_fechner, reply_to
from fechner_client.framing import BadReply, ReplyReader, encode

_CHUNK = 1 << 18


class TcpChannel:
    """A TCP connection, with TLS where a context is given; opening it raises OSError."""

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
