"""Carries the engine's storage effects out on an open record, in the caller's thread or in one of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fechner.server.counters import Counters
from fechner.server.disk import DiskWatch
from fechner.server.events import (
    Commit,
    CommitFailed,
    Committed,
    DiskLow,
    Event,
    Find,
    Found,
    HistoryRead,
    Load,
    Loaded,
    Log,
    ReadHistory,
    ReadSeedData,
    SeedDataRead,
)
from fechner.server.faults import kind
from fechner.server.handlers.registry import load
from fechner.server.logs import emit

if TYPE_CHECKING:  # SQLAlchemy is imported by the writer's thread, while the loop already answers
    from fechner.database.record import Record

#: Commits that take longer are logged.
SLOW_SECONDS = 0.25

StorageEffect = Commit | Load | Find | ReadHistory | ReadSeedData


def perform(
    record: Record, effects: Sequence[StorageEffect], counters: Counters | None = None
) -> list[Event]:
    """Carry effects out in order; neighbouring commits go to disk as one group."""
    events: list[Event] = []
    commits: list[Commit] = []
    for effect in effects:
        if isinstance(effect, Commit):
            commits.append(effect)
            continue
        events += _commit(record, commits, counters)
        commits = []
        if isinstance(effect, Load):
            events.append(_load(record, effect))
        elif isinstance(effect, Find):
            events.append(_find(record, effect))
        elif isinstance(effect, ReadSeedData):
            events.append(_seed_data(record, effect))
        else:
            events.append(_history(record, effect))
    return events + _commit(record, commits, counters)


def _commit(record: Record, commits: Sequence[Commit], counters: Counters | None) -> list[Event]:
    if not commits:
        return []
    results: Sequence[Exception | None]
    begun = time.perf_counter()
    try:
        results = record.append([commit.entries for commit in commits])
    except Exception as error:
        results = [error] * len(commits)
    took = time.perf_counter() - begun
    if counters is not None:
        counters.committed(len(commits), sum(error is not None for error in results), took)
    if took > SLOW_SECONDS:
        emit(Log("info", f"a commit of {len(commits)} took {took:.3f} s"))
    return [
        Committed(commit.token or 0)
        if error is None
        else CommitFailed(commit.token, str(error), getattr(error, "unsettled", False), kind(error))
        for commit, error in zip(commits, results, strict=True)
        if commit.token is not None or error is not None
    ]


def _load(record: Record, effect: Load) -> Loaded:
    load()
    from fechner.server.replay import fold
    from fechner.strategies.extensions import at_fault

    whose = None
    try:
        id_: str | None = effect.session
        if id_ == "last":
            id_ = record.last(effect.owner, anybody=effect.anybody)
        whose = None if id_ is None else record.whose(id_)
        if id_ is None or whose is None:
            return Loaded(effect.token, None)
        changes = [change for _, _, change in record.changes(id_)]
        try:
            session = fold(id_, changes)
        except Exception as error:
            if at_fault(error):
                raise
            raise _unreadable(record, id_, error) from error
        return Loaded(effect.token, session, record.ids(id_))
    except Exception as error:
        return Loaded(effect.token, None, error=_text(error), whose=whose)


def _unreadable(record: Record, id_: str, error: Exception) -> Exception:
    """Which message is damaged where a session can't be made from its messages."""
    from fechner.database.errors import UnreadableError

    broken = record.verify_chain(id_)
    if broken is None:
        return error
    return UnreadableError(f"message {broken} of session {id_} was changed, is missing or out of place")


def _text(error: Exception) -> str:
    """A fault of the record, or of a plug-in, in its own words; others with their kind."""
    from fechner.database.errors import RecordError
    from fechner.strategies.extensions import at_fault

    return (
        str(error)
        if isinstance(error, RecordError) or at_fault(error)
        else f"{type(error).__name__}: {error}"
    )


def _find(record: Record, effect: Find) -> Found:
    try:
        message = record.find(effect.session, effect.client_id)
    except Exception as error:
        return Found(effect.token, None, None, _text(error))
    if message is None:
        return Found(effect.token, None, None)
    return Found(effect.token, message.request, message.reply)


def _history(record: Record, effect: ReadHistory) -> HistoryRead:
    whose = None
    try:
        whose = record.whose(effect.session)
        if whose is None:
            return HistoryRead(effect.token, None)
        changes = [(seq, change) for seq, _, change in record.changes(effect.session)]
        return HistoryRead(effect.token, changes, broken_chain=record.verify_chain(effect.session))
    except Exception as error:
        return HistoryRead(effect.token, None, _text(error), whose)


def _seed_data(record: Record, effect: ReadSeedData) -> SeedDataRead:
    from fechner.server.seed_data import read

    whose = None if effect.anybody else (effect.owner,)
    try:
        return SeedDataRead(
            effect.token, read(record, effect.specification, effect.session, effect.most, whose)
        )
    except Exception as error:
        return SeedDataRead(effect.token, {}, _text(error))


#: Bytes that may wait for the disk before greedy peers have to; and what a commit takes besides its texts.
MOST_BEHIND_BYTES = 32 * 1024 * 1024
_EFFECT_BYTES = 1024


def _size(effect: StorageEffect) -> int:
    """About how much memory a commit takes while it waits."""
    if not isinstance(effect, Commit):
        return 0
    return _EFFECT_BYTES + sum(len(entry.request) + len(entry.reply) for entry in effect.entries)


class _Look:
    """Look at the disk."""


class Writer:
    """The thread, with the one connection, that writes the record.

    It opens the record first (`opened` gets None, or what went wrong) and then takes whatever waits,
    without delay, as one group. What reads much, a whole session, is handed to a second thread once all that
    came before it is written: nobody else's commit waits for it.
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
        self._reads: queue.SimpleQueue[StorageEffect | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="fechner-writer", daemon=True)
        self._thread.start()

    def put(self, effect: StorageEffect) -> None:
        """Carry an effect out; its event is posted."""
        self._taken += _size(effect)
        self._queue.put(effect)

    @property
    def behind(self) -> bool:
        """Whether much waits for the disk: what changes nothing is answered before it is on record."""
        return self._taken - self._done > MOST_BEHIND_BYTES

    @property
    def busy(self) -> bool:
        """Whether anything waits for the disk."""
        return self._taken != self._done

    def look(self) -> None:
        """Look at the disk, for the counters, also while there is nothing to write."""
        self._queue.put(_Look())

    def close(self, timeout: float) -> None:
        """Carry out what waits, close the record, end the thread."""
        self._queue.put(None)
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
        ending = False
        while not ending:
            batch: list[StorageEffect] = []
            reads: list[StorageEffect] = []
            item = self._queue.get()
            while True:
                if item is None:
                    ending = True
                    break
                if isinstance(item, Load | ReadHistory | ReadSeedData):
                    reads.append(item)
                elif not isinstance(item, _Look):
                    batch.append(item)
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
            events = [*perform(record, batch, self._counters), *self._look(disk)]
            self._done += sum(map(_size, batch))
            for effect in reads:
                self._reads.put(effect)
            if events:
                self._post(events)
        self._reads.put(None)
        record.close()

    def _read(self, record: Record) -> None:
        while (effect := self._reads.get()) is not None:
            self._post(perform(record, [effect], self._counters))

    def _look(self, disk: DiskWatch) -> list[DiskLow]:
        low = disk.look()
        self._counters.free_bytes, self._counters.record_bytes = disk.free_bytes, disk.record_bytes
        return low
