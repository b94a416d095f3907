"""One run of a server, from its start to its end: the engine, and what `Loop` does around it."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fechner.server.engine.effects import (
    Abandon,
    Close,
    Commit,
    Compute,
    Effect,
    Find,
    Halt,
    Load,
    Pause,
    Promote,
    ReadHistory,
    ReadSeedData,
    Send,
    Silence,
    Wake,
)
from fechner.server.engine.engine import Engine
from fechner.server.engine.events import Emitted, Event, Gone, Now, Stop, Woken
from fechner.server.engine.options import EngineOptions
from fechner.server.observing.logs import Log

from . import stand_in
from .clock import Loop
from .disk import SlowWriter
from .mail import Mail
from .network import Wire
from .turns import SimulatedTurns
from .workers import SimulatedPool

if TYPE_CHECKING:
    from .world import World

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)

#: How long a stopping server lets its last replies leave (seconds).
FAREWELL = 0.5


class Process:
    """A server process: what it has in memory is lost with it."""

    def __init__(self, world: World, real_models: bool = False, **options: Any) -> None:
        self.world, self.clock, self.weather, self.limits = world, world.clock, world.weather, world.limits
        self.trace, self.happened = world.trace, world.happened
        self.loop = Loop(self.clock)
        asyncio._set_running_loop(self.loop)  # type: ignore[arg-type]
        entropy = random.Random(self.weather.rng.getrandbits(64)).randbytes
        self.engine = Engine(entropy, "simulated.db", EngineOptions(limits=self.limits, **options))
        self.peers: dict[int, Any] = {}
        self.wires: dict[int, Wire | Mail] = {}
        self.alarms: dict[int, Any] = {}
        self.real_models = real_models
        self.stopped_at: float | None = None
        self.halted = False
        self.faults: list[str] = []
        self._events: deque[Event] = deque()
        self._handling = False
        self.turns = SimulatedTurns(self)
        self.writer = SlowWriter(self, world.disk)
        self.pool = SimulatedPool(self, world.workers) if world.workers else None

    # Its end

    def stop(self) -> None:
        """SIGTERM."""
        if self.loop.alive and not self.halted and self.stopped_at is None:
            self.trace("the server is told to stop")
            self.stopped_at = self.clock.now
            self.loop.call_soon(self.deliver, Stop())

    def kill(self) -> None:
        """kill -9, or the end of a process that has halted."""
        if self.loop.alive:
            self.trace("the server is dead")
            self.loop.alive = False
            for wire in self.wires.values():
                wire.cut_off()
            self.world.ended_process()

    # As in `Loop`

    def post(self, call: Callable[[], None]) -> None:
        self.loop.call_soon(call)

    def deliver(self, *events: Event) -> None:
        self._events.extend(events)
        if self._handling:
            return
        self._handling = True
        try:
            while self._events:
                event = self._events.popleft()
                now = Now(self.clock.now, NOON + timedelta(seconds=self.clock.now))
                for effect in self.engine.handle(event, now):
                    self._carry_out(effect)
                for effect in self.engine.consider():
                    self._carry_out(effect)
                if isinstance(event, Gone):
                    self.peers.pop(event.connection, None)
        finally:
            self._handling = False

    def compute(self, task: Compute, seconds: float, emit: Callable[[Emitted], None]) -> stand_in.Result:
        """The result of a computation that takes so long."""
        if self.weather.happens(self.weather.computation_fails):
            self.happened["computation failed"] += 1
            return stand_in.failed(task)
        return stand_in.compute(task, seconds, emit, self.real_models)

    def _compute_inline(self, task: Compute) -> None:
        takes = self.weather.lasts(min(self.weather.compute, 2.0))
        emitted: list[Emitted] = []
        result = self.compute(task, takes, emitted.append)
        over = self.clock.now + takes
        if task.due is not None and over >= task.due:  # cut short; the alarm answers
            over = max(self.clock.now, task.due)
            self.happened["cut short"] += 1
            emitted = emitted[: self.weather.rng.randrange(len(emitted) + 1)]
            self.loop.call_at(over, self.deliver, *emitted)
        else:
            self.loop.call_at(over, self.deliver, *emitted, result)
        self.loop.busy_until = over

    def _carry_out(self, effect: Effect) -> None:
        self.happened[type(effect).__name__] += 1
        match effect:
            case Send(connection, data):
                peer = self.peers.get(connection)
                if isinstance(peer, Mail):
                    peer.write(data)
                elif peer is not None:
                    peer.send(data)
            case Commit() | Load() | Find() | ReadHistory() | ReadSeedData():
                self.writer.put(effect)
            case Compute():
                if self.pool is None:
                    self.loop.call_soon(self._compute_inline, effect)
                else:
                    self.pool.submit(effect)
            case Promote(task, priority):
                if self.pool is not None:
                    self.pool.promote(task, priority)
            case Abandon(task):
                if self.pool is not None:
                    self.pool.abandon(task)
            case Wake(token, seconds):
                self.alarms[token] = self.loop.call_at(seconds, self.deliver, Woken(token))
            case Silence(token):
                self.alarms.pop(token).cancel()
            case Pause(connection, paused):
                self.happened["held back"] += paused
                peer = self.peers.get(connection)
                if peer is not None:
                    peer.pause(paused)
            case Close(connection):
                peer = self.peers.get(connection)
                if isinstance(peer, Mail):
                    peer.close_peer()
                elif peer is not None:
                    peer.close()
            case Log():
                self.log(effect)
            case Halt():
                self.trace("the server halts")
                self.halted = True
                if self.pool is not None:
                    self.pool.close()
                self._farewell(self.clock.now + FAREWELL)

    def _farewell(self, until: float) -> None:
        """The writer carries out what waits, the last replies leave; then the process ends."""
        if self.writer.idle and self.clock.now >= until:
            self.kill()
        else:
            self.loop.call_later(0.05, self._farewell, until)

    def log(self, line: Log) -> None:
        self.trace(f"log {line.level}: {line.text}")
        self.world.logged.append(line.text)
        for what in ("goes on with a session", "none was taken up", "without attaching", "unsettled"):
            self.happened[what] += what in line.text
        if line.fault is not None and "\n" in line.fault.trace:  # an exception's frames
            self.faults.append(f"{line.text}\n{line.fault.detail or line.fault.trace}")
