"""In memory: the same client, another way to the server."""

from __future__ import annotations

import asyncio
from typing import Any

from fechner_client import Client


def run(client: Client, config: str) -> list[float]:
    client.setup(config)
    levels = []
    for trial in client.trials():
        levels.append(trial["level"])
        trial.tell(1)
    return levels


def test_a_session_in_memory(fake: Any, config: str) -> None:
    """The same loop without a socket; closing closes the connection to the server."""
    with Client(server=fake) as client:
        assert run(client, config) == [10.0, 20.0, 30.0]
        channel = client._connection._channel._channel  # type: ignore[union-attr]
    assert channel.closed
    assert fake.connections == 0


def test_in_memory_inside_a_running_event_loop(fake: Any, config: str) -> None:
    """As in a notebook."""

    async def notebook() -> list[float]:
        with Client(server=fake) as client:
            return run(client, config)

    assert asyncio.run(notebook()) == [10.0, 20.0, 30.0]
