"""Byte streams as they come: cut and glued anywhere, broken, too large, half-closed, of another dialect."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any

import pytest

#: Broken input and its error code; each closes the connection.
BROKEN: dict[str, tuple[bytes, str]] = {
    "a bracket that closes nothing": (b'{"version":"1",]', "bad_json"),
    "nothing but a closing bracket": (b"]", "bad_json"),
    "a trailing comma": (b'{"version":"1",}', "bad_json"),
    "a missing colon": (b'{"version" "1"}', "bad_json"),
    "single quotes": (b"{'version':'1'}", "bad_json"),
    "a key without quotes": (b"{version:1}", "bad_json"),
    "not a number": (b'{"version":"1","type":"ping","message":NaN}', "bad_json"),
    "infinity": (b'{"version":"1","type":"ping","message":-Infinity}', "bad_json"),
    "a number that is infinite": (b'{"version":"1","type":"ping","message":1e999}', "bad_json"),
    "a leading zero": (b'{"version":"1","type":"ping","message":01}', "bad_json"),
    "a key that stands twice": (b'{"version":"1","type":"ping","type":"ask"}', "bad_json"),
    "a control character in a text": (b'{"version":"1","type":"pi\nng"}', "bad_json"),
    "a wrong escape": (b'{"version":"1","type":"\\q"}', "bad_json"),
    "half of a surrogate pair": (b'{"version":"1","type":"ping","id":"\\ud800"}', "bad_json"),
    "invalid UTF-8": (b'{"version":"1","type":"ping","id":"\xff"}', "bad_json"),
    "a byte order mark": (b'\xef\xbb\xbf{"version":"1","type":"ping"}', "bad_json"),
    "a bare word": (b"ask ", "bad_json"),
    "an HTTP request": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "bad_json"),
    "binary data": (bytes(range(256)), "bad_json"),
    "too deep": (b'{"version":"1","type":"ping","message":' + b"[" * 40, "too_deep"),
    "too long a text": (
        b'{"version":"1","type":"ping","id":"' + b"x" * 70_000 + b'"}',
        "too_large",
    ),
    "too large": (
        b'{"version":"1","type":"ping","message":[' + (b'"' + b"x" * 60_000 + b'",') * 36,
        "too_large",
    ),
}
PING = b'{"version":"1","type":"ping","id":"good"}'


@pytest.fixture(scope="module")
def server(tools: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One server for all of these; it must survive each of them."""
    served = tools.Served(tmp_path_factory.mktemp("streams"), "--workers", "0", "--zmq-port", "0")
    yield served
    served.close()


def error_of(reply: dict[str, Any]) -> str:
    """The code of an error that is readable in every dialect."""
    assert reply["ok"] is False
    assert isinstance(reply["error"]["detail"], str)
    return str(reply["error"]["code"])


def until_end(wire: Any) -> list[Any]:
    """All replies to the end of the stream; a reset in place of a clean end raises."""
    return [json.loads(line) for line in iter(wire.line, b"")]


@pytest.mark.parametrize("behind", [0, 1 << 20], ids=["alone", "with a megabyte behind it"])
@pytest.mark.parametrize("kind", BROKEN)
def test_broken_input_gets_its_error_reply_every_time(
    tools: Any, server: Any, kind: str, behind: int
) -> None:
    """Fifty times: the reply to what came before, the error, the end of the stream; never a reset."""
    broken, code = BROKEN[kind]
    for _ in range(50):
        wire = tools.Wire(server.address)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # what it said must still be there
            wire.socket.sendall(PING + broken + b"{" * behind)
        good, error, *more = until_end(wire)
        wire.close()
        assert good["id"] == "good"
        assert error_of(error) == code
        assert more == []


def test_broken_input_at_once_gets_an_error_in_both_dialects(tools: Any, server: Any) -> None:
    """Before the dialect is known an error carries the fields of version 1 and `server_error`."""
    wire = tools.Wire(server.address)
    wire.socket.sendall(b"]")
    (reply,) = until_end(wire)
    wire.close()
    assert error_of(reply) == "bad_json"
    assert reply["server_error"]


@pytest.mark.parametrize("cut", [b'{"version":"1","ty', b"nul", b'"text', b"[1,2", b"-"])
def test_half_a_value_at_the_end_of_the_stream_gets_an_error(tools: Any, server: Any, cut: bytes) -> None:
    """The client has half-closed: its requests are answered, then the error, then the end."""
    wire = tools.Wire(server.address)
    wire.socket.sendall(PING + cut)
    wire.socket.shutdown(socket.SHUT_WR)
    good, error = until_end(wire)
    wire.close()
    assert good["id"] == "good"
    assert error_of(error) == "bad_json"


