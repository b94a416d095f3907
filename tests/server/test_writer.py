"""The writer's thread, and whose commits go to disk next."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fechner.database.record import Entry, Record, RecordError
from fechner.server.events import (
    Commit,
    Committed,
    Event,
    Find,
    Load,
    Loaded,
    ReadHistory,
)
from fechner.server.writer import LITTLE_BEHIND_BYTES, Groups, Writer

SESSION = "6f1d2c3b-0000-4000-8000-000000000001"
OTHER = "6f1d2c3b-0000-4000-8000-000000000002"


def entry(
    change: dict[str, Any] | None, id_: str | None = None, session: str = SESSION, **more: Any
) -> Entry:
    values = {
        "dialect": "1",
        "type": "x",
        "request": "{}",
        "reply": f"reply {id_}",
        "ok": True,
        "received_at": datetime(2024, 5, 6, tzinfo=UTC),
        "duration_ms": 1.0,
    }
    return Entry(session=session, client_id=id_, change=change, **(values | more))


@pytest.fixture
def setup(space_filling: str) -> dict[str, Any]:
    """The change of a setup."""
    return {
        "type": "setup",
        "strategy": 0,
        "name": None,
        "participant": None,
        "description": None,
        "metadata": {},
        "config": space_filling,
        "no_end": "error",
        "seed": 1,
        "stages": ["init"],
        "outcomes": [{"name": "outcome_1", "type": "binary"}],
        "parameters": [{"name": "p", "type": "continuous"}],
    }


@pytest.fixture
def record() -> Iterator[Record]:
    """A record in memory."""
    with Record.open("sqlite://") as record:
        yield record


def commit(token: int | None, session: str, length: int = 10) -> Commit:
    """A commit of a request with so many characters."""
    return Commit(token, [entry(None, session=session, request="x" * length)])


def tokens(effects: Sequence[Any]) -> list[int | None]:
    return [effect.token for effect in effects]


def groups(*effects: Any) -> list[list[int | None]]:
    """The tokens of each group."""
    waiting = Groups(long_bytes=3_000, group_bytes=10_000)
    for effect in effects:
        waiting.add(effect)
    found = []
    while waiting:
        found.append(tokens(waiting.take()))
    assert waiting.take() == []
    return found


def test_all_that_is_short_goes_to_disk_together() -> None:
    """However much it is."""
    assert groups(*(commit(token, f"{token % 3}") for token in range(100))) == [list(range(100))]


def test_short_commits_pass_the_long_ones_of_others() -> None:
    """Of those, a group holds a few, or a very long one."""
    long = [commit(token, f"{token}", 3_500) for token in range(5)]
    assert groups(*long, commit(5, "a"), commit(6, "b")) == [[0, 1, 5, 6], [2, 3], [4]]
    very = [commit(token, f"{token}", 40_000) for token in range(3)]
    assert groups(commit(3, "a"), *very, commit(4, "a")) == [[3, 0, 4], [1], [2]]


def test_commits_that_somebody_waits_for_pass_those_that_nobody_does() -> None:
    """Of those, a group holds a few; their own session's wait for them."""
    lazy = [commit(None, f"{number % 2}", 2_000) for number in range(8)]
    waited = [commit(1, "a"), commit(2, "0"), commit(3, "1")]
    assert groups(*lazy, *waited) == [[None] * 3 + [1], [None] * 3, [None] * 2 + [2, 3]]


def test_a_writer_says_whether_it_is_busy(record: Record, setup: dict[str, Any]) -> None:
    """With what somebody waits for, or with much; not with what goes on record by the way."""
    opening, events = threading.Event(), queue.SimpleQueue[Sequence[Event]]()

    def open_() -> Record:
        opening.wait(60)
        return record

    writer = Writer(open_, lambda fault: None, events.put)
    writer.put(Commit(None, [entry(setup, "a")]))
    assert not writer.busy
    writer.put(Commit(None, [entry(None, "long", request="x" * LITTLE_BEHIND_BYTES)]))
    assert writer.busy
    writer.put(Commit(1, [entry(None, "b")]))
    writer.put(Load(2, SESSION))
    assert writer.busy
    opening.set()
    assert list(events.get(timeout=60)) == [Committed(1)]
    assert isinstance(events.get(timeout=60)[0], Loaded)
    assert not writer.busy
    writer.close(60)


