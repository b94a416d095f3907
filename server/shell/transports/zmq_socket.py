"""The ROUTER socket, as it is set up."""

from __future__ import annotations

import zmq

from fechner.server.protocol.limits import Limits

#: Messages of one peer that ZMQ itself holds, in and out: each may be long.
QUEUED_IN, QUEUED_OUT = 8, 16


def router_socket(
    context: zmq.Context[zmq.Socket[bytes]],
    address: str,
    limits: Limits,
    curve: tuple[bytes, bytes] | None,
    strict: bool,
) -> zmq.Socket[bytes]:
    """A socket that is yet to be bound to an address; the rest as for `ZmqTransport`."""
    socket = context.socket(zmq.ROUTER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.MAXMSGSIZE, 4 * limits.message_bytes)
    socket.setsockopt(zmq.RCVHWM, QUEUED_IN)
    socket.setsockopt(zmq.SNDHWM, QUEUED_OUT)
    socket.setsockopt(zmq.ROUTER_HANDOVER, not strict)
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)  # to hear of peers that are gone or don't read
    socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
    socket.setsockopt(zmq.TCP_KEEPALIVE_IDLE, 60)
    socket.setsockopt(zmq.IPV6, "[" in address)
    if curve is not None:
        socket.curve_publickey, socket.curve_secretkey = curve
        socket.curve_server = True
    return socket
