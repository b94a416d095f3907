"""Over real sockets: what those who have shown no token can't do to others."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import pytest
import zmq

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


#: Longer than a message that anybody without a token needs.
LONG = json.dumps({"version": "1", "type": "setup", "message": {"config": "x" * 20_000}}).encode()


def auth(token: str) -> bytes:
    """A request that shows a token."""
    return json.dumps({"version": "1", "type": "auth", "message": {"token": token}}).encode()


def test_a_long_message_before_a_token(serve: Callable[..., Any], keys: Any) -> None:
    """Is refused where others than this machine come; behind the token it is read, though glued to it."""
    server = serve("--host", "0.0.0.0", *keys.options, "--workers", "0")
    context = ssl.create_default_context(cafile=keys.cert)
    codes = []
    for token in (b"", auth(keys.anna)):
        connection = socket.create_connection(server.address, 20)
        with context.wrap_socket(connection, server_hostname="localhost") as wire:
            wire.sendall(token + LONG)
            lines = wire.makefile("rb")
            replies = [json.loads(lines.readline()) for _ in range(2 if token else 1)]
            codes.append(replies[-1]["error"]["code"])
            assert token or lines.readline() == b""
    assert codes == ["too_large", "bad_config"]


def test_a_long_message_before_a_token_over_zmq(serve: Callable[..., Any], keys: Any) -> None:
    """The same, and the peer may go on: each message stands for itself."""
    options = ["--zmq-port", "0", *keys.options, *keys.curve_options]
    server = serve("--host", "0.0.0.0", *options, "--workers", "0")
    context = zmq.Context()
    wire = context.socket(zmq.DEALER)
    try:
        wire.setsockopt(zmq.RCVTIMEO, 20_000)
        wire.curve_serverkey = keys.curve.encode()
        wire.curve_publickey, wire.curve_secretkey = zmq.curve_keypair()
        wire.connect(f"tcp://127.0.0.1:{server.zmq_port}")
        replies = []
        for message in (LONG, auth(keys.anna), LONG):
            wire.send(message)
            replies.append(json.loads(wire.recv()))
    finally:
        context.destroy(0)
    assert [reply["ok"] for reply in replies] == [False, True, False]
    assert [reply["error"]["code"] for reply in replies[::2]] == ["too_large", "bad_config"]


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_crowd_of_strangers(serve: Callable[..., Any], keys: Any, encrypted: bool) -> None:
    """However fast they come, they neither keep whoever has a token out nor drive them away."""
    options = keys.options if encrypted else keys.options[:2]
    server = serve(*options, "--workers", "0", "--connections", "4")
    context = ssl.create_default_context(cafile=keys.cert)

    def connect() -> socket.socket:
        connection = socket.create_connection(server.address, 20)
        return context.wrap_socket(connection, server_hostname="localhost") if encrypted else connection

    with ExitStack() as stack:

        def crowd() -> None:
            for _ in range(4):
                some = [stack.enter_context(connect()) for _ in range(50)]
                some[-1].sendall(b'{"version":"1","type":"hello"}')  # all of them have been heard then
                assert b"token" in some[-1].recv(4096)

        crowd()
        tls = keys.cert if encrypted else False
        anna = stack.enter_context(Client("localhost", server.port, token=keys.anna, tls=tls))
        crowd()
        bert = stack.enter_context(Client("localhost", server.port, token=keys.bert, tls=tls))
        assert anna.hello()["auth"] == bert.hello()["auth"] == "token"