def test_the_order_in_a_session_stays() -> None:
    """Nothing passes its own session's long commit, a look-up neither."""
    long = [commit(token, "a" if token % 2 else "b", 9_000) for token in range(4)]
    later = [commit(4, "a"), commit(5, "b"), commit(6, "c"), Find(7, "a", "x"), Find(8, "c", "x")]
    assert groups(*long, *later) == [[0, 6, 8], [1], [2, 5], [3, 4, 7]]


def test_what_reads_a_session_passes_nothing() -> None:
    """It sees all that came before it: `last` may be any session."""
    long = [commit(token, f"{token}", 9_000) for token in range(2)]
    assert groups(Load(0, "a"), *long, Load(2, "last"), ReadHistory(3, "c"), commit(4, "c")) == [
        [0, 0, 4],
        [1, 2, 3],
    ]


def test_the_writer_works_in_its_own_thread(tmp_path: Path, setup: dict[str, Any]) -> None:
    """It opens the record, answers what is put, and closing carries out what waits."""
    events: queue.SimpleQueue[Sequence[Event]] = queue.SimpleQueue()
    opened: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    file = tmp_path / "fechner.db"
    writer = Writer(lambda: Record.open(file), opened.put, events.put)
    assert opened.get(timeout=30) is None
    writer.put(Commit(1, [entry(setup)]))
    assert list(events.get(timeout=30)) == [Committed(1)]
    for token in range(2, 30):
        writer.put(Commit(token, [entry(None)]))
    writer.close(30)
    with Record.open(file, read_only=True) as record:
        assert len(record.messages(SESSION)) == 29


def test_a_record_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """The fault goes to who waits for the record."""
    opened: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    file = tmp_path / "no.db"
    file.write_text("no database, but long enough to be read as one" * 100)
    writer = Writer(lambda: Record.open(file), opened.put, lambda events: None)
    assert isinstance(opened.get(timeout=30), RecordError)
    writer.close(30)


def test_a_writer_says_when_much_waits_for_it(record: Record, setup: dict[str, Any]) -> None:
    """By the bytes of requests and replies, until they are on disk."""
    opening, events = threading.Event(), queue.SimpleQueue[Sequence[Event]]()

    def open_() -> Record:
        opening.wait(60)
        return record

    writer = Writer(open_, lambda fault: None, events.put)
    assert not writer.behind
    for token in range(40):
        writer.put(Commit(token, [entry(setup, f"{token}", request="x" * 1_000_000)]))
    assert writer.behind
    opening.set()
    told = 0
    while told < 40:
        told += len(events.get(timeout=60))
    writer.close(60)
    assert not writer.behind


def test_no_commit_waits_for_a_session_that_is_read_back(
    record: Record, setup: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long that takes; but what was written before it is read."""
    reading, events = threading.Event(), queue.SimpleQueue[Sequence[Event]]()
    changes = record.changes

    def slowly(session: str) -> Any:
        assert reading.wait(60)
        return changes(session)

    monkeypatch.setattr(record, "changes", slowly)
    writer = Writer(lambda: record, lambda fault: None, events.put)
    writer.put(Commit(None, [entry(setup, "a")]))
    writer.put(Load(1, SESSION))
    told: list[Event] = []
    for token, change in ((2, setup), (3, None)):
        writer.put(Commit(token, [entry(change, f"{token}", OTHER)]))
        told += events.get(timeout=60)
    assert told == [Committed(2), Committed(3)]
    reading.set()
    [loaded] = events.get(timeout=60)
    writer.close(60)
    assert isinstance(loaded, Loaded)
    assert loaded.session is not None
    assert set(loaded.ids) == {"a"}
