"""Worker processes behind one priority queue.

A worker is a process of its own (`python -m fechner.server.shell.worker`) that is given one task at a time
over its standard input and ends when that closes, so it never outlives its parent. A worker that dies is
replaced and its task runs again; the functions are pure, so that changes nothing.
"""

from __future__ import annotations

import heapq
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fechner.server.engine.effects import Compute
from fechner.server.engine.events import ComputeFailed, Emitted
from fechner.server.observing.counters import Counters
from fechner.server.observing.faults import Fault
from fechner.server.observing.logs import Log
from fechner.server.protocol.errors import FechnerError
from fechner.server.session.handlers.results import Priority
from fechner.server.shell.execution import Result, Stopped, receive, send
from fechner.server.shell.ports import Workload
from fechner.strategies.numerics.threads import ENVIRONMENT

#: Deaths of its worker after which a task is answered with an error.
MOST_DEATHS = 3

#: What computations are for, by priority.
SOURCES = {
    Priority.REAL: "request",
    Priority.EAGER: "eager",
    Priority.SPECULATIVE: "speculative",
    Priority.REPLAY: "replay",
}


class _Worker:
    """One worker process and the thread that waits for its answers."""

    def __init__(
        self,
        take_result: Callable[[_Worker, Compute, Result | Stopped | None], None],
        take_tier: Callable[[Emitted], None],
    ) -> None:
        self._take_result, self._take_tier = take_result, take_tier
        self._tasks: queue.SimpleQueue[Compute | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self.task: Compute | None = None
        self.priority: int = Priority.REAL
        self.preempted = False
        environment = {**os.environ, **ENVIRONMENT}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fechner.server.shell.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # an interrupt at the terminal is the server's to handle
        )
        threading.Thread(target=self._run, name=f"fechner-worker-{self.process.pid}", daemon=True).start()

    def give(self, task: Compute, priority: int) -> None:
        """Begin a task."""
        self.task, self.priority, self.preempted = task, priority, False
        self._tasks.put(task)

    def cancel(self) -> None:
        """Give the running task up."""
        self._write(("cancel", None if self.task is None else self.task.task))

    def end(self) -> None:
        """End the process at once."""
        self._tasks.put(None)
        self.process.kill()

    def _write(self, value: Any) -> None:
        assert self.process.stdin is not None
        try:
            with self._lock:
                send(self.process.stdin, value)
        except (OSError, ValueError):
            pass  # it died; the reading side notices

    def _run(self) -> None:
        stdout = self.process.stdout
        assert stdout is not None
        while True:
            task = self._tasks.get()
            if task is None:
                break
            try:
                self._write(("task", task))
                while isinstance(result := receive(stdout), Emitted):
                    self._take_tier(result)
            except Exception:  # it died, or says what nobody understands
                self._take_result(self, task, None)
                break
            self._take_result(self, task, result)
        self.process.kill()
        self.process.wait()
        stdout.close()


def _by_source(priorities: Sequence[int]) -> dict[str, int]:
    return {SOURCES[Priority(one)]: priorities.count(one) for one in sorted(set(priorities))}


@dataclass(order=True)
class _Waiting:
    priority: int
    order: int
    task: Compute = field(compare=False)
    since: float = field(compare=False, default_factory=time.monotonic)


