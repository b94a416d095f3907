"""How a pure function of the core runs, here or in a worker process, and how the two talk (pool.py)."""

from __future__ import annotations

import pickle
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import IO, Any

from fechner.server.engine.effects import Compute
from fechner.server.engine.events import Computed, ComputeFailed, Emitted
from fechner.server.observing.faults import fault
from fechner.server.protocol.errors import FechnerError

#: The pure functions an executor may run, by name.
FUNCTIONS: dict[str, str] = {
    "propose": "fechner.strategies.core.proposals:propose",
    "query": "fechner.strategies.queries.query:query",
}

Result = Computed | ComputeFailed


def function(name: str) -> Callable[..., Any]:
    """The function that a task names."""
    module, _, attribute = FUNCTIONS[name].partition(":")
    found: Callable[..., Any] = getattr(import_module(module), attribute)
    return found


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a worker answers about a task that it was told to stop."""

    task: int


class Abandoned(BaseException):
    """Raised by a `poll` when nobody wants the result any more; nothing between catches it."""


def run(
    task: Compute,
    poll: Callable[[], None] | None = None,
    emit: Callable[[Emitted], None] = lambda emitted: None,
) -> Result:
    """Run a task here, and catch what it raises (but for what abandons it); `emit` takes lower tiers."""
    started = time.perf_counter()
    try:
        keywords: dict[str, Any] = {} if poll is None else {"poll": poll}
        if task.tiers:
            keywords["emit"] = lambda result: emit(Emitted(task.task, result))
        result = function(task.function)(*task.arguments, **keywords)
    except FechnerError as error:
        return ComputeFailed(task.task, error)
    except Exception as error:
        return ComputeFailed(task.task, FechnerError("internal", "a computation failed"), fault(error))
    return Computed(task.task, result, (time.perf_counter() - started) * 1e3)


def send(stream: IO[bytes], value: Any) -> None:
    """Write one value to a pipe between this server and its own workers."""
    data = pickle.dumps(value, protocol=5)
    stream.write(struct.pack("<Q", len(data)) + data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one value from such a pipe.

    Raises:
        EOFError: the other end is gone.
    """
    head = stream.read(8)
    if len(head) < 8:
        raise EOFError
    (length,) = struct.unpack("<Q", head)
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return pickle.loads(data)  # noqa: S301  (from our own worker, over a private pipe)
