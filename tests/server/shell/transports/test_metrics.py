"""HTTP for metrics: one page, bounded, and nobody who asks holds up the loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from fechner.server.shell.transports import metrics
from fechner.server.shell.transports.metrics import CONNECTIONS, REQUEST_BYTES, MetricsServer


def serving(client: Callable[[int], Awaitable[None]], content: bytes = b"fechner_up 1\n") -> int:
    """Run a client against a server; how many pages were made."""
    made = 0

    async def page() -> bytes:
        nonlocal made
        made += 1
        return content

    async def main() -> None:
        server = MetricsServer(page)
        port = await server.start("127.0.0.1", 0)
        try:
            await asyncio.wait_for(client(port), 60)
        finally:
            server.close()

    asyncio.run(main())
    return made


async def say(port: int, text: bytes) -> bytes:
    """All that is replied; nothing where the connection is cut off."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(text)
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("request_", "status", "body"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"200 OK", b"fechner_up 1\n"),
        (b"GET /metrics?x=1 HTTP/1.0\r\n\r\n", b"200 OK", b"fechner_up 1\n"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"200 OK", b""),
        (b"GET / HTTP/1.1\r\n\r\n", b"404 Not Found", b"there is /metrics\n"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405 Method Not Allowed", b"only GET\n"),
        (b"\xff\xfe\r\n\r\n", b"405 Method Not Allowed", b"only GET\n"),
    ],
)
def test_what_is_replied(request_: bytes, status: bytes, body: bytes) -> None:
    """The page where it is asked for, its head alone, or an error; then the connection is closed."""

    async def client(port: int) -> None:
        head, _, content = (await say(port, request_)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 " + status)
        assert b"Connection: close" in head
        assert content == body

    serving(client)


def test_a_request_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is too long at once, one that is too slow in time; others are served meanwhile."""
    monkeypatch.setattr(metrics, "SECONDS", 0.2)

    async def client(port: int) -> None:
        assert await say(port, b"GET /metrics HTTP/1.1\r\n" + b"x" * 2 * REQUEST_BYTES) == b""
        slow = asyncio.ensure_future(say(port, b"GET /metr"))
        assert b"fechner_up" in await say(port, b"GET /metrics HTTP/1.1\r\n\r\n")
        assert await slow == b""

    serving(client)


def test_a_peer_that_reads_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """In time, though its page hasn't left; its place is free again."""
    monkeypatch.setattr(metrics, "SECONDS", 0.2)

    async def client(port: int) -> None:
        held = [await asyncio.open_connection("127.0.0.1", port, limit=1) for _ in range(CONNECTIONS)]
        for _, writer in held:
            writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
        while b"200 OK" not in await say(port, b"HEAD /metrics HTTP/1.1\r\n\r\n"):
            pass  # the places are taken until the time is over
        for reader, writer in held:
            got = 0
            with contextlib.suppress(ConnectionResetError):
                while part := await reader.read(1 << 20):
                    got += len(part)
            assert got < len(large)
            writer.close()

    large = b"x" * 20_000_000  # more than a system's buffers take
    serving(client, large)


def test_a_page_is_made_once_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is asked for."""
    monkeypatch.setattr(metrics, "FRESH_SECONDS", 600.0)

    async def client(port: int) -> None:
        for _ in range(20):
            assert b"fechner_up" in await say(port, b"GET /metrics HTTP/1.1\r\n\r\n")

    assert serving(client) == 1


def test_too_many_at_a_time_are_turned_away() -> None:
    """Those beyond the bound hear nothing and are closed; the next one after is served."""

    async def client(port: int) -> None:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
        assert await say(port, b"") == b""
        for reader, writer in held:
            writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
            assert b"fechner_up" in await reader.read()
            writer.close()
            await writer.wait_closed()
        while b"fechner_up" not in await say(port, b"GET /metrics HTTP/1.1\r\n\r\n"):
            pass  # the server may not have seen yet that they are gone

    serving(client)