class Pool:
    """An executor: workers behind one queue, a heap by priority.

    Everything but `post`'s callers runs in one thread.

    Args:
        workers: how many processes.
        post: runs a callable in the thread that owns the pool.
        deliver: takes each result, and those of lower tiers before it.
        log: takes a line for the log.
        counters: of the server.
    """

    def __init__(
        self,
        workers: int,
        post: Callable[[Callable[[], None]], None],
        deliver: Callable[[Result | Emitted], None],
        log: Callable[[Log], None] = lambda line: None,
        counters: Counters | None = None,
    ) -> None:
        self._post, self._deliver, self._log = post, deliver, log
        self._counters = counters or Counters()
        self._heap: list[_Waiting] = []
        self._order = 0
        self._deaths: dict[int, int] = {}
        self._abandoned: set[int] = set()
        self._ended = False
        self._workers = [self._new_worker() for _ in range(workers)]

    def _new_worker(self) -> _Worker:
        worker = _Worker(self._take_result, self._take_tier)
        self._counters.worker_starts += 1
        self._log(Log("info", f"worker started (process {worker.process.pid})"))
        return worker

    @property
    def pids(self) -> list[int]:
        """The workers' process ids."""
        return [worker.process.pid for worker in self._workers]

    @property
    def load(self) -> Workload:
        """Computations in workers, and those that wait for one."""
        running = [worker.priority for worker in self._workers if worker.task is not None]
        waiting = [waiting.priority for waiting in self._heap]
        return Workload(len(self._workers), len(running), _by_source(running), _by_source(waiting))

    def submit(self, task: Compute) -> None:
        """Run a task when its turn comes."""
        self._order += 1
        heapq.heappush(self._heap, _Waiting(task.priority, self._order, task))
        self._assign()

    def abandon(self, number: int) -> None:
        """Nobody wants the task any more: take it from the queue, or tell its worker to stop."""
        kept = [waiting for waiting in self._heap if waiting.task.task != number]
        if len(kept) < len(self._heap):
            self._deaths.pop(number, None)
        self._heap = kept
        heapq.heapify(self._heap)
        for worker in self._workers:
            if worker.task is not None and worker.task.task == number:
                self._abandoned.add(number)
                worker.cancel()

    def promote(self, number: int, priority: int) -> None:
        """Give a task in work, or waiting, another priority."""
        for worker in self._workers:
            if worker.task is not None and worker.task.task == number:
                worker.priority = priority
        for waiting in self._heap:
            if waiting.task.task == number:
                waiting.priority = priority
        heapq.heapify(self._heap)
        self._assign()

    def close(self) -> None:
        """End all workers at once."""
        self._ended = True
        for worker in self._workers:
            worker.end()
        for worker in self._workers:
            worker.process.wait()

    def _assign(self) -> None:
        for i, worker in enumerate(self._workers):
            if worker.task is not None or not self._heap:
                continue
            if worker.process.poll() is not None:  # it died while it had nothing to do
                self._counters.worker_deaths += 1
                self._log(Log("warning", f"an idle worker died (process {worker.process.pid}); replaced"))
                worker.end()
                self._workers[i] = self._new_worker()
            first = heapq.heappop(self._heap)
            self._counters.count_wait(SOURCES[Priority(first.priority)], time.monotonic() - first.since)
            self._workers[i].give(first.task, first.priority)
        self._preempt()

    def _preempt(self) -> None:
        """Stop what nobody waits for where a real request waits; it goes on later, from its beginning."""
        real = sum(waiting.priority == Priority.REAL for waiting in self._heap)
        real -= sum(worker.preempted for worker in self._workers)
        least = sorted(self._workers, key=lambda worker: -worker.priority)
        for worker in least[: max(real, 0)]:
            if worker.task is not None and worker.priority > Priority.REAL and not worker.preempted:
                worker.preempted = True
                worker.cancel()

    def _take_result(self, worker: _Worker, task: Compute, result: Result | Stopped | None) -> None:
        """In a worker's thread: its task is done, or (None) it died."""
        if self._ended:
            return  # and so may be the loop that `post` posts to
        self._post(lambda: self._settle(worker, task, result))

    def _take_tier(self, event: Emitted) -> None:
        """In a worker's thread: its task has come so far."""
        if not self._ended:
            self._post(lambda: None if event.task in self._abandoned else self._deliver(event))

    def _settle(self, worker: _Worker, task: Compute, result: Result | Stopped | None) -> None:
        if self._ended:
            return
        priority = worker.priority
        worker.task, worker.preempted = None, False
        wanted = task.task not in self._abandoned
        self._abandoned.discard(task.task)
        if result is None:
            self._counters.worker_deaths += 1
            deaths = self._deaths[task.task] = self._deaths.get(task.task, 0) + 1
            died = (
                f"a worker died (process {worker.process.pid}) at task {task.task}, {task.function}; replaced"
            )
            self._log(Log("warning", died))
            self._workers[self._workers.index(worker)] = self._new_worker()
            if wanted and deaths < MOST_DEATHS:
                self._order += 1
                heapq.heappush(self._heap, _Waiting(priority, 0, task))
                wanted = False
            else:
                text = f"{deaths} workers died at {task.function}"
                result = ComputeFailed(task.task, FechnerError("internal", text), Fault(text))
        elif isinstance(result, Stopped):
            if wanted:  # for another one's sake
                self._order += 1
                heapq.heappush(self._heap, _Waiting(priority, self._order, task))
            result = None
        if not any(waiting.task is task for waiting in self._heap):
            self._deaths.pop(task.task, None)
        if wanted and result is not None:
            self._deliver(result)
        self._assign()
