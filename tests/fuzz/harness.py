"""What a harness is, and how many cases are run through it and measured."""

from __future__ import annotations

import hashlib
import heapq
import random
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .mutate import Mutator

CORPUS = Path(__file__).with_name("corpus")

#: A case that takes longer than this (processor time) is a fault; one that doesn't end is broken off.
SLOW_SECONDS, HANG_SECONDS = 1.0, 30
#: A case that took longer than this is measured once more.
NOISE_SECONDS = 0.02


class Hang(BaseException):
    """A case doesn't end."""


@dataclass(frozen=True)
class Harness:
    """One parser.

    Attributes:
        name: of it and its corpus.
        check: gives it the bytes; raises whatever shows that a promise is broken.
        mutate: makes a case of an example.
    """

    name: str
    check: Callable[[bytes], None]
    mutate: Callable[[Mutator, bytes], bytes] = lambda mutator, data: mutator.bytes(data)

    def corpus(self) -> dict[str, bytes]:
        """Examples, and what was found, by file name."""
        return {file.name: file.read_bytes() for file in sorted((CORPUS / self.name).iterdir())}


@dataclass
class Report:
    """What came of many cases; `slowest` are seconds and cases, `broken` cases and what was raised."""

    name: str
    cases: int = 0
    seconds: float = 0.0
    slowest: list[tuple[float, bytes]] = field(default_factory=list)
    broken: dict[str, tuple[bytes, str]] = field(default_factory=dict)


@contextmanager
def broken_off(seconds: int) -> Iterator[None]:
    """Raise `Hang` in what takes longer, by the processor's clock (in the main thread, with timers)."""
    usable = hasattr(signal, "SIGPROF") and threading.current_thread() is threading.main_thread()

    def ring(*_: Any) -> None:
        raise Hang(f"not done after {seconds} s")

    before = signal.signal(signal.SIGPROF, ring) if usable else None
    try:
        yield
    finally:
        if usable:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)


def run(
    harness: Harness, cases: int, seed: int = 0, tell: Callable[[str], None] = lambda text: None
) -> Report:
    """So many cases of one harness; the same seed makes the same cases."""
    rng = random.Random(f"{harness.name} {seed}")
    examples = list(harness.corpus().values())
    mutator = Mutator(rng, examples)
    report = Report(harness.name)
    begun = time.monotonic()
    with broken_off(HANG_SECONDS):
        for i in range(cases):
            data = harness.mutate(mutator, mutator.example())
            one(harness, data, report, tell)
            if (i + 1) % 50_000 == 0:
                tell(f"{harness.name}: {i + 1} cases, {time.monotonic() - begun:.0f} s")
    report.cases = cases
    report.seconds = time.monotonic() - begun
    return report


def one(harness: Harness, data: bytes, report: Report, tell: Callable[[str], None] = print) -> None:
    """One case, measured."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)
    began = time.thread_time()
    try:
        harness.check(data)
        took = time.thread_time() - began
        if took > NOISE_SECONDS:  # a collection of garbage, say: what is slow is slow again
            began = time.thread_time()
            harness.check(data)
            took = min(took, time.thread_time() - began)
        if took > SLOW_SECONDS:
            raise TimeoutError(f"{took:.2f} s")
    except (Exception, Hang, RecursionError) as error:
        took = time.thread_time() - began
        # What is raised at one place is one fault.
        places = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
        kind = hashlib.sha1(repr((type(error).__name__, places[-2:])).encode()).hexdigest()[:8]
        if kind not in report.broken:
            report.broken[kind] = data, "".join(traceback.format_exception(error))[-3000:]
            tell(f"{harness.name}: {kind} {type(error).__name__}: {str(error)[:200]}")
        elif len(data) < len(report.broken[kind][0]):
            report.broken[kind] = data, report.broken[kind][1]
    heapq.heappush(report.slowest, (took, data))
    if len(report.slowest) > 5:
        heapq.heappop(report.slowest)
