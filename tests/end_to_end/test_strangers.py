"""Over real sockets: what those who have shown no token can't do to others."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fechner_client import Client


def test_many_wrong_tokens_at_a_time(serve: Callable[..., Any], keys: Any) -> None:
    """Each gets its answer, and none of them stays behind."""
    server = serve(*keys.options[:2], "--workers", "0")
    wires = [server.wire() for _ in range(100)]
    for wire in wires:
        wire.send({"version": "1", "type": "auth", "message": {"token": "wrong"}})
    for wire in wires:
        assert json.loads(wire.line())["error"]["code"] == "unauthorized"
        wire.close()
    admin = server.wire()
    admin.call("auth", {"token": keys.admin})
    while admin.call("status")["connections"]["open"] > 1:
        pass


def test_failed_handshakes_leave_nothing_behind(serve: Callable[..., Any], keys: Any) -> None:
    """However many there were: whoever has the token is let in."""
    server = serve(*keys.options, "--workers", "0", "--connections", "3")
    for _ in range(120):
        with socket.create_connection(server.address, 20) as plain, suppress(ConnectionError):
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while plain.recv(4096):
                pass
    with Client("localhost", server.port, token=keys.anna, tls=keys.cert) as client:
        assert client.hello()["auth"] == "token"
