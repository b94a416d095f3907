"""Faults under the record: a torn log, a removed file, a database server that vanishes at a commit."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fechner.database.record import Entry, Record, RecordError

from .talk import Talk


def _ok(record: Record, *entries: Entry) -> None:
    assert record.append([[entry] for entry in entries]) == [None] * len(entries)


@pytest.mark.parametrize("damage", ["cut", "garbled", "zeros"])
def test_a_torn_end_of_the_log_costs_the_last_commit_only(
    file: Path, tmp_path: Path, talk: Talk, damage: str
) -> None:
    """Wherever the tear is in what the last commit wrote: all commits before it are there, whole."""
    with Record.open(file) as record:
        log = Path(f"{file}-wal")
        _ok(record, talk.setup(), talk.ask((1, {"level": 0.1})))
        whole = log.stat().st_size
        before = len(record.messages(talk.session))
        _ok(record, talk.tell(1, {"outcome_1": 1}))
        content = log.read_bytes()
        end = len(content)
        assert end > whole
        for number, place in enumerate(range(whole, end, (end - whole) // 8 + 1)):
            torn = tmp_path / f"torn-{number}.db"
            shutil.copy(file, torn)
            rest = {"cut": b"", "garbled": os.urandom(end - place), "zeros": bytes(end - place)}[damage]
            Path(f"{torn}-wal").write_bytes(content[:place] + rest)
            with Record.open(torn) as found:
                assert found.check_storage() == []
                assert len(found.messages(talk.session)) == before
                assert found.verify_chain(talk.session) is None
                assert list(found.check_projections()) == []
                assert found.trials(talk.session)[0]["status"] == "pending"


@pytest.mark.parametrize("end", ["", "-wal"])
def test_a_removed_file_is_noticed_and_taken_back(file: Path, talk: Talk, end: str) -> None:
    """Nothing is taken for recorded that would go with the removed file; put back, things go on."""
    with Record.open(file) as record:
        _ok(record, talk.setup(), talk.ask((1, {"level": 0.1})))
        gone, away = Path(f"{file}{end}"), file.with_name("away")
        gone.rename(away)
        for _ in range(2):
            (refusal,) = record.append([[talk.tell(1, {"outcome_1": 1})]])
            assert isinstance(refusal, RecordError)
            assert "file is gone" in str(refusal)
            assert not refusal.unsettled
        away.rename(gone)
        _ok(record, talk.tell(1, {"outcome_1": 1}))
    with Record.open(file) as record:
        assert [message.type for message in record.messages(talk.session)] == ["setup", "ask", "tell"]
        assert record.verify_chain(talk.session) is None


def test_another_file_in_its_place_is_refused(file: Path, talk: Talk) -> None:
    """A copy isn't the record: what was written since isn't in it."""
    with Record.open(file) as record:
        _ok(record, talk.setup())
        copy = file.with_name("copy")
        shutil.copy(file, copy)
        copy.replace(file)
        (refusal,) = record.append([[talk.ask((1, {"level": 0.1}))]])
        assert "another file" in str(refusal)


def test_a_file_that_vanishes_at_the_commit_leaves_doubt(
    file: Path, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was committed into a file that is gone is neither on record nor not."""
    with Record.open(file) as record:
        _ok(record, talk.setup())
        engine = record._database.connection.engine
        away = file.with_name("away")
        sa.event.listen(engine, "commit", lambda connection: file.rename(away), once=True)
        (refusal,) = record.append([[talk.ask((1, {"level": 0.1}))]])
        assert isinstance(refusal, RecordError)
        assert refusal.unsettled
        away.rename(file)
        assert [message.type for message in record.messages(talk.session)] == ["setup", "ask"]
        _ok(record, talk.tell(1, {"outcome_1": 1}))
        assert record.verify_chain(talk.session) is None


class Postgres:
    """A record on PostgreSQL, and a way to hurt its connection."""

    def __init__(self, url: str, server: str) -> None:
        self.server = server
        self.record = Record.open(url)
        self.commits: list[object] = []
        sa.event.listen(self.record._database.connection.engine, "commit", self.commits.append)

    @property
    def backend(self) -> int:
        """The server process of the record's connection."""
        return int(self.record._database.connection.connection.dbapi_connection.info.backend_pid)  # type: ignore[union-attr]

    def cut(self) -> None:
        """End the connection from the server's side."""
        import psycopg

        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [self.backend])

    def at_commit(self, hurt: Callable[[sa.Connection], None]) -> None:
        """Do something in place of the next commit's beginning."""
        engine = self.record._database.connection.engine
        sa.event.listen(engine, "commit", hurt, once=True)


