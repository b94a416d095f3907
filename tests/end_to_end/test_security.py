"""Servers that other machines may reach: tokens, TLS and CURVE over real sockets, and what is refused."""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
import zmq

from fechner_client import Client
from fechner_client.errors import ConnectionFailed, Refused, SessionError

CONFIG = """
[common]
parnames = [p]
outcome_types = [binary]
strategy_names = [init]
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[init]
generator = SobolGenerator
max_asks = 4
"""


def run_experiment(client: Client) -> str:
    """A short one; the session's id."""
    session = client.setup(CONFIG, seed=1).session
    client.ask().tell(1)
    assert client.info()["trials"]["told"] == 1
    return str(session)


def test_an_experiment_over_tls(serve: Callable[..., Any], keys: Any) -> None:
    """On an address that others can reach: with token and encryption as without, and nobody else gets in."""
    server = serve("--host", "0.0.0.0", *keys.options)
    with Client("localhost", server.port, token=keys.anna, tls=keys.cert) as anna:
        session = run_experiment(anna)
        anna.reconnect()  # shows its token again
        assert anna.ask() is not None
        with Client("127.0.0.1", server.port, token=keys.bert, tls=keys.cert) as bert:
            assert bert.hello()["auth"] == "token"
            with pytest.raises(SessionError) as unknown:
                bert.resume(session=session, observe=True)
            assert unknown.value.code == "unknown_session"
        with pytest.raises(Refused) as refused:
            Client("localhost", server.port, token="x" * 40, tls=keys.cert)
        assert refused.value.code == "unauthorized"
        with pytest.raises(Refused), Client("localhost", server.port, tls=keys.cert) as nobody:
            nobody.setup(CONFIG)
    log = server.log.read_text()
    assert keys.anna not in log
    assert "x" * 40 not in log
    assert keys.anna.encode() not in Path(server.record).read_bytes()


def test_a_server_that_is_another(serve: Callable[..., Any], keys: Any) -> None:
    """Is not talked to: its certificate must be known, and of the name connected to."""
    server = serve(*keys.options)
    other = trustme.CA()
    other.cert_pem.write_to_path(Path(keys.cert).with_name("other.crt"))
    with pytest.raises(ConnectionFailed, match="not who it should be"):
        Client("localhost", server.port, token=keys.anna, tls=str(Path(keys.cert).with_name("other.crt")))


def test_plain_bytes_and_old_protocols_are_no_way_in(serve: Callable[..., Any], keys: Any) -> None:
    """Neither crashes the server nor gets an answer in the clear; others are served meanwhile."""
    server = serve(*keys.options)
    with socket.create_connection(server.address, 20) as plain:
        plain.sendall(b'{"version":"1","type":"hello"}\n')
        answer = b"".join(iter(lambda: plain.recv(4096), b""))
    assert b"fechner" not in answer
    context = ssl.create_default_context(cafile=keys.cert)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        pytest.raises((ssl.SSLError, OSError)),
        socket.create_connection(server.address, 20) as old,
        context.wrap_socket(old, server_hostname="localhost"),
    ):
        pass
    with Client("localhost", server.port, token=keys.anna, tls=keys.cert) as client:
        run_experiment(client)


def test_requests_in_pieces_and_an_error_over_tls(serve: Callable[..., Any], keys: Any) -> None:
    """The stream is the same inside; after broken JSON its error arrives before the end."""
    server = serve(*keys.options)
    context = ssl.create_default_context(cafile=keys.cert)
    with context.wrap_socket(
        socket.create_connection(server.address, 20), server_hostname="localhost"
    ) as wire:
        lines = wire.makefile("rb")
        auth = json.dumps({"version": "1", "type": "auth", "message": {"token": keys.anna}}).encode()
        for byte in auth:
            wire.sendall(bytes([byte]))
        assert json.loads(lines.readline())["message"] == {"role": "experimenter"}
        wire.sendall(b'{"version":"1","type":"ping"}{"version":"1","type":"hello"}{]')
        replies = [json.loads(line) for line in lines]
    assert [reply.get("type") for reply in replies[:2]] == ["ping", "hello"]
    assert replies[2]["error"]["code"] == "bad_json"
    assert len(replies) == 3


