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
from fechner.server.engine.effects import (
    Abandon,
    Commit,
    Compute,
    Effect,
    Find,
    Load,
    ReadHistory,
    ReadSeedData,
    Send,
    Silence,
    Wake,
)
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
from fechner.server.protocol import jsontext
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.framing import too_long
from fechner.server.protocol.limits import Limits
from fechner.server.session.seed_data import judge_rows
from fechner.server.shell.disk import DiskWatch
from fechner.server.shell.environment import environment
from fechner.server.shell.execution import Abandoned, run
from fechner.server.shell.pool import Pool
from fechner.server.shell.storage import perform
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
        self._seed_data = seed_data
        where = "sqlite://" if db is None else os.fspath(db)
        self._lock = RecordLock(where) if db is not None else None
        self.record = Record.open(where)
        self._disk = DiskWatch(self.record.file)
        self._limits = limits or Limits()
        options = EngineOptions(dialect=dialect, default_config=config, limits=self._limits)
        self._engine = Engine(entropy, str(where), options, environment=environment)
        self._turn = threading.RLock()
        self._replies: dict[int, deque[bytes]] = {}
        self._number = 0
        self._waiting: deque[Event] = deque()
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._computing = 0
        self._alarm: Wake | None = None
        self._pool = (
            Pool(workers, self._posted.put, self._computed, counters=self._engine.counters)
            if workers
            else None
        )

    def connect(self) -> Channel:
        """A new connection."""
        with self._turn:
            self._number += 1
            self._replies[self._number] = deque()
            self._handle(Connected(self._number, False, f"in-process-{self._number}"))
            return Channel(self, self._number)

    def close(self) -> None:
        """Close the record and end the workers."""
        with self._turn:
            if self._pool is not None:
                self._pool.close()
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
            self._handle(event)
            replies = self._replies[number]
            return jsontext.parse_reply(replies.popleft())

    def _handle(self, event: Event) -> None:
        with self._turn:
            self._waiting.append(event)
            while self._waiting or self._computing:
                if not self._waiting:
                    self._wait()
                    continue
                event = self._waiting.popleft()
                now = Now(time.monotonic(), datetime.now(UTC))
                for effect in [*self._engine.handle(event, now), *self._engine.consider()]:
                    self._carry_out(effect)

    def _wait(self) -> None:
        """Until a worker says something, or a deadline has come."""
        left = None if self._alarm is None else max(0.0, self._alarm.seconds - time.monotonic())
        try:
            self._posted.get(timeout=left)()
        except queue.Empty:
            assert self._alarm is not None
            self._waiting.append(Woken(self._alarm.token))
            self._alarm = None

    def _computed(self, result: Event) -> None:
        if not isinstance(result, Emitted):
            self._computing -= 1
            self._alarm = None
        self._waiting.append(result)

    def _compute(self, task: Compute) -> None:
        """Compute here, as far as the deadline lets it come."""

        def poll() -> None:
            if task.due is not None and time.monotonic() >= task.due:
                raise Abandoned

        alarm, self._alarm = self._alarm, None
        try:
            self._waiting.append(run(task, poll, self._waiting.append))
        except Abandoned:
            assert alarm is not None
            self._waiting.append(Woken(alarm.token))

    def _carry_out(self, effect: Effect) -> None:
        if isinstance(effect, Send):
            self._replies[effect.connection].append(effect.data)
        elif isinstance(effect, ReadSeedData) and self._seed_data is not None:
            found = judge_rows(effect.specification, self._seed_data)
            self._waiting.append(SeedDataRead(effect.token, found))
        elif isinstance(effect, Commit | Load | Find | ReadHistory | ReadSeedData):
            self._waiting.extend(perform(self.record, [effect], self._engine.counters))
            self._waiting.extend(self._disk.look())
        elif isinstance(effect, Compute):
            if self._pool is None:
                self._compute(effect)
            else:
                self._computing += 1
                self._pool.submit(effect)
        elif isinstance(effect, Wake):
            self._alarm = effect
        elif isinstance(effect, Silence):
            if self._alarm is not None and self._alarm.token == effect.token:
                self._alarm = None
        elif isinstance(effect, Abandon) and self._pool is not None:
            self._computing -= 1
            self._pool.abandon(effect.task)
