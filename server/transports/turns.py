"""Whose input is looked at next: what greedy peers send shares the loop's time among them.

A small request that comes by itself is handled at once. Whatever else has arrived, glued requests or a long
message, waits here; the loop goes on with it for a moment, one peer after the other, between any two looks at
its sockets. So nobody waits longer than that for others' input, however much of it there is.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

Result = TypeVar("Result")

#: How long the loop goes on with what waits before it looks at its sockets again.
TURN_SECONDS = 0.0005

#: How long all wait before it is seen whether they still have to.
HELD_SECONDS = 0.005

#: A request that keeps the loop longer than this makes its sender's next one wait: so many times as long, but
#: no longer than that.
LONG_SECONDS, REST_TIMES, MOST_REST_SECONDS = 0.002, 4.0, 0.1

#: How long a thread may keep the interpreter while another one waits for it. Python's own 5 ms, paid at each
#: of a commit's calls of SQLite, would make everybody wait while much is being read.
SWITCH_SECONDS = 0.0005


def rest_after(begun: float) -> float:
    """How long a sender rests whose request was begun then, in the time of `perf_counter`; mostly not."""
    took = time.perf_counter() - begun
    return 0.0 if took < LONG_SECONDS else min(REST_TIMES * took, MOST_REST_SECONDS)


class Waiting(Protocol):
    """A peer whose input waits."""

    def go_on(self) -> bool:
        """Do a little of it; whether more can be done now."""
        ...


class Turns:
    """The peers whose input waits, and a thread for what takes long.

    Args:
        held: whether all of them have to wait, for the record.
    """

    def __init__(self, held: Callable[[], bool] = lambda: False) -> None:
        self.held = held
        self._waiting: deque[Waiting] = deque()
        self._known: set[int] = set()
        self._scheduled = False
        self._thread: ThreadPoolExecutor | None = None

    def add(self, peer: Waiting) -> None:
        """Go on with a peer's input when its turn comes."""
        if id(peer) not in self._known:
            self._known.add(id(peer))
            self._waiting.append(peer)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._turn)

    def apart(self, work: Callable[[], Result], then: Callable[[Result], None]) -> None:
        """Do in a thread what would keep the loop; `then` gets the result, in the loop.

        One thread, so that such work never takes more than one processor's turn of the interpreter from the
        loop; it can be interrupted between any two steps of Python code.
        """
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "fechner-reader")
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)

        def done(found: asyncio.Future[Result]) -> None:
            if not found.cancelled():
                then(found.result())

        future.add_done_callback(done)

    def close(self) -> None:
        """Leave what waits."""
        self._waiting.clear()
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)

    def _turn(self) -> None:
        if self.held():
            asyncio.get_running_loop().call_later(HELD_SECONDS, self._turn)
            return
        until = time.perf_counter() + TURN_SECONDS
        self._scheduled = True  # what is added meanwhile needs no further turn
        while self._waiting:
            peer = self._waiting.popleft()
            self._known.discard(id(peer))
            if peer.go_on():
                self.add(peer)
            if time.perf_counter() >= until:
                break
        self._scheduled = bool(self._waiting)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)