def test_complete_values_that_are_no_objects_are_errors_and_the_connection_stays(
    tools: Any, server: Any, peers: Any
) -> None:
    """`bad_request` for each, then business as usual."""
    *errors, good = peers.bare_tokens(server.address)
    assert [error_of(error) for error in errors] == ["bad_request"] * 6
    assert good["id"] == "after"
    (error,) = peers.bare_token_at_the_end(server.address, b"12")
    assert error_of(error) == "bad_request"


def test_a_session_in_packets_of_one_byte(tools: Any, experiments: Any, server: Any, peers: Any) -> None:
    """Every reply, in order."""
    setup = {"config": experiments.config(), "seed": 1}
    told = {"trial": 1, "outcome": 1, "extra": {"said": "grüße 🙂"}}
    requests = [
        peers.request("setup", setup, id="1"),
        peers.request("ask", {}, id="2"),
        peers.request("tell", told, id="3"),
        peers.request("info", {}, id="4"),
    ]
    for replies in (
        peers.byte_at_a_time(server.address, requests),
        peers.one_packet(server.address, requests),
        peers.odd_spacing(server.address, requests),
    ):
        assert [reply["id"] for reply in replies] == ["1", "2", "3", "4"]
        assert all(reply["ok"] for reply in replies), replies
        assert replies[3]["message"]["trials"] == {"asked": 1, "told": 1, "pending": 0, "skipped": 0}


def test_ten_requests_in_one_packet_before_a_half_close_get_all_their_replies(
    tools: Any, experiments: Any, server: Any
) -> None:
    """A client that says all it has to say and then only listens."""
    wire = tools.Wire(server.address)
    setup = tools.request("setup", {"config": experiments.config(), "seed": 1}, id="0")
    asks = [tools.request("ask", {"n": 2} if i % 2 else {}, id=str(i)) for i in range(1, 10)]
    wire.send(setup, *asks)
    wire.socket.shutdown(socket.SHUT_WR)
    replies = until_end(wire)
    wire.close()
    assert [reply["id"] for reply in replies] == [str(i) for i in range(10)]
    trials = [t["trial"] for reply in replies[1:] for t in reply["message"]["trials"]]
    assert trials == list(range(1, len(trials) + 1))


def test_more_requests_than_may_wait_are_all_answered(tools: Any, server: Any) -> None:
    """The socket is simply not read meanwhile."""
    wire = tools.Wire(server.address)
    wire.send(*(tools.request("info", {}, id=str(i)) for i in range(500)))
    wire.socket.shutdown(socket.SHUT_WR)
    assert [reply["id"] for reply in until_end(wire)] == [str(i) for i in range(500)]
    wire.close()


def test_a_deaf_client_and_a_flood_disturb_nobody(tools: Any, server: Any, peers: Any) -> None:
    """One writes and never reads, one pings a thousand times at once, some come and go."""
    with peers.NeverReads(server.address) as deaf:
        assert deaf.sent > 64
        peers.connect_and_leave(server.address, 20)
        assert [reply["id"] for reply in peers.flood(server.address)] == [str(i) for i in range(1000)]
        wire = tools.Wire(server.address)
        assert wire.call("hello")["auth"] == "none"
        wire.close()


def test_broken_zmq_messages_are_errors_and_the_peer_stays(tools: Any, server: Any) -> None:
    """bad_json, too_large, too_deep, bad_request, two frames; then a ping."""
    import zmq

    context = zmq.Context()
    client = context.socket(zmq.REQ)
    client.setsockopt(zmq.LINGER, 0)
    client.setsockopt(zmq.RCVTIMEO, 60_000)
    client.connect(f"tcp://127.0.0.1:{server.zmq_port}")
    try:
        large = b'{"version":"1","type":"ping","message":[' + b'"x",' * 600_000 + b"1]}"
        deep = b"[" * 40 + b"]" * 40
        cases = [(b"{", "bad_json"), (large, "too_large"), (deep, "too_deep"), (b"1", "bad_request")]
        for broken, code in cases:
            client.send(broken)
            assert error_of(json.loads(client.recv())) == code
        client.send_multipart([PING, PING])
        assert error_of(json.loads(client.recv())) == "bad_request"
        client.send(PING)
        assert json.loads(client.recv())["id"] == "good"
    finally:
        client.close()
        context.term()
