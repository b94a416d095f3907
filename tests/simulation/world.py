"""One schedule: a server, its disk, its clients and the weather, all from one seed."""

from __future__ import annotations

import asyncio
import hashlib
import random
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal
from unittest.mock import patch

from fechner.server.engine.events import DiskLow
from fechner.server.engine.principals import Tokens
from fechner.server.protocol.limits import Limits
from fechner.server.session import session
from fechner.server.session.handlers import setup
from fechner.strategies.config import Specification, check

from . import invariants
from .aepsych import GENERATIONS, Aepsych
from .clients import BaseClient
from .clock import Clock
from .disk import Disk
from .ledger import Ledger
from .mail import Mail
from .native import Native
from .network import Wire
from .onlookers import Intruder, Observer
from .rude import Rude
from .server import Process
from .weather import Weather

NAMES = ("c0", "c1", "c2", "c3", "c4")

#: How long the storm lasts, how long everything may take to come to rest after it, and a whole world's steps.
STORM, REST, MOST_STEPS = 120.0, 1800.0, 200_000


@lru_cache(64)
def _checked(config: str, no_end: Literal["error", "warning"] = "error") -> Specification:
    """The same few configurations, checked once: a quarter of a schedule's time else."""
    return check(config, no_end=no_end)


@dataclass
class Outcome:
    """What came of a schedule."""

    seed: int
    broken: list[str]
    digest: str
    requests: int
    messages: int
    steps: int
    happened: Counter[str] = field(default_factory=Counter)


