"""A server in the same process instead of a connection: no socket, no bytes."""

from __future__ import annotations

from typing import Any, Optional, Protocol

from fechner_client.channel import Broken, reply_to


class ServerChannel(Protocol):
    """What a server in the same process gives: a dict in, a dict out, from any thread."""

    def request(self, request: dict[str, Any], /) -> dict[str, Any]: ...

    def close(self) -> None: ...


class Server(Protocol):
    """A server in the same process: ``fechner.server.Server``."""

    def connect(self) -> Any:
        """A new connection: a ServerChannel."""


class MemoryChannel:
    """A connection to a server in the same process."""

    def __init__(self, server: Server) -> None:
        self._channel: ServerChannel = server.connect()

    def request(self, request: dict[str, Any], timeout: Optional[float]) -> dict[str, Any]:
        reply = reply_to(request, self._channel.request(request), "the server in this process")
        if reply is None:
            raise Broken("the server in this process answered another request")
        return reply

    def close(self) -> None:
        self._channel.close()
