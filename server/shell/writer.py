"""The thread that writes the record, and whose commits go to disk next."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fechner.server.engine.effects import Commit, Find, Load, ReadHistory, ReadSeedData
from fechner.server.engine.events import DiskLow, Event
from fechner.server.observing.counters import Counters
from fechner.server.shell.disk import DiskWatch
from fechner.server.shell.storage import StorageEffect, perform

if TYPE_CHECKING:  # SQLAlchemy is imported by the writer's thread, while the loop already answers
    from fechner.database.record import Record

#: Bytes that may wait for the disk before greedy peers stand back, and before all have to wait.
LITTLE_BEHIND_BYTES, MOST_BEHIND_BYTES = 262_144, 32 * 1024 * 1024
#: What a commit takes besides its texts.
_EFFECT_BYTES = 1024

#: Bytes of a commit that is long; and of those in a group that are long, or that nobody waits for.
LONG_BYTES, GROUP_BYTES = 16_384, 65_536


def size(effect: StorageEffect) -> int:
    """About how many bytes a commit takes while it waits."""
    if not isinstance(effect, Commit):
        return 0
    return _EFFECT_BYTES + sum(len(entry.request) + len(entry.reply) for entry in effect.entries)


def is_awaited(effect: StorageEffect) -> bool:
    """Whether anybody waits for it."""
    return not isinstance(effect, Commit) or effect.token is not None


class Groups:
    """What waits for the disk: short commits that somebody waits for pass the others of other sessions.

    A group is written at once, and answered when all of it is on disk. So it takes all that is short and
    waited for, and of the rest a little. The order within a session stays as it came; what reads a whole
    session, or some session that isn't named, stays behind everything that came before it.
    """

    def __init__(self, long_bytes: int = LONG_BYTES, group_bytes: int = GROUP_BYTES) -> None:
        self._long, self._most = long_bytes, group_bytes
        self._waiting: deque[StorageEffect] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, effect: StorageEffect) -> None:
        """It waits from now on."""
        self._waiting.append(effect)

    def take(self) -> list[StorageEffect]:
        """The next group; empty only if nothing waits."""
        taken: list[StorageEffect] = []
        left: deque[StorageEffect] = deque()
        sessions: set[str] = set()  # of what is left
        room = self._most
        for effect in self._waiting:
            bytes_, mine = size(effect), _sessions(effect)
            later = bytes_ > self._long or not is_awaited(effect)
            full = later and room < min(bytes_, self._most)
            behind = bool(left) if mine is None else full or not sessions.isdisjoint(mine)
            if behind:
                left.append(effect)
                sessions |= mine or set()
            else:
                taken.append(effect)
                room -= bytes_ if later else 0
        self._waiting = left
        return taken


def _sessions(effect: StorageEffect) -> set[str] | None:
    """Whose order it keeps; None: everybody's."""
    if isinstance(effect, Commit):
        return {entry.session for entry in effect.entries}
    return {effect.session} if isinstance(effect, Find) else None


class _Look:
    """Look at the disk."""


class Writer:
    """The thread, with the one connection, that writes the record.

    Started, it opens the record first (`opened` gets None, or what went wrong) and then takes what waits,
    without delay, group by group. What reads much, a whole session, is handed to a second thread once all
    that came before it is written: nobody else's commit waits for it.
    """

    def __init__(
        self,
        open_: Callable[[], Record],
        opened: Callable[[BaseException | None], None],
        post: Callable[[Sequence[Event]], None],
        counters: Counters | None = None,
    ) -> None:
        self._open, self._opened, self._post = open_, opened, post
        self._counters = counters or Counters()
        self._queue: queue.SimpleQueue[StorageEffect | _Look | None] = queue.SimpleQueue()
        self._taken = self._done = 0  # bytes; each is written by one thread
        self._awaited = self._answered = 0  # effects that somebody waits for
        self._reads: queue.SimpleQueue[StorageEffect | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="fechner-writer", daemon=True)

    def start(self) -> None:
        """Begin: open the record."""
        self._thread.start()

    def put(self, effect: StorageEffect) -> None:
        """Carry an effect out; its event is posted."""
        self._taken += size(effect)
        self._awaited += is_awaited(effect)
        self._queue.put(effect)

    @property
    def behind(self) -> bool:
        """Whether much waits for the disk: what changes nothing is answered before it is on record."""
        return self._taken - self._done > MOST_BEHIND_BYTES

    @property
    def busy(self) -> bool:
        """Whether anybody waits for the disk, or more waits than it soon has written."""
        return self._awaited != self._answered or self._taken - self._done > LITTLE_BEHIND_BYTES

    def look(self) -> None:
        """Look at the disk, for the counters, also while there is nothing to write."""
        self._queue.put(_Look())

    def close(self, timeout: float) -> None:
        """Carry out what waits, close the record, end the thread, if it has begun."""
        self._queue.put(None)
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        try:
            record = self._open()
        except BaseException as error:
            self._opened(error)
            return
        self._opened(None)
        disk = DiskWatch(None if record.read_only else record.file)
        if low := self._look(disk):
            self._post(low)
        threading.Thread(target=self._read, args=(record,), name="fechner-reader", daemon=True).start()
        waiting, ending = Groups(), False
        while waiting or not ending:
            ending = self._gather(waiting, ending)
            group = waiting.take()
            reads = [effect for effect in group if isinstance(effect, Load | ReadHistory | ReadSeedData)]
            batch = [effect for effect in group if not isinstance(effect, Load | ReadHistory | ReadSeedData)]
            events = [*perform(record, batch, self._counters), *self._look(disk)]
            self._done += sum(map(size, batch))
            self._answered += sum(map(is_awaited, group))
            if events:
                self._post(events)
            for effect in reads:
                self._reads.put(effect)
        self._reads.put(None)
        record.close()

    def _gather(self, waiting: Groups, ending: bool) -> bool:
        """Take whatever has come, and wait if nothing waits; whether nothing will come any more."""
        while not ending:
            try:
                item = self._queue.get(block=not waiting)
            except queue.Empty:
                break
            if item is None:
                ending = True
            elif isinstance(item, _Look):
                break
            else:
                waiting.add(item)
        return ending

    def _read(self, record: Record) -> None:
        while (effect := self._reads.get()) is not None:
            self._post(perform(record, [effect], self._counters))

    def _look(self, disk: DiskWatch) -> list[DiskLow]:
        low = disk.look()
        self._counters.free_bytes, self._counters.record_bytes = disk.free_bytes, disk.record_bytes
        return low
