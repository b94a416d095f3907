"""How to reach a server: in memory, over ZMQ or over TCP."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Optional

from fechner_client.channel import Channel, NoHost, NotTrusted
from fechner_client.errors import warn
from fechner_client.memory_channel import MemoryChannel, Server
from fechner_client.security import Tls, context_of, travels_openly
from fechner_client.tcp_channel import TcpChannel


@dataclass(frozen=True)
class Place:
    """Where a server is, and how to reach it.

    Attributes:
        host, port: where it listens.
        server: it itself, if it is in this process.
        zmq: whether to speak ZMQ.
        tls: what encrypts TCP.
        curve: the server's public key, which encrypts ZMQ.
    """

    host: str
    port: int
    server: Optional[Server] = None
    zmq: bool = False
    tls: Optional[ssl.SSLContext] = None
    curve: Optional[str] = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.server is None else "the server in this process"

    @property
    def encrypted(self) -> bool:
        """Whether nobody on the way can read along."""
        return self.server is not None or (self.curve if self.zmq else self.tls) is not None

    def open_channel(self, timeout: float) -> Channel:
        """A new channel, within so many seconds; raises NoHost, NotTrusted, OSError."""
        if self.server is not None:
            return MemoryChannel(self.server)
        with name_faults():
            if self.zmq:
                from fechner_client.zmq_channel import ZmqChannel

                return ZmqChannel(self.host, self.port, timeout, self.curve)
            return TcpChannel(self.host, self.port, timeout, self.tls)


def locate(
    host: str,
    port: int,
    server: Optional[Server],
    zmq: bool,
    token: Optional[str],
    tls: Tls,
    curve: Optional[str],
) -> Place:
    """The place that a client's arguments name; warns of a token that others could read on the way there."""
    place = Place(host, port, server, zmq, context_of(tls), curve)
    if travels_openly(host, place.encrypted, token):
        warn(f"the token goes to {host} unencrypted; use {'curve=' if zmq else 'tls='}")
    return place


@contextmanager
def name_faults() -> Iterator[None]:
    """Tell the faults of opening that last from those that may pass."""
    try:
        yield
    except socket.gaierror as fault:
        raise NoHost(str(fault)) from fault
    except ssl.SSLCertVerificationError as fault:
        raise NotTrusted(fault.verify_message) from fault
