"""What a driver carries effects out on: peers, a store, an executor, timers, a log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fechner.server.engine.effects import Compute, Effect, Wake
from fechner.server.observing.logs import Log
from fechner.server.protocol.limits import Limits
from fechner.server.shell.storage import StorageEffect


class Peer(Protocol):
    """A client's connection, of any transport."""

    def send(self, data: bytes) -> None:
        """Send a reply."""
        ...

    def pause(self, paused: bool) -> None:
        """Deliver nothing more, or go on."""
        ...

    def trust(self, limits: Limits) -> None:
        """It has shown a token: these are its limits."""
        ...

    def close(self, linger: float = ...) -> None:
        """Close once everything sent has left, or the seconds of `linger` are over."""
        ...


class Peers(Protocol):
    """The clients' connections by their numbers."""

    def get(self, number: int) -> Peer | None:
        """One of them, unless it is gone."""
        ...

    def forget(self, number: int) -> None:
        """It is gone."""
        ...


class Store(Protocol):
    """Whatever has the record open."""

    def put(self, effect: StorageEffect) -> None:
        """Carry an effect out; what comes of it is delivered as an event."""
        ...


@dataclass(frozen=True, slots=True)
class Workload:
    """What an executor has to do.

    Attributes:
        workers: processes that compute.
        busy: those that do so now.
        running, waiting: computations in workers, and before them, by what they are for.
    """

    workers: int = 0
    busy: int = 0
    running: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)


class Executor(Protocol):
    """Whatever computes; each result, and those of lower tiers before it, is delivered as an event."""

    @property
    def load(self) -> Workload:
        """What it has to do now."""
        ...

    def submit(self, task: Compute) -> None:
        """Run a task when its turn comes."""
        ...

    def promote(self, number: int, priority: int) -> None:
        """Give a task in work, or waiting, another priority."""
        ...

    def abandon(self, number: int) -> None:
        """Nobody wants the task any more."""
        ...

    def close(self) -> None:
        """Leave everything."""
        ...


class Timers(Protocol):
    """Whatever tells that a time has come."""

    def set(self, wake: Wake) -> None:
        """Deliver `Woken` at that time."""
        ...

    def silence(self, token: int) -> None:
        """Nobody waits for that any more; its time may have come already."""
        ...


class Ports(Protocol):
    """Everything around an engine."""

    @property
    def peers(self) -> Peers: ...

    @property
    def store(self) -> Store: ...

    @property
    def executor(self) -> Executor: ...

    @property
    def timers(self) -> Timers: ...

    def log(self, line: Log) -> None:
        """Write a line to the log."""
        ...

    def halt(self) -> None:
        """Everything is answered and on record."""
        ...

    def fail(self, effect: Effect, error: Exception) -> None:
        """An effect could not be carried out: raise, or see to it that nobody waits for it."""
        ...
