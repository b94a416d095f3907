"""Where computations run: here, or in workers that may die; the results are the same."""

from __future__ import annotations

import os
import queue
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fechner.server.engine.effects import Compute
from fechner.server.engine.events import Computed, ComputeFailed, Emitted
from fechner.server.observing.counters import Counters
from fechner.server.session.handlers.results import Priority
from fechner.server.shell.execution import run
from fechner.server.shell.pool import MOST_DEATHS, Pool
from fechner.strategies.config import check
from fechner.strategies.core import state as core
from fechner.strategies.core.strategy import finish

Started = Callable[..., "Driven"]


class Driven:
    """A pool whose thread is the test's own."""

    def __init__(self, workers: int) -> None:
        self.posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.results: list[Any] = []
        self.log: list[str] = []
        self.counters = Counters()
        self.pool = Pool(
            workers,
            self.posted.put,
            self.results.append,
            lambda line: self.log.append(line.text),
            self.counters,
        )

    def kill_a_worker(self) -> None:
        os.kill(self.pool.pids[0], signal.SIGKILL)

    def step(self) -> None:
        """Let the next thing happen."""
        self.posted.get(timeout=60)()

    def wait_for(self, n: int) -> list[Any]:
        while len(self.results) < n:
            self.step()
        return self.results


@pytest.fixture
def start() -> Iterator[Started]:
    """Starts pools and ends them after the test."""
    started: list[Driven] = []

    def start(workers: int = 1) -> Driven:
        started.append(Driven(workers))
        return started[-1]

    yield start
    for driven in started:
        processes = [worker.process for worker in driven.pool._workers]
        driven.pool.close()
        assert all(process.returncode is not None for process in processes)


@pytest.fixture
def task(space_filling: str) -> Callable[..., Compute]:
    """Makes tasks that take no time."""
    state = core.initial(check(space_filling), 1)

    def task(number: int, priority: Priority = Priority.REAL, n: int = 1) -> Compute:
        return Compute(number, priority, "propose", (state, n, {}))

    return task


@pytest.fixture
def fit(with_model: str) -> Compute:
    """A task with a fit."""
    x = np.linspace(0, 1, 12)
    state = core.tell(
        core.initial(check(with_model), 3), x.reshape(-1, 1, 1), (x > 0.4).astype(float)[:, None]
    )
    return Compute(1, Priority.REAL, "propose", (finish(state), 1, {}))


def test_a_worker_gives_the_same_result_as_this_process(start: Started, fit: Compute) -> None:
    """To the last bit, also when its worker dies and the task runs again."""
    driven = start()
    driven.pool.submit(fit)
    driven.kill_a_worker()
    [result] = driven.wait_for(1)
    here = run(fit)
    assert isinstance(result, Computed)
    assert isinstance(here, Computed)
    assert result.result == here.result
    assert "replaced" in driven.log[1]
    assert (driven.counters.worker_starts, driven.counters.worker_deaths) == (2, 1)
    assert driven.counters.queued["request"].n == 2


def test_a_worker_tells_lower_tiers_as_they_come(start: Started, fit: Compute) -> None:
    """Before the result, as here; those of a task given up are not delivered."""
    driven, task = start(), replace(fit, tiers=True)
    driven.pool.submit(task)
    *lower, result = driven.wait_for(3)
    here: list[Emitted] = []
    alone = run(task, emit=here.append)
    assert isinstance(result, Computed)
    assert isinstance(alone, Computed)
    assert result.result == alone.result
    assert lower == here
    driven.pool.submit(replace(task, task=2))
    driven.pool.abandon(2)
    driven.pool.submit(replace(fit, task=3))
    assert [one.task for one in driven.wait_for(4)[3:]] == [3]


def test_a_task_that_kills_its_workers_is_an_error(start: Started, task: Callable[..., Compute]) -> None:
    """After three deaths; the pool goes on with what waits."""
    driven = start()
    driven.pool.submit(task(1))
    driven.pool.submit(task(2))
    for _ in range(MOST_DEATHS):
        driven.kill_a_worker()
        driven.step()
    [failed] = driven.results
    assert isinstance(failed, ComputeFailed)
    assert (failed.task, failed.error.code) == (1, "internal")
    assert isinstance(driven.wait_for(2)[1], Computed)


def test_more_urgent_tasks_go_first(start: Started, task: Callable[..., Compute]) -> None:
    """Real before eager before speculative before replay, and in order within each."""
    driven = start()
    order = [
        Priority.REAL,
        Priority.REPLAY,
        Priority.SPECULATIVE,
        Priority.EAGER,
        Priority.REAL,
        Priority.REAL,
    ]
    for number, priority in enumerate(order):
        driven.pool.submit(task(number, priority))
    assert [result.task for result in driven.wait_for(6)] == [0, 4, 5, 3, 2, 1]


def test_an_abandoned_task_is_not_delivered(
    start: Started, task: Callable[..., Compute], fit: Compute
) -> None:
    """Whether it runs or waits; its worker takes the next one."""
    driven = start()
    driven.pool.submit(fit)
    driven.pool.submit(task(2))
    driven.pool.submit(task(3))
    driven.pool.abandon(fit.task)
    driven.pool.abandon(2)
    driven.pool.abandon(99)
    assert [result.task for result in driven.wait_for(1)] == [3]


def test_an_abandoned_task_whose_worker_dies_is_not_run_again(
    start: Started, task: Callable[..., Compute]
) -> None:
    """Nobody wants it."""
    driven = start()
    driven.pool.submit(task(1))
    driven.pool.abandon(1)
    driven.kill_a_worker()
    driven.step()
    driven.pool.submit(task(2))
    assert [result.task for result in driven.wait_for(1)] == [2]


def test_faults_of_a_computation_come_back(task: Callable[..., Compute]) -> None:
    """Those meant for the client as they are; others as internal, with the traceback for the log."""
    good = task(1)
    state = good.arguments[0]
    meant = run(Compute(2, Priority.REAL, "propose", (state, 1, {"q": 1})))
    assert isinstance(meant, ComputeFailed)
    assert (meant.error.code, meant.fault.trace) == ("unknown_parameter", "")
    broken = run(Compute(3, Priority.REAL, "propose", (None, 1, {})))
    assert isinstance(broken, ComputeFailed)
    assert broken.error.code == "internal"
    assert "Traceback" in broken.fault.detail
    assert isinstance(run(good), Computed)
