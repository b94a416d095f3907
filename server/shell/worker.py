"""A worker process: runs one task at a time from standard input, and ends when that closes."""

from __future__ import annotations

import os
import queue
import sys
import threading
from functools import partial
from typing import IO

from fechner.server.engine.effects import Compute
from fechner.server.observing.faults import fault
from fechner.server.shell.execution import Abandoned, Result, Stopped, receive, run, send
from fechner.strategies.numerics.threads import fix


def _read(stream: IO[bytes], tasks: queue.SimpleQueue[Compute], cancelled: set[int]) -> None:
    """Collect tasks and cancellations; the parent's end is ours."""
    while True:
        try:
            kind, value = receive(stream)
        except (EOFError, OSError):
            os._exit(0)
        if kind == "cancel":
            cancelled.add(value)
        else:
            tasks.put(value)


def main() -> None:
    """Serve until the parent is gone."""
    fix()
    stdin = os.fdopen(os.dup(0), "rb")
    stdout = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not reach the pipe
    tasks: queue.SimpleQueue[Compute] = queue.SimpleQueue()
    cancelled: set[int] = set()
    threading.Thread(target=_read, args=(stdin, tasks, cancelled), daemon=True).start()
    import fechner.strategies.core.computed
    import fechner.strategies.queries.answers  # noqa: F401
    from fechner.strategies.plugins.resolve import load

    load()
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    # From here on an exception may quote a task; before, its text tells what is not installed well.
    sys.excepthook = lambda kind, error, trace: print(fault(error).trace, file=sys.stderr)
    while True:
        task = tasks.get()
        cancelled.intersection_update((task.task,))  # others were over before they could be cancelled

        def poll(number: int = task.task) -> None:
            if number in cancelled:
                raise Abandoned

        result: Result | Stopped
        try:
            tell = partial(send, stdout)
            result = run(task, poll, tell) if task.task not in cancelled else Stopped(task.task)
        except Abandoned:
            result = Stopped(task.task)
        if task.task in cancelled:
            result = Stopped(task.task)
        cancelled.discard(task.task)
        send(stdout, result)


if __name__ == "__main__":
    main()