@pytest.fixture
def on_postgres(postgres: str, postgres_schema: Callable[[], str]) -> Iterator[Postgres]:
    """A record on a real PostgreSQL."""
    found = Postgres(postgres_schema(), postgres)
    yield found
    found.record.close()


def _whole(record: Record, talk: Talk, *types: str) -> None:
    assert [message.type for message in record.messages(talk.session)] == list(types)
    assert record.verify_chain(talk.session) is None
    assert list(record.check_projections([talk.session])) == []


def test_a_connection_cut_between_commits_is_made_again(on_postgres: Postgres, talk: Talk) -> None:
    """Whoever writes next doesn't notice."""
    record = on_postgres.record
    _ok(record, talk.setup())
    on_postgres.cut()
    _ok(record, talk.ask((1, {"level": 0.1})))
    on_postgres.cut()
    with pytest.raises(RecordError):
        record.messages(talk.session)
    _whole(record, talk, "setup", "ask")


def test_a_connection_cut_before_the_commit_arrives(on_postgres: Postgres, talk: Talk) -> None:
    """Reading back shows that nothing came through; each request is tried again."""
    record = on_postgres.record
    _ok(record, talk.setup())
    on_postgres.at_commit(lambda connection: on_postgres.cut())
    _ok(record, talk.ask((1, {"level": 0.1})), talk.tell(1, {"outcome_1": 1}))
    _whole(record, talk, "setup", "ask", "tell")


def test_a_connection_cut_after_the_commit_arrived(on_postgres: Postgres, talk: Talk) -> None:
    """Reading back shows that all came through; nothing is written twice."""
    record = on_postgres.record
    _ok(record, talk.setup())

    def commit_and_cut(connection: sa.Connection) -> None:
        connection.connection.dbapi_connection.commit()  # type: ignore[union-attr]
        on_postgres.cut()
        connection.connection.dbapi_connection.execute("SELECT 1")  # type: ignore[union-attr]

    on_postgres.at_commit(commit_and_cut)
    commits = len(on_postgres.commits)
    _ok(record, talk.ask((1, {"level": 0.1})), talk.tell(1, {"outcome_1": 1}))
    assert len(on_postgres.commits) <= commits + 2  # one that wrote, and one that read
    _whole(record, talk, "setup", "ask", "tell")


def test_a_server_that_crashes_at_the_commit_is_waited_for(on_postgres: Postgres, talk: Talk) -> None:
    """It restarts by itself, recovers, and is read then."""
    if os.environ.get("FECHNER_POSTGRES"):
        pytest.skip("this PostgreSQL isn't ours to crash")
    record = on_postgres.record
    _ok(record, talk.setup())
    os.kill(on_postgres.backend, 9)
    _settled(record, talk.ask((1, {"level": 0.1})))
    on_postgres.at_commit(lambda connection: os.kill(on_postgres.backend, 9))
    _settled(record, talk.tell(1, {"outcome_1": 1}))
    _whole(record, talk, "setup", "ask", "tell")


def _settled(record: Record, entry: Entry) -> None:
    """Append as a server's client would: until it is on record, once."""
    until = time.monotonic() + 60.0
    while time.monotonic() < until:
        (refusal,) = record.append([[entry]])
        if refusal is None:
            return
        try:
            types = [message.type for message in record.messages(entry.session)]
        except RecordError:
            continue  # not back yet
        if refusal.unsettled and types[-1] == entry.type:
            return
    raise AssertionError(refusal)


def test_a_server_that_stays_away_leaves_doubt(
    on_postgres: Postgres, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some time the request is refused as unsettled: reading the session back will tell."""
    monkeypatch.setattr("fechner.database.keeping.writing.SETTLE_WAITS", ())
    record = on_postgres.record
    _ok(record, talk.setup())
    on_postgres.at_commit(lambda connection: on_postgres.cut())
    refusals = record.append([[talk.ask((1, {"level": 0.1}))], [talk.tell(1, {"outcome_1": 1})]])
    assert [refusal is not None and refusal.unsettled for refusal in refusals] == [True, True]
    _whole(record, talk, "setup")
    _ok(record, talk.ask((1, {"level": 0.1})))
