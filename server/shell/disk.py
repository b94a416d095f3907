"""A warning before the disk that holds the record is full."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fechner.server.engine.events import DiskLow

#: Room below which there is a warning: bytes, and the part of the whole disk.
LEAST_BYTES = 200_000_000
LEAST_PART = 0.01
#: How long a look holds, in seconds.
LOOK_EVERY = 10.0


class DiskWatch:
    """Looks at the room left beside a record, now and then, in the thread that writes it.

    Args:
        file: the record's file; None for a record that is in no file.
        usage: of a disk, as `shutil.disk_usage`.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        file: Path | None,
        usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = None if file is None else file.absolute().parent
        self._usage, self._clock = usage, clock
        self._next = -float("inf")
        self._said = ""
        self._file = file
        self.free_bytes: int | None = None
        self.record_bytes: int | None = None

    def look(self) -> list[DiskLow]:
        """What is new: there is little room, or enough again; usually nothing."""
        if self._folder is None or (now := self._clock()) < self._next:
            return []
        self._next = now + LOOK_EVERY
        try:
            total, _, free = self._usage(self._folder)
            self.free_bytes = free
            with suppress(OSError):  # somebody took it away: its own check says so
                self.record_bytes = self._file.stat().st_size if self._file is not None else None
        except OSError:
            return []  # the writer will say what is wrong
        low = free < LEAST_BYTES or free < LEAST_PART * total
        if not low and not self._said:
            return []
        before, self._said = self._said, ""
        if low:
            self._said = f"{free / 1e6:.0f} MB are left on the disk of the record ({self._folder})"
        return [] if self._said == before else [DiskLow(self._said)]
