"""Groups of requests are written durably, whole or request by request, and say truly what is on record."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fechner.database.keeping import writing
from fechner.database.record import Entry, Record, RecordError

from ..talk import Talk

WRITER = """
import sys
from datetime import UTC, datetime
from fechner.database.record import Entry, Record
record = Record.open(sys.argv[1])
def entry(kind, change):
    return Entry("s", None, "1", kind, "{}", "{}", True, datetime.now(UTC), 1.0, None, change)
setup = {"type": "setup", "strategy": 0, "config": "", "outcomes": [], "parameters": ["p"]}
assert record.append([[entry("setup", setup)]]) == [None]
trial = 0
while True:
    trial += 1
    ask = {"type": "ask", "strategy": 0, "trials": [{"trial": trial, "config": {"p": trial / 3}}]}
    told = {"trial": trial, "asked": True, "outcome": {"o": trial % 2}}
    group = [[entry("ask", ask), entry("tell", {"type": "tell", "trials": [told]})]]
    assert record.append(group) == [None]
    print(trial, flush=True)
"""


def _ok(record: Record, *entries: Entry) -> None:
    assert record.append([[entry] for entry in entries]) == [None] * len(entries)


def test_a_commit_waits_for_the_disk(file_record: Record) -> None:
    """The log is synchronised at every commit, with foreign keys checked."""
    with file_record.snapshot() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_a_group_is_one_transaction(record: Record, talk: Talk) -> None:
    """However many requests wait, one commit takes them."""
    _ok(record, talk.setup())
    commits: list[object] = []
    sa.event.listen(record._database.connection.engine, "commit", commits.append)
    _ok(
        record,
        talk.ask((1, {"level": 0.1})),
        talk.tell(1, {"outcome_1": 1}),
        talk.entry("info"),
    )
    assert len(commits) == 1
    assert [message.seq for message in record.messages(talk.session)] == [1, 2, 3, 4]


def test_the_entries_of_a_request_stand_or_fall_together(record: Record, talk: Talk) -> None:
    """When one entry of a request can't be recorded, none of that request is; the others are."""
    _ok(record, talk.setup(), talk.ask((1, {"level": 0.1})))
    half = [talk.tell(1, {"outcome_1": 1}), talk.ask((1, {"level": 0.5}))]  # trial 1 exists already
    results = record.append([[talk.entry("info")], half, [talk.ask((2, {"level": 0.2}))]])
    assert [type(result) for result in results] == [type(None), RecordError, type(None)]
    assert [message.type for message in record.messages(talk.session)] == ["setup", "ask", "info", "ask"]
    assert [trial["status"] for trial in record.trials(talk.session)] == ["pending", "pending"]
    assert record.verify_chain(talk.session) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda talk: talk.entry("ask", {"type": "ask"}),
        lambda talk: talk.entry("ask", {"type": "nonsense"}),
        lambda talk: talk.entry("ask", {"type": "exit", "extra": {1, 2}}),
        lambda talk: talk.entry("ask", {"type": "exit"}, ok=False),
        lambda talk: talk.entry("ask", duration_ms=float("nan")),
        lambda talk: talk.entry("ask", received_at=talk.entry("x").received_at.replace(tzinfo=None)),
        lambda talk: talk.entry("ask", reply="\ud800"),
        lambda talk: talk.entry("ask", reply="a\0b"),
        lambda talk: talk.entry("ask", reply=None),
        lambda talk: talk.entry("ask", client_id="c-1"),
        lambda talk: talk.ask((7, {"level": 0.1}), strategy=5),
        lambda talk: talk.tell(99, {"outcome_1": 1}),
    ],
    ids=[
        "no trials",
        "unknown change",
        "not JSON",
        "failed with a change",
        "not a time",
        "no time zone",
        "not text",
        "NUL in a text",
        "no reply",
        "used id",
        "unknown strategy",
        "unknown trial",
    ],
)
def test_a_bad_request_fails_alone(record: Record, talk: Talk, spoil: Callable[[Talk], Entry]) -> None:
    """Whatever is wrong with one request, those before and after it are recorded, and the chain holds."""
    _ok(record, talk.setup())
    good = [talk.ask((1, {"level": 0.1})), talk.tell(1, {"outcome_1": 1})]
    results = record.append([[good[0]], [spoil(talk)], [good[1]]])
    assert results[0] is None
    assert results[2] is None
    assert isinstance(results[1], RecordError)
    assert str(results[1])
    _ok(record, talk.entry("info"))
    assert [message.seq for message in record.messages(talk.session)] == [1, 2, 3, 4]
    assert record.verify_chain(talk.session) is None


def test_a_trial_is_told_once(record: Record, talk: Talk) -> None:
    """A second tell of a trial is refused by the record too."""
    _ok(record, talk.setup(), talk.ask((1, {"level": 0.1})), talk.tell(1, {"outcome_1": 1}))
    (refusal,) = record.append([[talk.tell(1, {"outcome_1": 0})]])
    assert isinstance(refusal, RecordError)
    assert record.trials(talk.session)[0]["outcome"] == {"outcome_1": 1}


def test_a_full_disk_is_an_error_and_passes(file_record: Record, talk: Talk) -> None:
    """While nothing can be written each request gets an error and leaves nothing; then things go on."""
    _ok(file_record, talk.setup())
    with file_record.snapshot() as connection:
        full = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={full}")
    long = talk.entry("info", request="x" * 100_000)
    results = file_record.append([[long], [talk.entry("info", request="y" * 100_000)]])
    assert ["full" in str(result) for result in results] == [True, True]
    with file_record.snapshot() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    _ok(file_record, long)
    assert [message.seq for message in file_record.messages(talk.session)] == [1, 2]
    assert file_record.verify_chain(talk.session) is None


