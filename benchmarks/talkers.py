"""Clients for load: many of them in one asyncio process, over TCP or ZMQ, each with one request under way.

What goes wrong is kept in the ledger that they share, and so are the times of what they ask for.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import zmq
import zmq.asyncio

#: After this time without a reply something is broken.
GUARD_SECONDS = 300.0

_COMMON = """
[common]
parnames = [x, y]
outcome_types = [binary]
strategy_names = [{stages}]
[x]
par_type = continuous
lower_bound = 0
upper_bound = 1
[y]
par_type = continuous
lower_bound = 0
upper_bound = 1
"""

#: Space-filling trials without end.
SOBOL = (
    _COMMON.format(stages="init")
    + """
[init]
generator = SobolGenerator
run_indefinitely = True
"""
)


def modelled(first: int, trials: int, end: str = "run_indefinitely = True") -> str:
    """Some Sobol trials, then so many that a model chooses by straddle, then Sobol trials again."""
    return (
        _COMMON.format(stages="init, opt, rest")
        + f"""
[init]
generator = SobolGenerator
min_asks = {first}
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
acqf = MCLevelSetEstimation
min_asks = {trials}
[MCLevelSetEstimation]
target = 0.75
[rest]
generator = SobolGenerator
{end}
"""
    )


@dataclass
class Ledger:
    """What all clients together have seen: times in ms by kind, faults by their text, messages by type."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    faults: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Messages answered."""
        return sum(self.messages.values())


class Talker:
    """One client; `call` gives the message of a reply that is ok, None for one that isn't."""

    def __init__(self, port: int, ledger: Ledger, context: zmq.asyncio.Context | None = None) -> None:
        self._port, self._ledger, self._context = port, ledger, context
        self._socket: zmq.asyncio.Socket | None = None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def connect(self) -> None:
        """Begin a connection: over ZMQ if there is a context for it."""
        if self._context is not None:
            self._socket = self._context.socket(zmq.DEALER)
            self._socket.connect(f"tcp://127.0.0.1:{self._port}")
        else:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)

    async def exchange(self, data: bytes) -> bytes:
        """A request's reply, both as they are on the wire."""
        if self._socket is not None:
            await self._socket.send(data)
            return bytes(await asyncio.wait_for(self._socket.recv(), GUARD_SECONDS))
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(data)
        return await asyncio.wait_for(reader.readline(), GUARD_SECONDS)

    async def call(
        self, type: str, message: dict[str, Any] | None = None, kind: str = "", **envelope: Any
    ) -> Any:
        """Send a request and wait; its time is kept under `kind`, an ask's under who answered it."""
        request = {"version": "1", "type": type, "message": message or {}, **envelope}
        begun = time.perf_counter()
        text = await self.exchange(json.dumps(request).encode())
        took = 1e3 * (time.perf_counter() - begun)
        self._ledger.messages[type] += 1
        if not text:
            self._ledger.faults[f"{type}: the connection was closed"] += 1
            return None
        reply = json.loads(text)
        if not reply["ok"]:
            self._ledger.faults[f"{type}: {reply['error']['code']}: {reply['error']['detail']}"] += 1
            return None
        if type == "ask":
            kind = kind or ("model ask" if reply["timing"].get("tier") == "model" else "Sobol ask")
        self._ledger.times[kind or type].append(took)
        return reply["message"]

    async def leave(self, reset: bool = False) -> None:
        """Close the connection, or break it."""
        if self._socket is not None:
            self._socket.close(linger=0)
            self._socket = None
        if self._streams is not None:
            writer = self._streams[1]
            if reset:
                writer.transport.abort()
            writer.close()
            self._streams = None
