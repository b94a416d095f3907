"""What is asked of the system's sockets."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress


def reset_at_close(found: socket.socket | None) -> None:
    """Have the system forget what the peer hasn't read, and not go on offering megabytes."""
    if found is not None:
        with suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def keep_alive(found: socket.socket | None) -> None:
    """Have the system find out that a peer is gone without a word (its power, its cable)."""
    if found is None:
        return
    with suppress(OSError):
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
            if hasattr(socket, name):
                found.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
