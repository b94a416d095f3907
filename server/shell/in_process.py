"""In process: the engine driven synchronously, for notebooks and tests; also inside a running event loop."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from fechner.database.keeping.lock import RecordLock
from fechner.database.record import Record
from fechner.server.engine.effects import Compute, Effect, ReadSeedData, Wake
from fechner.server.engine.engine import Engine
from fechner.server.engine.events import (
    Connected,
    Emitted,
    Event,
    Gone,
    Now,
    Received,
    SeedDataRead,
    Unreadable,
    Woken,
)
from fechner.server.engine.options import EngineOptions
from fechner.server.observing.logs import Log
from fechner.server.protocol import jsontext
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.framing import too_long
from fechner.server.protocol.limits import Limits
from fechner.server.session.seed_data import judge_rows
from fechner.server.shell.disk import DiskWatch
from fechner.server.shell.driver import Driver
from fechner.server.shell.environment import environment
from fechner.server.shell.execution import Result
from fechner.server.shell.inline import Inline
from fechner.server.shell.pool import Pool
from fechner.server.shell.storage import StorageEffect, perform
from fechner.strategies.plugins.extensions import allow


class Channel:
    """A connection to a `Server` in this process."""

    def __init__(self, server: Server, number: int) -> None:
        self._server, self._number = server, number

    def request(self, value: dict[str, Any]) -> Any:
        """Send a request and return its reply, both as plain data."""
        return self._server._request(self._number, value)

    def close(self) -> None:
        """Leave; the session can be resumed."""
        self._server._handle(Gone(self._number))


class _Replies:
    """A channel's peer: what it was answered."""

    def __init__(self) -> None:
        self.texts: deque[bytes] = deque()

    def send(self, data: bytes) -> None:
        """Keep a reply until it is asked for."""
        self.texts.append(data)

    def pause(self, paused: bool) -> None:
        """A channel has one request at a time."""

    def trust(self, limits: Limits) -> None:
        """There are no strangers in one's own process."""

    def close(self, linger: float = 0.0) -> None:
        """Its owner closes a channel."""


class _Peers(dict[int, _Replies]):
    def forget(self, number: int) -> None:
        """Whoever closed a channel may still look for a reply, in vain."""


class _Pool(Pool):
    """Workers, and how many of their results are yet to be waited for."""

    awaited = 0

    def submit(self, task: Compute) -> None:
        """Run a task when its turn comes."""
        self.awaited += 1
        super().submit(task)

    def abandon(self, number: int) -> None:
        """Nobody wants the task any more."""
        self.awaited -= 1
        super().abandon(number)


