"""Where a server is, and the faults on the way there."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest

from fechner_client.channel import NoHost, NotTrusted
from fechner_client.memory_channel import MemoryChannel
from fechner_client.opening import Place, name_faults
from fechner_client.tcp_channel import TcpChannel


def test_each_place_has_its_channel(fake: Any) -> None:
    """An address is reached over TCP, a server in this process in memory."""
    over_tcp, in_memory = Place("127.0.0.1", fake.port), Place("127.0.0.1", 0, server=fake)
    for place, kind, name in (
        (over_tcp, TcpChannel, f"127.0.0.1:{fake.port}"),
        (in_memory, MemoryChannel, "the server in this process"),
    ):
        channel = place.open_channel(5.0)
        channel.close()
        assert isinstance(channel, kind)
        assert str(place) == name


def test_what_encrypts_a_place() -> None:
    """A context does for TCP, a key for ZMQ, each for its own; in memory nobody reads along."""
    context = ssl.create_default_context()
    assert not Place("lab", 5555, curve="key").encrypted
    assert not Place("lab", 5555, zmq=True, tls=context).encrypted
    assert Place("lab", 5555, tls=context).encrypted
    assert Place("lab", 5555, zmq=True, curve="key").encrypted
    assert Place("lab", 5555, server=object()).encrypted  # type: ignore[arg-type]


def test_faults_that_last_are_told_from_those_that_may_pass() -> None:
    """A name that nobody knows, a certificate that isn't the server's; all others stay as they are."""
    with pytest.raises(NoHost, match="nobody knows it"), name_faults():
        raise socket.gaierror(-2, "nobody knows it")
    untrusted = ssl.SSLCertVerificationError()
    untrusted.verify_message = "self-signed certificate"
    with pytest.raises(NotTrusted, match=r"^self-signed certificate$"), name_faults():
        raise untrusted
    with pytest.raises(ConnectionRefusedError), name_faults():
        raise ConnectionRefusedError


def test_an_address_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a fault that lasts."""

    def look_up(*_: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(NoHost, match="not known"):
        Place("host.invalid", 5555).open_channel(1.0)
