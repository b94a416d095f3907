"""Storage effects on a real record: groups, single failures, sessions read back, the writer's thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fechner.database.record import Entry, Record, RecordError
from fechner.server.engine.effects import Commit, Find, Load
from fechner.server.engine.events import CommitFailed, Committed, Event, Found, Loaded
from fechner.server.shell.storage import perform
from fechner.server.shell.writer import LITTLE_BEHIND_BYTES, Writer

SESSION = "6f1d2c3b-0000-4000-8000-000000000001"
OTHER = "6f1d2c3b-0000-4000-8000-000000000002"


def entry(change: Any, id_: str | None = None, session: str = SESSION, **more: Any) -> Entry:
    values: dict[str, Any] = {
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


def waiting_writer(
    record: Record,
) -> tuple[Writer, threading.Event, queue.SimpleQueue[Sequence[Event]]]:
    """A writer that writes once it is told to, and what it posts."""
    opening, events = threading.Event(), queue.SimpleQueue[Sequence[Event]]()

    def open_() -> Record:
        opening.wait(60)
        return record

    writer = Writer(open_, lambda fault: None, events.put)
    writer.start()
    return writer, opening, events


def test_commits_are_answered_if_somebody_waits(record: Record, setup: dict[str, Any]) -> None:
    """In order; a look-up after a commit sees it."""
    events = perform(
        record,
        [
            Commit(1, [entry(setup, "a")]),
            Commit(None, [entry(None, "b")]),
            Find(2, SESSION, "b"),
            Commit(3, [entry({"type": "exit"})]),
            Load(4, SESSION),
        ],
    )
    assert events[:3] == [Committed(1), Found(2, "{}", "reply b"), Committed(3)]
    loaded = events[3]
    assert isinstance(loaded, Loaded)
    assert loaded.session is not None
    assert loaded.session.ended
    assert set(loaded.ids) == {"a", "b"}


def test_one_bad_commit_of_a_group_fails_alone(record: Record, setup: dict[str, Any]) -> None:
    """The others are on record."""
    bad = entry(setup, session=OTHER, duration_ms=float("nan"))
    events = perform(record, [Commit(1, [entry(setup)]), Commit(2, [bad]), Commit(3, [entry(None)])])
    assert [type(event) for event in events] == [Committed, CommitFailed, Committed]
    assert [message.seq for message in record.messages(SESSION)] == [1, 2]
    assert not record.exists(OTHER)


def test_entries_of_one_commit_stand_or_fall_together(record: Record, setup: dict[str, Any]) -> None:
    """None of them is on record if one can't be."""
    pair = [entry(setup), entry(None, duration_ms=float("inf"))]
    [event] = perform(record, [Commit(1, pair)])
    assert isinstance(event, CommitFailed)
    assert not record.exists(SESSION)


def test_an_id_is_used_once(record: Record, setup: dict[str, Any]) -> None:
    """A second ok message with it fails; a failed request leaves it free."""
    perform(record, [Commit(1, [entry(setup)]), Commit(None, [entry(None, "a", ok=False)])])
    assert perform(record, [Find(1, SESSION, "a")]) == [Found(1, None, None)]
    assert perform(record, [Commit(2, [entry(None, "a")])]) == [Committed(2)]
    assert isinstance(perform(record, [Commit(3, [entry(None, "a")])])[0], CommitFailed)


def test_what_is_not_there(record: Record, setup: dict[str, Any]) -> None:
    """No session, no last session, no id."""
    assert perform(record, [Load(1, SESSION), Load(2, "last"), Find(3, SESSION, "a")]) == [
        Loaded(1, None),
        Loaded(2, None),
        Found(3, None, None),
    ]


def test_last_is_the_session_used_last(record: Record, setup: dict[str, Any]) -> None:
    """By its last message, not by its beginning."""
    perform(
        record,
        [Commit(1, [entry(setup)]), Commit(2, [entry(setup, session=OTHER)]), Commit(3, [entry(None)])],
    )
    [loaded] = perform(record, [Load(4, "last")])
    assert isinstance(loaded, Loaded)
    assert loaded.session is not None
    assert loaded.session.id == SESSION


def test_a_record_that_cannot_be_read_says_why(record: Record, setup: dict[str, Any]) -> None:
    """The events carry the reason instead of raising it."""
    record.close()
    load, find, commit = perform(record, [Load(1, SESSION), Find(2, SESSION, "a"), Commit(3, [entry(setup)])])
    assert isinstance(load, Loaded)
    assert isinstance(find, Found)
    assert load.error
    assert find.error
    assert isinstance(commit, CommitFailed)


def test_a_session_that_cannot_be_folded_says_why(record: Record, setup: dict[str, Any]) -> None:
    """A configuration that this version refuses, for instance."""
    perform(record, [Commit(1, [entry(setup | {"config": "nonsense"})])])
    [loaded] = perform(record, [Load(2, SESSION)])
    assert isinstance(loaded, Loaded)
    assert loaded.session is None
    assert "ConfigError" in loaded.error


def test_a_writer_says_whether_it_is_busy(record: Record, setup: dict[str, Any]) -> None:
    """With what somebody waits for, or with much; not with what goes on record by the way."""
    writer, opening, events = waiting_writer(record)
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


def test_the_writer_works_in_its_own_thread(tmp_path: Path, setup: dict[str, Any]) -> None:
    """It opens the record, answers what is put, and closing carries out what waits."""
    events: queue.SimpleQueue[Sequence[Event]] = queue.SimpleQueue()
    opened: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    file = tmp_path / "fechner.db"
    writer = Writer(lambda: Record.open(file), opened.put, events.put)
    writer.start()
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
    writer.start()
    assert isinstance(opened.get(timeout=30), RecordError)
    writer.close(30)


def test_a_writer_says_when_much_waits_for_it(record: Record, setup: dict[str, Any]) -> None:
    """By the bytes of requests and replies, until they are on disk."""
    writer, opening, events = waiting_writer(record)
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
    writer.start()
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
