"""What is particular to a record on a PostgreSQL server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fechner.database.keeping.lock import RecordLock
from fechner.database.record import Record, RecordError

from ..talk import Talk

HOLDER = """
import sys
from fechner.database.keeping.lock import RecordLock
lock = RecordLock(sys.argv[1], "fechner serve, port 5555")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def where(postgres_schema: Callable[[], str]) -> str:
    """The URL of an empty database."""
    return postgres_schema()


@pytest.fixture
def cut(postgres: str) -> Callable[[], int]:
    """Ends all connections of this process, as a server that restarts does; says how many they were."""

    def cut() -> int:
        with psycopg.connect(postgres, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND application_name LIKE %s",
                (f"%process {os.getpid()}%",),
            )
            return len(ended.fetchall())

    return cut


def test_a_second_taker_is_told_who_holds_the_lock(where: str, postgres_schema: Callable[[], str]) -> None:
    """The refusal names the process; another record has a lock of its own; a released lock is free."""
    with RecordLock(where, "fechner serve, port 5555"):
        with pytest.raises(RecordError) as refusal:
            RecordLock(where)
        assert f"is in use by process {os.getpid()} on " in str(refusal.value)
        RecordLock(postgres_schema()).release()
    lock = RecordLock(where)
    lock.release()
    lock.release()


def test_a_killed_holder_frees_the_lock(where: str) -> None:
    """kill -9 ends the connection, and with it the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, where], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RecordError, match=f"process {holder.pid} "):
            RecordLock(where)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    for _ in range(100):  # the server notices the closed socket at once, but not at the same instant
        try:
            RecordLock(where).release()
            return
        except RecordError:
            with psycopg.connect(where) as connection:
                connection.execute("SELECT pg_sleep(0.05)")
    pytest.fail("the lock is still held")


def test_a_lost_connection_is_mended_with_the_lock(where: str, talk: Talk, cut: Callable[[], int]) -> None:
    """After the server was away the next message finds it again, and nobody else gets the record."""
    with RecordLock(where, "first"), Record.open(where) as record:
        assert record.append([[talk.setup()]]) == [None]
        assert cut() >= 2
        results = record.append([[talk.ask((1, {"level": 0.1}))]])
        if results != [None]:  # the cut was noticed by this message: nothing of it is on record
            assert len(record.messages(talk.session)) == 1
            results = record.append([[talk.ask((1, {"level": 0.1}))]])
        assert results == [None]
        with pytest.raises(RecordError, match=f"process {os.getpid()} "):
            RecordLock(where, "second")
        assert record.check_chain(talk.session) == []


def test_a_lock_that_somebody_took_meanwhile_is_not_shared(
    where: str, talk: Talk, cut: Callable[[], int]
) -> None:
    """Who lost the connection and finds another holder is refused by name, until that one is gone."""
    with RecordLock(where, "first"), Record.open(where) as record:
        assert record.append([[talk.setup()]]) == [None]
        cut()
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER, where], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            record.append([[talk.entry("info")]])  # notices the cut
            (refusal,) = record.append([[talk.entry("info")]])
            assert f"in use by process {other.pid} " in str(refusal)
            other.communicate()
        assert record.append([[talk.entry("info")]]) == [None]


@pytest.mark.parametrize("came_through", [True, False])
def test_a_connection_cut_at_commit_is_settled_by_reading_back(
    where: str, talk: Talk, cut: Callable[[], int], monkeypatch: pytest.MonkeyPatch, came_through: bool
) -> None:
    """Whether the group was committed or not, in the end each message is on record once."""
    with Record.open(where) as record:
        assert record.append([[talk.setup()]]) == [None]
        dialect = record._database.connection.dialect
        commit = dialect.do_commit

        def cut_at_commit(connection: Any) -> None:
            monkeypatch.setattr(dialect, "do_commit", commit)
            if came_through:
                commit(connection)
            cut()
            connection.execute("SELECT 1")  # raises

        monkeypatch.setattr(dialect, "do_commit", cut_at_commit)
        entries = [talk.ask((1, {"level": 0.1})), talk.tell(1, {"outcome_1": 1})]
        assert record.append([[entry] for entry in entries]) == [None, None]
        assert [message.type for message in record.messages(talk.session)] == ["setup", "ask", "tell"]
        assert record.check_chain(talk.session) == []
        assert list(record.check_projections()) == []


def test_commits_wait_for_the_disk(where: str) -> None:
    """Whatever the server's default is."""
    with Record.open(where) as record, record.snapshot() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_reading_is_one_state_and_writes_nothing(where: str, talk: Talk) -> None:
    """A record opened for reading can't be written by any statement."""
    with Record.open(where) as record:
        assert record.append([[talk.setup()]]) == [None]
    with Record.open(where, read_only=True) as record:
        assert record.exists(talk.session)
        with pytest.raises(RecordError, match="read-only"), record.snapshot() as connection:
            connection.exec_driver_sql("DELETE FROM trial_outcomes")
        with record.snapshot() as connection:
            assert connection.get_isolation_level() == "REPEATABLE READ"


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error names the record without its password, and what is wrong."""
    url = f"postgresql://me:secret@/db?host={tmp_path}"
    for refused in (lambda: Record.open(url), lambda: RecordLock(url)):
        with pytest.raises(RecordError, match="postgresql") as error:
            refused()
        assert "secret" not in str(error.value)


def test_another_kind_of_database_is_refused() -> None:
    """By name, and without trying."""
    with pytest.raises(RecordError, match="neither SQLite nor PostgreSQL"):
        Record.open("mysql://host/db")


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what brings it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(RecordError, match=r"fechner\[postgres\]"):
        Record.open("postgresql://host/db")
