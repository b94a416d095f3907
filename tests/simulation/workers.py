"""Workers that compute in no time, answer when the weather says so, and die: behind the real `Pool`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from fechner.server.engine.effects import Compute
from fechner.server.engine.events import Emitted
from fechner.server.shell.execution import Stopped
from fechner.server.shell.pool import Pool

if TYPE_CHECKING:
    from .clock import Handle
    from .server import Process

#: A pipe's delay, a worker's start, and how soon a computation notices that it is cancelled (seconds).
PIPE, START, NOTICE = 0.0002, 1.0, 0.005


class Worker:
    """What `Pool` uses of a worker process."""

    def __init__(self, pool: SimulatedPool) -> None:
        self.pool = pool
        self.server = pool.server
        self.task: Compute | None = None
        self.priority = 0
        self.preempted = False
        self.process = SimpleNamespace(poll=lambda: self.died, pid=pool.next_pid(), wait=lambda: None)
        self.died: int | None = None
        self._ready = self.server.loop.time() + self.server.weather.lasts(START)
        self._plan: list[Handle] = []
        self._finishes = 0.0

    def give(self, task: Compute, priority: int) -> None:
        """Begin a task."""
        self.task, self.priority, self.preempted = task, priority, False
        server, weather = self.server, self.server.weather
        begins = max(server.loop.time(), self._ready) + PIPE
        takes = weather.lasts(weather.compute)
        self._finishes = begins + takes
        if weather.happens(weather.worker_dies):
            self._plan = [server.loop.call_at(self._finishes, self._die, task)]
            return
        emitted: list[Emitted] = []
        result = server.compute(task, takes, emitted.append)
        self._plan = [
            server.loop.call_at(begins + takes * (i + 1) / (len(emitted) + 1), self.pool._take_tier, event)
            for i, event in enumerate(emitted)
        ]
        self._plan.append(server.loop.call_at(self._finishes, self._finish, task, result))

    def cancel(self) -> None:
        """Give the running task up, unless its result is on the way."""
        task, loop = self.task, self.server.loop
        notices = max(loop.time(), self._ready) + self.server.weather.lasts(NOTICE)
        if task is None or notices >= self._finishes:
            return
        for planned in self._plan:
            planned.cancel()
        self._finishes = notices
        self._plan = [loop.call_at(notices, self._finish, task, Stopped(task.task))]

    def end(self) -> None:
        """End the process at once."""
        for planned in self._plan:
            planned.cancel()
        self.died = -9

    def _finish(self, task: Compute, result: Any) -> None:
        self.pool._take_result(self, task, result)  # type: ignore[arg-type]
        if self.server.weather.happens(self.server.weather.idle_worker_dies):
            self.died = -11

    def _die(self, task: Compute) -> None:
        self.server.trace(f"a worker dies at task {task.task}")
        self.server.happened["worker died"] += 1
        self.died = -9
        self.pool._take_result(self, task, None)  # type: ignore[arg-type]


class SimulatedPool(Pool):
    """The real queue, with simulated workers."""

    def __init__(self, server: Process, workers: int) -> None:
        self.server = server
        self._pid = 0
        super().__init__(workers, server.post, server.deliver, server.log)

    def next_pid(self) -> int:
        self._pid += 1
        return self._pid

    def _new_worker(self) -> Any:
        return Worker(self)

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is computed, and nothing is remembered of what was."""
        return not (self._heap or self._abandoned or self._deaths or any(one.task for one in self._workers))
