"""Carries the engine's storage effects out on an open record, in the thread that has it open."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fechner.database.errors import RecordError, UnreadableError
from fechner.database.form.message import Owner
from fechner.server.engine.effects import Commit, Find, Load, ReadHistory, ReadSeedData
from fechner.server.engine.events import (
    CommitFailed,
    Committed,
    Event,
    Found,
    HistoryRead,
    Loaded,
    SeedDataRead,
)
from fechner.server.observing.counters import Counters
from fechner.server.observing.faults import kind
from fechner.server.observing.logs import Log, emit
from fechner.server.session.handlers.registry import load
from fechner.strategies._lazy import Lazy

if TYPE_CHECKING:  # SQLAlchemy and numpy are imported by the writer's thread, while the loop already answers
    from fechner.database.record import Record
    from fechner.server.session import replay, seed_data
    from fechner.strategies.plugins import extensions
else:
    replay, seed_data = Lazy("fechner.server.session.replay"), Lazy("fechner.server.session.seed_data")
    extensions = Lazy("fechner.strategies.plugins.extensions")

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
        counters.count_commit(len(commits), sum(error is not None for error in results), took)
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
            session = replay.fold(id_, changes)
        except Exception as error:
            if extensions.at_fault(error):
                raise
            raise _unreadable(record, id_, error) from error
        return Loaded(effect.token, session, record.ids(id_))
    except Exception as error:
        return Loaded(effect.token, None, error=_text(error), whose=whose)


def _unreadable(record: Record, id_: str, error: Exception) -> Exception:
    """Which message is damaged where a session can't be made from its messages."""
    broken = record.verify_chain(id_)
    if broken is None:
        return error
    return UnreadableError(f"message {broken} of session {id_} was changed, is missing or out of place")


def _text(error: Exception) -> str:
    """A fault of the record, or of a plug-in, in its own words; others with their kind."""
    return (
        str(error)
        if isinstance(error, RecordError) or extensions.at_fault(error)
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
    whose = None if effect.anybody else Owner(effect.owner)
    try:
        return SeedDataRead(
            effect.token, seed_data.read(record, effect.specification, effect.session, effect.most, whose)
        )
    except Exception as error:
        return SeedDataRead(effect.token, {}, _text(error))