def test_three_wrong_tokens_close_the_connection(serve: Callable[..., Any], keys: Any) -> None:
    """Over a real socket, and nobody else waits."""
    server = serve("--token-file", keys.options[1])
    wire, other = server.wire(), server.wire()
    for _ in range(3):
        wire.send({"version": "1", "type": "auth", "message": {"token": "wrong"}})
        other.call("hello")
    assert [json.loads(wire.line())["error"]["code"] for _ in range(3)] == ["unauthorized"] * 3
    assert wire.line() == b""
    assert other.call("auth", {"token": keys.anna}) == {"role": "experimenter"}


@pytest.mark.parametrize("encrypted", [True, False])
def test_an_experiment_over_curve(serve: Callable[..., Any], keys: Any, encrypted: bool) -> None:
    """ZMQ with tokens, encrypted or on this machine only."""
    options = keys.curve_options if encrypted else []
    server = serve("--zmq-port", "0", *keys.options, *options)
    curve = keys.curve if encrypted else None
    with Client("127.0.0.1", server.zmq_port, zmq=True, token=keys.anna, curve=curve) as client:
        run_experiment(client)
    if encrypted:
        with pytest.raises(ConnectionFailed):
            Client("127.0.0.1", server.zmq_port, zmq=True, token=keys.anna, retry_for=0.1)


def test_a_stolen_routing_id_is_worth_nothing(serve: Callable[..., Any], keys: Any) -> None:
    """Neither while its owner is there nor afterwards does anybody act in their name."""
    server = serve("--zmq-port", "0", *keys.options)
    context = zmq.Context()

    def connect() -> zmq.Socket[bytes]:
        found = context.socket(zmq.DEALER)
        found.setsockopt(zmq.ROUTING_ID, b"booth-1")
        found.setsockopt(zmq.LINGER, 0)
        found.setsockopt(zmq.RCVTIMEO, 20_000)
        found.connect(f"tcp://127.0.0.1:{server.zmq_port}")
        return found

    def say(wire: zmq.Socket[bytes], type_: str, message: Any) -> Any:
        wire.send(json.dumps({"version": "1", "type": type_, "message": message}).encode())
        return json.loads(wire.recv())

    owner = connect()
    try:
        assert say(owner, "auth", {"token": keys.anna})["ok"]
        assert say(owner, "setup", {"config": CONFIG})["ok"]
        thief = connect()
        thief.send(b'{"version":"1","type":"info"}')  # libzmq lets it wait while the owner is there
        assert say(owner, "info", {})["ok"]
        owner.close()
        thief.close()
        answers: list[Any] = []
        while len(answers) < 3:  # a connection that comes before the old one's end is seen gets no answer
            thief = connect()
            thief.send(b'{"version":"1","type":"info"}')
            if thief.poll(200):
                answers.append(json.loads(thief.recv()))
            thief.close()
        assert [answer["error"]["code"] for answer in answers] == ["unauthorized"] * 3
    finally:
        context.destroy(0)


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ([], ["--token-file", "--tls-cert"]),
        (["--token-file"], ["--tls-cert"]),
        (["--tls"], ["--token-file"]),
        (["--token-file", "--tls", "--zmq-port"], ["--curve-key"]),
        (["--token-file", "--curve-key", "--zmq-port"], ["--tls-cert"]),
    ],
)
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "lab-server"])
def test_what_is_missing_to_listen_elsewhere(
    fechner: Callable[..., Any], keys: Any, options: list[str], missing: list[str], host: str
) -> None:
    """Is named, with what makes it; nothing listens."""
    given = {
        "--token-file": keys.options[:2],
        "--tls": keys.options[2:],
        "--curve-key": keys.curve_options,
        "--zmq-port": ["--zmq-port", "0"],
    }
    done = fechner("serve", "--host", host, "--port", "0", *(o for name in options for o in given[name]))
    assert done.returncode == 2
    assert "listening" not in done.stdout
    lines = [line.split()[0] for line in done.stderr.splitlines() if line.startswith("  --")]
    assert lines == missing
    assert "--insecure" in done.stderr


