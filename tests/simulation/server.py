"""One run of a server, from its start to its end: the engine, and what `Loop` does around it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fechner.server.engine.effects import Compute, Effect, Pause, Wake
from fechner.server.engine.engine import Engine
from fechner.server.engine.events import Emitted, Event, Now, Stop, Woken
from fechner.server.engine.options import EngineOptions
from fechner.server.observing.logs import Log
from fechner.server.shell.driver import Driver
from fechner.server.shell.inline import Inline
from fechner.server.shell.ports import Peer

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


class Peers(dict[int, Peer]):
    """The clients' connections by their numbers."""

    def forget(self, number: int) -> None:
        """It is gone."""
        self.pop(number, None)


class CountingDriver(Driver):
    """The real one; what it carries out is counted."""

    def __init__(self, server: Process) -> None:
        super().__init__(server.engine, server.now, server)
        self._happened = server.happened

    def carry_out(self, effects: Sequence[Effect]) -> None:
        """Count effects, and carry them out."""
        for effect in effects:
            self._happened[type(effect).__name__] += 1
            if isinstance(effect, Pause):
                self._happened["held back"] += effect.paused
        super().carry_out(effects)


class SimulatedInline(Inline):
    """Computing takes time in which the server hears nothing."""

    def __init__(self, server: Process) -> None:
        super().__init__(server.loop.call_soon, server.deliver)
        self._server = server

    def _compute(self, task: Compute) -> None:
        server, rng = self._server, self._server.weather.rng
        takes = server.weather.lasts(min(server.weather.compute, 2.0))
        emitted: list[Emitted] = []
        result = server.compute(task, takes, emitted.append)
        over = server.clock.now + takes
        if task.due is not None and over >= task.due:  # cut short; the alarm answers
            over = max(server.clock.now, task.due)
            server.happened["cut short"] += 1
            emitted = emitted[: rng.randrange(len(emitted) + 1)]
            server.loop.call_at(over, server.deliver, *emitted)
        else:
            server.loop.call_at(over, server.deliver, *emitted, result)
        server.loop.busy_until = over


class Process:
    """A server process: what it has in memory is lost with it."""

    def __init__(self, world: World, real_models: bool = False, **options: Any) -> None:
        self.world, self.clock, self.weather, self.limits = world, world.clock, world.weather, world.limits
        self.trace, self.happened = world.trace, world.happened
        self.loop = Loop(self.clock)
        asyncio._set_running_loop(self.loop)  # type: ignore[arg-type]
        entropy = random.Random(self.weather.rng.getrandbits(64)).randbytes
        self.engine = Engine(entropy, "simulated.db", EngineOptions(limits=self.limits, **options))
        self.peers = Peers()
        self.wires: dict[int, Wire | Mail] = {}
        self.alarms: dict[int, Any] = {}
        self.real_models = real_models
        self.stopped_at: float | None = None
        self.halted = False
        self.faults: list[str] = []
        self._driver = CountingDriver(self)
        self.turns = SimulatedTurns(self)
        self.store = SlowWriter(self, world.disk)
        self.timers = self
        self.executor = SimulatedPool(self, world.workers) if world.workers else SimulatedInline(self)

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

    def now(self) -> Now:
        return Now(self.clock.now, NOON + timedelta(seconds=self.clock.now))

    def deliver(self, *events: Event) -> None:
        self._driver.deliver(*events)

    def compute(self, task: Compute, seconds: float, emit: Callable[[Emitted], None]) -> stand_in.Result:
        """The result of a computation that takes so long."""
        if self.weather.happens(self.weather.computation_fails):
            self.happened["computation failed"] += 1
            return stand_in.failed(task)
        return stand_in.compute(task, seconds, emit, self.real_models)

    # Its ports

    def set(self, wake: Wake) -> None:
        self.alarms[wake.token] = self.loop.call_at(wake.seconds, self.deliver, Woken(wake.token))

    def silence(self, token: int) -> None:
        self.alarms.pop(token).cancel()

    def fail(self, effect: Effect, error: Exception) -> None:
        raise error

    def halt(self) -> None:
        self.trace("the server halts")
        self.halted = True
        self.executor.close()
        self._farewell(self.clock.now + FAREWELL)

    def _farewell(self, until: float) -> None:
        """The writer carries out what waits, the last replies leave; then the process ends."""
        if self.store.idle and self.clock.now >= until:
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
