"""How to reach a server: in memory, over ZMQ or over TCP."""

from __future__ import annotations

import ssl
from typing import Callable, Optional

from fechner_client.channel import Channel
from fechner_client.memory_channel import MemoryChannel, Server
from fechner_client.tcp_channel import TcpChannel


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