def test_a_locked_record_is_waited_for_once(file: Path, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that can't begin fails with a name after a wait or two, not after one per request."""
    monkeypatch.setattr("fechner.database.keeping.connection.BUSY_TIMEOUT_MS", 20)
    with Record.open(file) as record:
        begun: list[object] = []
        sa.event.listen(record._database.connection.engine, "begin", begun.append)
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        before = len(begun)
        results = record.append([[talk.setup()]] + [[talk.entry("info")] for _ in range(20)])
        assert ["locked" in str(result) for result in results] == [True] * 21
        assert len(begun) - before < 10
        other.execute("ROLLBACK")
        other.close()
        _ok(record, talk.setup())


def test_a_commit_that_came_through_after_all_is_not_repeated(
    record: Record, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a commit fails but its messages are on record, they count as recorded, once."""
    _ok(record, talk.setup())
    dialect = record._database.connection.dialect
    commit = dialect.do_commit

    def commit_and_lose_the_answer(connection: Any) -> None:
        monkeypatch.setattr(dialect, "do_commit", commit)
        commit(connection)
        raise sqlite3.OperationalError("the connection broke")

    monkeypatch.setattr(dialect, "do_commit", commit_and_lose_the_answer)
    _ok(record, talk.ask((1, {"level": 0.1}), client_id=None), talk.entry("info", client_id=None))
    assert [message.type for message in record.messages(talk.session)] == ["setup", "ask", "info"]


def test_a_failed_commit_is_tried_again(record: Record, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a commit fails once and nothing is on record, each request is recorded by its own transaction."""
    _ok(record, talk.setup())
    dialect = record._database.connection.dialect
    commit, commits = dialect.do_commit, []

    def fail_first(connection: Any) -> None:
        commits.append(connection)
        if len(commits) == 1:
            raise sqlite3.OperationalError("disk I/O error")
        commit(connection)

    monkeypatch.setattr(dialect, "do_commit", fail_first)
    _ok(record, talk.ask((1, {"level": 0.1})), talk.tell(1, {"outcome_1": 1}))
    assert [message.seq for message in record.messages(talk.session)] == [1, 2, 3]
    assert record.verify_chain(talk.session) is None


def test_another_thread_may_write(record: Record, talk: Talk) -> None:
    """A record opened in one thread is written in another and read in the first."""
    results: list[Any] = []
    writer = threading.Thread(target=lambda: results.extend(record.append([[talk.setup()]])))
    writer.start()
    writer.join()
    assert results == [None]
    assert record.exists(talk.session)


def test_the_chain_goes_on_after_reopening(file: Path, talk: Talk) -> None:
    """Numbers and hashes continue where the file ends."""
    with Record.open(file) as record:
        _ok(record, talk.setup())
    with Record.open(file) as record:
        _ok(record, talk.ask((1, {"level": 0.1})))
        assert [message.seq for message in record.messages(talk.session)] == [1, 2]
        assert record.verify_chain(talk.session) is None


@pytest.mark.skipif(sys.platform == "win32", reason="kills with SIGKILL")
@pytest.mark.parametrize("acknowledged", [1, 7, 40])
def test_a_killed_writer_loses_nothing_acknowledged(file: Path, acknowledged: int) -> None:
    """After kill -9 every acknowledged request is there whole, at most one more, and the file is sound."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for _ in range(acknowledged):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        said = acknowledged + len(writer.stdout.read().splitlines())
    with Record.open(file) as record:
        trials = record.trials("s")
        assert len(trials) - said in (0, 1)
        assert {trial["status"] for trial in trials} == {"told"}
        assert len(record.messages("s")) == 1 + 2 * len(trials)
        assert record.verify_chain("s") is None
        with record.snapshot() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


@pytest.mark.parametrize(
    ("damage", "broken"),
    [
        ("UPDATE messages SET reply = 'other' WHERE seq = 3", 3),
        ("UPDATE messages SET duration_ms = duration_ms + 1 WHERE seq = 2", 2),
        ("DELETE FROM messages WHERE seq = 2", 2),
        ("DELETE FROM messages WHERE seq = 4", 4),
        ("UPDATE messages SET seq = CASE seq WHEN 2 THEN 30 ELSE 2 END WHERE seq IN (2, 3)", 2),
        ("UPDATE messages SET change = replace(change, '0.1', '0.2') WHERE seq = 2", 2),
    ],
    ids=["changed", "changed number", "missing", "missing at the end", "reordered", "changed effect"],
)
def test_the_chain_shows_accidents(record: Record, talk: Talk, damage: str, broken: int) -> None:
    """A message that is changed, missing or moved is named by its number."""
    _ok(
        record,
        talk.setup(),
        talk.ask((1, {"level": 0.1})),
        talk.tell(1, {"outcome_1": 1}),
        talk.entry("info"),
    )
    assert record.verify_chain(talk.session) is None
    with record.snapshot() as connection:
        connection.exec_driver_sql(damage)
    assert record.verify_chain(talk.session) == broken


def test_the_ends_of_few_chains_are_remembered(
    record: Record, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many sessions there ever were; one that was forgotten is read again, and its chain goes on."""
    monkeypatch.setattr(writing, "MOST_HEADS", 5)
    talks = [type(talk)(f"6f1d2c3b-0000-4000-8000-{number:012d}") for number in range(20)]
    for one in talks:
        _ok(record, one.setup())
    for one in (*talks, *talks[::-1]):
        _ok(record, one.entry("info"))
    assert len(record._writer._heads) <= 5
    for one in talks:
        assert [message.seq for message in record.messages(one.session)] == [1, 2, 3]
        assert record.verify_chain(one.session) is None
