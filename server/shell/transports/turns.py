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

#: For so long, between two turns, they stand back while the disk's thread, which shares the interpreter with
#: the loop, has to do; and how often it is seen whether it still has.
STAND_BACK_SECONDS, LOOK_SECONDS = 0.005, 0.001

#: A request that takes the loop longer than this counts. Of what counts a sender has so much free, and this
#: share of the loop's time beyond; it rests no longer at once than that.
LONG_SECONDS, FREE_SECONDS, SHARE, MOST_REST_SECONDS = 0.002, 0.05, 0.1, 0.5

#: How long a thread may keep the interpreter while another one waits for it. Python's own 5 ms, paid at each
#: of a commit's calls of SQLite, would make everybody wait while much is being read.
SWITCH_SECONDS = 0.0005


class Account:
    """What one sender's long requests have taken of the loop's time, by the processor's clock.

    A participant's answer every now and then never rests, however slow the machine; one long request after
    the other does, so that the others get their turns between them.
    """

    def __init__(self) -> None:
        self._owed, self._at = 0.0, time.monotonic()

    def charge(self, seconds: float, apart: bool = False) -> float:
        """How long the sender rests after a request that took so long; mostly not.

        A long one, which was read `apart`, counts however short it took.
        """
        if seconds < LONG_SECONDS and not apart:
            return 0.0
        now = time.monotonic()
        self._owed = max(0.0, self._owed - (now - self._at) * SHARE) + seconds
        self._at = now
        return min(max(0.0, self._owed - FREE_SECONDS) / SHARE, MOST_REST_SECONDS)


def measure(make: Callable[[], Result]) -> tuple[Result, float]:
    """What `make` gives, and how many of the processor's seconds it took this thread."""
    begun = time.thread_time()
    return make(), time.thread_time() - begun


class Waiting(Protocol):
    """A peer whose input waits."""

    def go_on(self) -> bool:
        """Do a little of it; whether more can be done now."""
        ...


class Turns:
    """The peers whose input waits, and a thread for what takes long.

    Args:
        held: whether all of them have to wait, for the record.
        busy: whether the disk has to do: then those who have had a turn wait for a moment.
    """

    def __init__(
        self, held: Callable[[], bool] = lambda: False, busy: Callable[[], bool] = lambda: False
    ) -> None:
        self.held, self._busy = held, busy
        self._left_over = False  # the last turn was not enough
        self._stood_back = 0.0  # since then
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
            self._thread = ThreadPoolExecutor(1, "fechner-parser")
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
        if self._left_over and self._stood_back < STAND_BACK_SECONDS and self._busy():
            self._stood_back += LOOK_SECONDS
            asyncio.get_running_loop().call_later(LOOK_SECONDS, self._turn)
            return
        self._stood_back = 0.0
        until = time.perf_counter() + TURN_SECONDS
        self._scheduled = True  # what is added meanwhile needs no further turn
        while self._waiting:
            peer = self._waiting.popleft()
            self._known.discard(id(peer))
            if peer.go_on():
                self.add(peer)
            if time.perf_counter() >= until:
                break
        self._scheduled = self._left_over = bool(self._waiting)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)
