"""HTTP for metrics: `GET /metrics`, and nothing else.

In the server's own loop, where nothing else runs while the counters are read. So that nobody who asks can
hurt the loop: a page is made once a second at most, connections are few, short and closed after one reply.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fechner.server.engine.state import EngineState
    from fechner.server.shell.metrics_text import Page

#: Longest request line and headers.
REQUEST_BYTES = 8192
#: Connections at a time; more are closed at once.
CONNECTIONS = 8
#: For a request to come, and for its reply to go.
SECONDS = 5.0
#: How long a page is shown before another is made.
FRESH_SECONDS = 1.0

_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MetricsServer:
    """A server of one page.

    Args:
        page: makes it.
    """

    def __init__(self, page: Callable[[], Awaitable[bytes]]) -> None:
        self._page = page
        self._made: asyncio.Task[bytes] | None = None
        self._at = 0.0
        self._open = 0
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port.

        Raises:
            OSError: the address can't be bound.
        """
        self._server = await asyncio.start_server(self._serve, host, port, limit=REQUEST_BYTES, backlog=16)
        number: int = self._server.sockets[0].getsockname()[1]
        return number

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= CONNECTIONS:
                async with asyncio.timeout(SECONDS):
                    writer.write(await self._reply(await reader.readuntil(b"\r\n\r\n")))
                    await writer.drain()
                    writer.write_eof()
                    while await reader.read(REQUEST_BYTES):  # what it still says, lest a reset overtake us
                        pass
        except (asyncio.LimitOverrunError, asyncio.IncompleteReadError, TimeoutError, OSError):
            pass  # no request, or nobody to reply to
        except asyncio.CancelledError:
            pass  # the server stops; nobody waits for this task
        finally:
            self._open -= 1
            writer.transport.abort()  # a peer that reads nothing would keep it open

    async def _reply(self, request: bytes) -> bytes:
        method, _, rest = request.partition(b"\r\n")[0].partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method not in (b"GET", b"HEAD"):
            return _http("405 Method Not Allowed", b"only GET\n", also="Allow: GET, HEAD\r\n")
        if path != b"/metrics":
            return _http("404 Not Found", b"there is /metrics\n")
        page = _http("200 OK", await self._fresh(), _TYPE)
        return page if method == b"GET" else page.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    async def _fresh(self) -> bytes:
        now = asyncio.get_running_loop().time()
        if self._made is None or now - self._at > FRESH_SECONDS:
            self._made, self._at = asyncio.ensure_future(_whole(self._page)), now
        return await asyncio.shield(self._made)


async def _whole(page: Callable[[], Awaitable[bytes]]) -> bytes:
    return await page()


def pages(engine: EngineState, look: Callable[[], None]) -> Callable[[], Awaitable[bytes]]:
    """Makes pages of an engine's metrics, letting others go first between their parts.

    `look` has the record's disk looked at, for the next page. What makes pages takes a fifth of a second to
    import, so another thread does that when the first one is wanted.
    """
    made: list[Page] = []

    async def page() -> bytes:
        if not made:
            module = await asyncio.to_thread(import_module, "fechner.server.shell.metrics_text")
            made.append(module.Page(engine))
        look()
        parts = []
        for part in made[0].parts():
            parts.append(part)
            await asyncio.sleep(0)
        return b"".join(parts)

    return page


def _http(status: str, body: bytes, type_: str = "text/plain; charset=utf-8", also: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {type_}\r\nContent-Length: {len(body)}\r\n{also}"
    return f"{head}Connection: close\r\n\r\n".encode() + body