class _Ports:
    """What a server in this process is made of, around its engine.

    Args:
        record: open.
        seed_data: what it stands for, if it is given.
        engine: whose effects these are.
    """

    def __init__(self, record: Record, seed_data: Sequence[Mapping[str, Any]] | None, engine: Engine) -> None:
        self._record, self._seed_data, self._counters = record, seed_data, engine.counters
        self._disk = DiskWatch(record.file)
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._alarm: Wake | None = None
        self.driver = Driver(engine, lambda: Now(time.monotonic(), datetime.now(UTC)), self)
        self.peers, self.store, self.timers = _Peers(), self, self
        self.executor: Inline | _Pool = Inline(lambda call, task: call(task), self._finish, self._give_up)

    def employ(self, workers: int) -> None:
        """Compute in so many processes."""
        self.executor = _Pool(workers, self._posted.put, self._finish, counters=self._counters)

    def put(self, effect: StorageEffect) -> None:
        """Carry a storage effect out."""
        if isinstance(effect, ReadSeedData) and self._seed_data is not None:
            found = judge_rows(effect.specification, self._seed_data)
            self.driver.deliver(SeedDataRead(effect.token, found))
            return
        self.driver.deliver(*perform(self._record, [effect], self._counters), *self._disk.look())

    def set(self, wake: Wake) -> None:
        """The one deadline of the one request."""
        self._alarm = wake

    def silence(self, token: int) -> None:
        """It was met."""
        if self._alarm is not None and self._alarm.token == token:
            self._alarm = None

    def log(self, line: Log) -> None:
        """A notebook has no log."""

    def halt(self) -> None:
        """Nobody stops this engine but by closing the server."""

    def fail(self, effect: Effect, error: Exception) -> None:
        """A fault is the caller's."""
        raise error

    def wait(self) -> None:
        """Until nobody is to be waited for: workers say something, or a deadline has come."""
        while isinstance(self.executor, _Pool) and self.executor.awaited:
            left = None if self._alarm is None else max(0.0, self._alarm.seconds - time.monotonic())
            try:
                self._posted.get(timeout=left)()
            except queue.Empty:
                self._ring()

    def _finish(self, result: Result | Emitted) -> None:
        """A computation has come so far, or to its end."""
        if isinstance(self.executor, _Pool) and not isinstance(result, Emitted):
            self.executor.awaited -= 1
        self.driver.deliver(result)

    def _give_up(self, task: Compute) -> None:
        self._ring()

    def _ring(self) -> None:
        alarm, self._alarm = self._alarm, None
        assert alarm is not None
        self.driver.deliver(Woken(alarm.token))


class Server:
    """A whole server in this process: the same engine, record and strategies, without sockets.

    Args:
        db: the record's file or URL; None keeps it in memory.
        workers: 0 computes here; more start worker processes.
        dialect: `auto`, or the dialect that every channel speaks.
        limits: of the server.
        entropy: random bytes (ids and seeds that nobody names).
        seed_data: outcomes known beforehand, `[{"config": {…}, "outcome": …}, …]`: they stand for what the
            record has for stages with `seed_data_conditions`.
        allow_extensions: a folder whose files configurations may name under `extensions`, in this process.
    """

    def __init__(
        self,
        db: str | os.PathLike[str] | None = None,
        *,
        workers: int = 0,
        dialect: str = "auto",
        limits: Limits | None = None,
        config: str | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
        seed_data: Sequence[Mapping[str, Any]] | None = None,
        allow_extensions: str | os.PathLike[str] | None = None,
    ) -> None:
        if allow_extensions is not None:
            allow(allow_extensions)
        where = "sqlite://" if db is None else os.fspath(db)
        self._lock = RecordLock(where) if db is not None else None
        self.record = Record.open(where)
        self._limits = limits or Limits()
        options = EngineOptions(dialect=dialect, default_config=config, limits=self._limits)
        self._engine = Engine(entropy, str(where), options, environment=environment)
        self._turn = threading.RLock()
        self._number = 0
        self._ports = _Ports(self.record, seed_data, self._engine)
        if workers:
            self._ports.employ(workers)

    def connect(self) -> Channel:
        """A new connection."""
        with self._turn:
            self._number += 1
            self._ports.peers[self._number] = _Replies()
            self._handle(Connected(self._number, False, f"in-process-{self._number}"))
            return Channel(self, self._number)

    def close(self) -> None:
        """Close the record and end the workers."""
        with self._turn:
            self._ports.executor.close()
            self.record.close()
            if self._lock is not None:
                self._lock.release()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _request(self, number: int, value: dict[str, Any]) -> Any:
        event: Event
        try:
            text = jsontext.dumps_strict(value, self._limits)
            if len(text.encode()) > self._limits.message_bytes:
                raise too_long(self._limits)
            event = Received(number, jsontext.parse(text, self._limits))
        except FechnerError as error:
            event = Unreadable(number, error)
        with self._turn:
            replies = self._ports.peers[number].texts
            self._handle(event)
            return jsontext.parse_reply(replies.popleft())

    def _handle(self, event: Event) -> None:
        with self._turn:
            self._ports.driver.deliver(event)
            self._ports.wait()
