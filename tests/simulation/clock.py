"""Virtual time: a heap of what happens when, and the asyncio loop that a simulated server believes in."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Call = Callable[..., Any]


@dataclass(slots=True)
class Handle:
    """Something that is going to happen, unless it is cancelled."""

    call: Call
    arguments: tuple[Any, ...]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """What happens when, in order of time, and of arrangement where times are equal."""

    def __init__(self) -> None:
        self.now = 0.0
        self.steps = 0
        self._heap: list[tuple[float, int, Handle]] = []
        self._order = 0

    def at(self, when: float, call: Call, *arguments: Any) -> Handle:
        """Have `call` called at a time; not in the past."""
        handle = Handle(call, arguments)
        self._order += 1
        heapq.heappush(self._heap, (max(when, self.now), self._order, handle))
        return handle

    def after(self, delay: float, call: Call, *arguments: Any) -> Handle:
        """Have `call` called after some seconds."""
        return self.at(self.now + delay, call, *arguments)

    def run(self, until: float, most_steps: int = 1_000_000) -> bool:
        """Let everything happen until a time; True if nothing is left to happen before it."""
        while self._heap and self._heap[0][0] <= until:
            when, _, handle = heapq.heappop(self._heap)
            if handle.cancelled:
                continue
            self.now = max(self.now, when)
            self.steps += 1
            if self.steps > most_steps:
                return False
            handle.call(*handle.arguments)
        return True

    @property
    def empty(self) -> bool:
        """Whether nothing is left to happen."""
        return all(handle.cancelled for _, _, handle in self._heap)


class Loop:
    """What a server's transports and pool use of an asyncio loop, while their server lives.

    `busy_until`: the server computes in this thread until then, and hears nothing.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.alive = True
        self.busy_until = 0.0
        self._late: deque[Handle] = deque()  # what came meanwhile, in order

    def time(self) -> float:
        return self._clock.now

    def call_soon(self, call: Call, *arguments: Any) -> Handle:
        return self.call_at(self._clock.now, call, *arguments)

    def call_later(self, delay: float, call: Call, *arguments: Any) -> Handle:
        return self.call_at(self._clock.now + delay, call, *arguments)

    def call_at(self, when: float, call: Call, *arguments: Any) -> Handle:
        handle = Handle(call, arguments)
        self._clock.at(when, self._run, handle)
        return handle

    def _run(self, handle: Handle) -> None:
        if handle.cancelled or not self.alive:
            return
        if self._late or self._clock.now < self.busy_until:
            self._late.append(handle)
            if len(self._late) == 1:
                self._clock.at(self.busy_until, self._catch_up)
            return
        handle.call(*handle.arguments)

    def _catch_up(self) -> None:
        """What came while the server computed, and nothing overtakes anything."""
        while self._late and self.alive:
            if self._clock.now < self.busy_until:
                self._clock.at(self.busy_until, self._catch_up)
                return
            handle = self._late.popleft()
            if not handle.cancelled:
                handle.call(*handle.arguments)
