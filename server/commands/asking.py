"""A minimal client of version 1, for commands that ask a running server how it is."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from fechner.server.engine.principals import ROLES
from fechner.strategies._lazy import Lazy

if TYPE_CHECKING:
    import ssl

    import zmq
    from zmq import auth
else:
    ssl, zmq, auth = map(Lazy, ("ssl", "zmq", "zmq.auth"))

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

    def exchange(self, request: bytes) -> bytes:
        """The reply to a request."""
        self._socket.sendall(request)
        reply = b""
        while not reply.endswith(b"\n") and not _older(reply):
            part = self._socket.recv(1 << 16)
            if not part:
                raise EOFError("the connection was closed")
            reply += part
        return reply


class ZmqLine:
    """A DEALER socket: a reply is a message."""

    def __init__(self, connected: Any) -> None:
        self._socket = connected

    def exchange(self, request: bytes) -> bytes:
        """The reply to a request."""
        try:
            self._socket.send(request)
            reply: bytes = self._socket.recv()
        except zmq.ZMQError as error:
            raise TimeoutError("timed out" if isinstance(error, zmq.Again) else str(error)) from None
        return reply


@dataclass(frozen=True)
class Address:
    """Where a server is, and what it wants to see and keep secret.

    Attributes:
        host, port: of TCP.
        zmq_port: to be asked instead.
        token_file: a token, or lines as `fechner token --token-file` writes them: an admin's, else the first.
            Without it the environment's `FECHNER_TOKEN` counts.
        tls: encrypt TCP.
        tls_cert: the server's certificate, or its authority's; implies `tls`.
        curve_key: the server's public CURVE key, a file; encrypts ZMQ.
    """

    host: str = "127.0.0.1"
    port: int = 5555
    zmq_port: int | None = None
    token_file: str | None = None
    tls: bool = False
    tls_cert: str | None = None
    curve_key: str | None = None


@contextmanager
def connect(address: Address, seconds: float = SECONDS, introduce: bool = True) -> Iterator[Line]:
    """A connection to the server at an address; `introduce` shows it the token, if there is one.

    Raises:
        Unanswered: nobody listens there, or it doesn't take the token; or a file can't be used.
    """
    token = _token(address.token_file) if introduce else None
    with (_tcp if address.zmq_port is None else _zmq)(address, seconds) as line:
        if token:
            ask(line, "auth", {"token": token})
        yield line


@contextmanager
def _tcp(address: Address, seconds: float) -> Iterator[Line]:
    try:
        plain = socket.create_connection((address.host, address.port), seconds)
    except OSError as error:
        where = f"{address.host} port {address.port}"
        raise Unanswered(f"no server answers at {where}: {error.strerror or error}") from None
    with plain:
        yield TcpLine(_encrypted(plain, address) if address.tls or address.tls_cert else plain)


def _encrypted(plain: socket.socket, address: Address) -> socket.socket:
    try:
        context = ssl.create_default_context(cafile=address.tls_cert)
    except OSError as error:
        raise Unanswered(f"{address.tls_cert} can't be used as a certificate: {error}") from None
    try:
        return context.wrap_socket(plain, server_hostname=address.host)
    except OSError as error:  # ssl.SSLError is one
        reason = getattr(error, "verify_message", None) or getattr(error, "reason", None) or str(error)
        raise Unanswered(f"no encrypted connection to {address.host}: {reason}") from None


@contextmanager
def _zmq(address: Address, seconds: float) -> Iterator[Line]:
    with zmq.Context() as context, context.socket(zmq.DEALER) as connected:
        connected.setsockopt(zmq.LINGER, 0)
        connected.setsockopt(zmq.RCVTIMEO, int(1e3 * seconds))
        connected.setsockopt(zmq.SNDTIMEO, int(1e3 * seconds))
        connected.setsockopt(zmq.IPV6, ":" in address.host)
        if address.curve_key is not None:
            try:
                public, _ = auth.load_certificate(address.curve_key)
            except (OSError, ValueError) as error:
                raise Unanswered(f"{address.curve_key} can't be used as a CURVE key: {error}") from None
            connected.curve_serverkey = public
            connected.curve_publickey, connected.curve_secretkey = zmq.curve_keypair()
        host = f"[{address.host}]" if ":" in address.host else address.host
        connected.connect(f"tcp://{host}:{address.zmq_port}")
        yield ZmqLine(connected)


def _token(file: str | None) -> str | None:
    """The token to show, None where there is none."""
    if file is None:
        return os.environ.get("FECHNER_TOKEN")
    try:
        with open(file, encoding="utf-8-sig") as opened:
            lines = [line.strip() for line in opened]
    except (OSError, UnicodeDecodeError) as error:
        raise Unanswered(f"the token file {file} can't be read: {error}") from None
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise Unanswered(f"{file} holds no token; `fechner token` makes one")
    chosen = next((line for line in lines if line.startswith("admin:")), lines[0])
    role, _, token = chosen.partition(":")
    return token.strip() if role.strip() in ROLES else chosen


def _older(reply: bytes) -> bool:
    """Whether it is an error of a dialect that ends no line: all that some servers are told to speak."""
    return reply.startswith(b'{"server_error"') or reply == b"bad request"


def ask(line: Line, type_: str, message: dict[str, Any] | None = None) -> dict[str, Any]:
    """The message of the server's reply to a request.

    Raises:
        Unanswered: there is none, or an error.
    """
    try:
        text = line.exchange(json.dumps({"version": "1", "type": type_, "message": message or {}}).encode())
    except (OSError, EOFError) as error:
        raise Unanswered(f"the server doesn't answer: {error}") from None
    if _older(text):
        raise Unanswered("the server speaks an AEPsych dialect only (--dialect): that has no such question")
    try:
        reply = json.loads(text)
        if reply["ok"]:
            return dict(reply["message"])
        detail = f"{reply['error']['code']}: {reply['error']['detail']}"
    except (ValueError, KeyError, TypeError):
        raise Unanswered("what answers there is no Fechner server") from None
    if reply["error"]["code"] == "unauthorized" and type_ != "auth":
        detail += "; --token-file or FECHNER_TOKEN shows one"
    if reply["error"]["code"] == "unknown_type":
        detail = f"it is older than this program and has no {type_}"
    raise Unanswered(f"the server refuses: {detail}")