def test_insecure_listens_all_the_same(serve: Callable[..., Any]) -> None:
    """And says so on standard error."""
    server = serve("--host", "0.0.0.0", "--insecure")
    wire = server.wire()
    assert wire.call("hello")["auth"] == "none"
    assert "insecure" in server.log.read_text()


def test_aepsych_dialects_stay_on_this_machine(serve: Callable[..., Any], keys: Any) -> None:
    """With tokens they are served on loopback, refused where others can reach the server."""
    setup = {"type": "setup", "message": {"config_str": CONFIG}}
    server = serve("--token-file", keys.options[1])
    with socket.create_connection(server.address, 20) as wire:
        wire.sendall(json.dumps(setup).encode())
        assert json.loads(wire.recv(4096)) == {"strat_id": 0}
    server.stop()
    server = serve("--host", "0.0.0.0", *keys.options)
    context = ssl.create_default_context(cafile=keys.cert)
    with context.wrap_socket(
        socket.create_connection(server.address, 20), server_hostname="localhost"
    ) as wire:
        wire.sendall(json.dumps(setup).encode())
        assert "token" in json.loads(wire.recv(4096))["server_error"]


def test_a_token_from_the_environment(
    serve: Callable[..., Any], keys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it stands in no script."""
    server = serve("--token-file", keys.options[1])
    monkeypatch.setenv("FECHNER_TOKEN", keys.anna)
    with Client(port=server.port) as client:
        run_experiment(client)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_secrets_that_others_can_read(fechner: Callable[..., Any], keys: Any) -> None:
    """Are refused before anything listens."""
    for file in (keys.options[1], keys.options[5]):
        Path(file).chmod(0o644)
        done = fechner("serve", "--port", "0", *keys.options)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"chmod 600 {file}" in done.stderr
        Path(file).chmod(0o600)


def test_status_of_a_protected_server(
    serve: Callable[..., Any], fechner: Callable[..., Any], keys: Any, tmp_path: Path
) -> None:
    """`fechner status` shows a token and encrypts, over TLS and CURVE; without a token it hears nothing."""
    server = serve("--host", "0.0.0.0", "--zmq-port", "0", *keys.options, *keys.curve_options)
    (tmp_path / "anna").write_text(keys.anna)
    (tmp_path / "bert").write_text(f"experimenter:{keys.bert}\n")
    tls = ["--host", "localhost", "--port", str(server.port), "--tls-cert", keys.cert]
    curve = ["--zmq-port", str(server.zmq_port), "--curve-key", f"{tmp_path}/zmq.key.public"]
    with Client("localhost", server.port, token=keys.anna, tls=keys.cert) as anna:
        run_experiment(anna)
        for way in (tls, curve):
            for file, seen in (("tokens", 1), ("anna", 1), ("bert", 0)):  # an admin's, the owner's, another's
                done = fechner("status", *way, "--token-file", f"{tmp_path}/{file}", "--json")
                assert done.returncode == 0, done.stderr
                status = json.loads(done.stdout)
                assert (status["n_sessions"], len(status["sessions"])) == (1, seen)
            done = fechner("status", *way)
            assert done.returncode == 1
            assert "--token-file or FECHNER_TOKEN" in done.stderr
    assert "no encrypted connection" in fechner("status", "--port", str(server.port), "--tls").stderr
    assert "doesn't answer" in fechner("status", "--port", str(server.port)).stderr