class World:
    """See the package's docstring.

    Args:
        seed: of everything.
        tell: takes each step as text.
        real_models: compute with the real models.
    """

    def __init__(
        self, seed: int, tell: Callable[[str], None] | None = None, real_models: bool = False
    ) -> None:
        self.seed, self._tell = seed, tell
        self.rng = random.Random(seed)
        self.clock = Clock()
        self.weather = Weather.drawn(self.rng)
        self.disk = Disk(self.weather)
        self.ledger = Ledger(lambda: self.clock.now)
        self.logged: list[str] = []
        self.ended: set[int] = set()  # connections that their client half closed
        self.is_calm = self.over = False
        self.real_models = real_models
        self.server: Process | None = None
        self.servers: list[Process] = []
        self._connections = 0
        self._hash = hashlib.blake2b(digest_size=16)
        self.happened = self.disk.happened
        rng = self.rng
        self.workers = rng.choice((0, 1, 1, 2, 3))
        self.limits = Limits(waiting_requests=rng.choice((3, 64)))
        ahead = rng.random() < 0.7 and self.workers > 0
        old = rng.random() < 0.15
        self.options: dict[str, Any] = {
            "dialect": "aepsych-0.1" if old else "auto",
            "eager": ahead and rng.random() < 0.8,
            "speculate": ahead and rng.random() < 0.8,
            "reattach": rng.random() < 0.9,
            "exit_with_client": rng.random() < 0.04,
        }
        self.tokens = rng.random() < 0.25
        if self.tokens:
            roles = {f"{name}'s secret": "experimenter" for name in NAMES}
            self.options |= {"tokens": Tokens(roles), "nameless": rng.random() < 0.8}  # type: ignore[arg-type]
        self.clients: list[BaseClient] = []
        self._people(old)

    def _people(self, old: bool) -> None:
        """Who comes."""
        rng = self.rng
        for i in range(rng.choice((1, 1, 2, 3, 5))):
            name = NAMES[i]
            host = f"10.0.0.{i + 1}" if rng.random() < 0.9 else "10.0.0.1"
            roll = rng.random()
            holders: list[Native] = [one for one in self.clients if type(one) is Native and one.own_uuid]
            if old:
                client: BaseClient = Aepsych(self, name, host, rng.choice(("0.1", "0.1 versioned")))
            elif roll < 0.5 or (roll < 0.7 and not holders):
                client = Native(self, name, host, stream=rng.random() < 0.85)
            elif roll < 0.7:
                client = (Observer if roll < 0.62 else Intruder)(self, name, host, rng.choice(holders))
            elif roll < 0.92:
                client = Aepsych(self, name, host, rng.choice(GENERATIONS[:3]))
            else:
                client = Rude(self, name, host)
            self.clients.append(client)

    def trace(self, text: str) -> None:
        """A step."""
        line = f"{self.clock.now:10.4f}  {text}"
        self._hash.update(line.encode())
        if self._tell is not None:
            self._tell(line)

    def connect(self, client: BaseClient, stream: bool) -> Wire | Mail:
        """A connection to the server that there is."""
        assert self.server is not None
        self._connections += 1
        number = self._connections
        kind = Wire if stream else Mail
        peer = f"{client.host}:{1024 + number}" if stream else f"zmq-{number}"
        wire = kind(self.clock, self.weather, client, self.server, number, peer)  # type: ignore[arg-type]
        self.server.wires[number] = wire
        return wire

    def run(self) -> Outcome:
        """The whole schedule, and the reckoning."""
        try:
            with patch.object(session, "check", _checked), patch.object(setup, "check", _checked):
                self._live()
                broken = [*self.ledger.broken, *invariants.check(self)]
        except Exception:
            broken = [*self.ledger.broken, traceback.format_exc()]
        finally:
            asyncio._set_running_loop(None)
        requests = sum(len(one.connections) for one in self.ledger.requests)
        messages = sum(map(len, self.disk.rows.values()))
        self._hash.update(repr(broken).encode())
        digest = self._hash.hexdigest()
        return Outcome(self.seed, broken, digest, requests, messages, self.clock.steps, self.happened)

    def _live(self) -> None:
        self._start()
        for client in self.clients:
            self.clock.after(self.rng.random() ** 2 * 20, client.begin)
        for _ in range(self.rng.choice((0, 0, 1, 1, 2, 4))):
            self.clock.at(self.rng.random() * STORM, self._end, self.rng.random() < 0.7)
        for text in ("little room is left", ""):
            if self.rng.random() < 0.1:
                self.clock.at(self.rng.random() * STORM, self._disk_low, text)
        self.clock.run(STORM, MOST_STEPS)
        self._calm_down()
        if not self.clock.run(STORM + REST, MOST_STEPS) or not self.clock.empty:
            self.ledger.breach("things don't come to rest")
        self.trace("all is quiet")
        invariants.at_rest(self)
        assert self.server is not None
        for wire in tuple(self.server.wires.values()):
            wire.heal()
        self.clock.run(self.clock.now + 100, MOST_STEPS)
        invariants.nothing_left(self)
        self.over = True
        self.server.stop()
        self.clock.run(self.clock.now + 100, MOST_STEPS)
        if not self.server.halted:
            self.ledger.breach("the server doesn't halt")

    def _calm_down(self) -> None:
        self.trace("it calms down")
        self.is_calm = True
        self.weather.calm()
        self.options["exit_with_client"] = False
        if self.server is not None:
            options = self.server.engine.state.options
            if options.read_only or options.exit_with_client:
                self.server.stop()

    def _disk_low(self, text: str) -> None:
        if self.server is not None and self.server.loop.alive:
            self.server.deliver(DiskLow(text))

    def _start(self) -> None:
        """A new process on the same disk; now and then one that may only read."""
        read_only = bool(self.disk.rows) and not self.is_calm and self.rng.random() < 0.03
        self.trace(f"a server starts{', for reading only' if read_only else ''}")
        self.happened["read only"] += read_only
        self.disk.read_only = read_only
        self.server = Process(self, self.real_models, read_only=read_only, **self.options)
        self.servers.append(self.server)

    def _end(self, kill: bool) -> None:
        """The server is killed, or told to stop."""
        server = self.server
        if server is not None and server.loop.alive and server.stopped_at is None:
            self.happened["killed" if kill else "stopped"] += 1
            if kill:
                server.kill()
            else:
                server.stop()

    def ended_process(self) -> None:
        """A server's process has ended: another one starts, until the end of the schedule."""
        if not self.over:
            self.clock.after(self.rng.random() * 5, self._start)
