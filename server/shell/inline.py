"""Computing in the thread that drives the engine, where there are no workers."""

from __future__ import annotations

import time
from collections.abc import Callable

from fechner.server.engine.effects import Compute
from fechner.server.engine.events import Emitted
from fechner.server.shell.execution import Abandoned, Result, run
from fechner.server.shell.ports import Workload


class Inline:
    """An executor without workers: nothing else is done while it computes.

    Args:
        later: runs a callable with its argument, when the effects before it are carried out or at once.
        deliver: takes each result, and those of lower tiers before it.
        give_up: told of a task that came to nothing by the time when it was due.
    """

    def __init__(
        self,
        later: Callable[[Callable[[Compute], None], Compute], object],
        deliver: Callable[[Result | Emitted], None],
        give_up: Callable[[Compute], None] = lambda task: None,
    ) -> None:
        self._later, self._deliver, self._give_up = later, deliver, give_up
        self._interrupted = False

    @property
    def load(self) -> Workload:
        """Nothing that anybody could see: while it computes nobody looks."""
        return Workload()

    def submit(self, task: Compute) -> None:
        """Compute, as far as the deadline lets it come."""
        self._later(self._compute, task)

    def promote(self, number: int, priority: int) -> None:
        """There is no queue."""

    def abandon(self, number: int) -> None:
        """Nobody can want that while it computes."""

    def interrupt(self) -> None:
        """Give up what is being computed, and whatever comes: the process is to end."""
        self._interrupted = True

    def close(self) -> None:
        """There is nothing to end."""

    def _compute(self, task: Compute) -> None:
        def poll() -> None:
            if self._interrupted or (task.due is not None and time.monotonic() >= task.due):
                raise Abandoned  # whoever waits is answered by the alarm that comes next

        try:
            self._deliver(run(task, poll, self._deliver))
        except Abandoned:
            self._give_up(task)
