"""A record is copied whole while it is written to, and a session by itself."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.util import OrderedSet

from fechner.database.form.tables import metadata
from fechner.database.keeping.connection import Database
from fechner.database.keeping.schema import upgrade
from fechner.database.record import Entry, Record, RecordError
from fechner.database.upkeep.backup import backup, check, copy_sessions

from ..talk import Talk


def _ok(record: Record, *entries: Entry) -> None:
    assert record.append([[entry] for entry in entries]) == [None] * len(entries)


def test_a_copy_made_while_others_write_is_whole(file_record: Record, file: Path, talk: Talk) -> None:
    """It holds the record of one moment: sound pages, sound chains, no half message."""
    _ok(file_record, talk.setup())
    stop, trial = threading.Event(), 0

    def write() -> None:
        nonlocal trial
        while not stop.is_set():
            trial += 1
            _ok(file_record, talk.ask((trial, {"level": 0.1})), talk.tell(trial, {"outcome_1": 1}))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [backup(file, file.with_name(f"copy-{number}.db")) for number in range(5)]
    finally:
        stop.set()
        writer.join()
    assert all(copy.broken == {} and copy.n_sessions == 1 for copy in copies)
    with Record.open(file.with_name("copy-4.db"), read_only=True) as copy:
        found = copy.messages(talk.session)
        assert len(found) == copies[4].n_messages
        assert found == file_record.messages(talk.session)[: len(found)]
    assert not list(file.parent.glob("*.part"))


def test_a_backup_replaces_nothing(file_record: Record, file: Path, talk: Talk, tmp_path: Path) -> None:
    """A name that is taken is refused, and what has it stays."""
    _ok(file_record, talk.setup())
    other = tmp_path / "thesis.txt"
    other.write_text("chapter one")
    with pytest.raises(RecordError, match="exists already"):
        backup(file, other)
    assert other.read_text() == "chapter one"


def test_what_can_t_be_copied(file: Path, tmp_path: Path) -> None:
    """No record, a database server, a folder that isn't there: each by name, and nothing is left behind."""
    with pytest.raises(RecordError, match="there is no record"):
        backup(file, tmp_path / "copy.db")
    with pytest.raises(RecordError, match="pg_dump"):
        backup("postgresql://nobody@localhost/nothing", tmp_path / "copy.db")
    Record.open(file).close()
    with pytest.raises(RecordError, match="can't be copied"):
        backup(file, tmp_path / "no folder" / "copy.db")
    assert list(tmp_path.glob("copy*")) == []


def test_an_older_record_is_copied_before_it_is_migrated(tmp_path: Path, talk: Talk) -> None:
    """The copy has the older revision, too: that is what one keeps before upgrading."""
    file = tmp_path / "old.db"
    database = Database(file)
    database.writing = True
    with database.connection.begin():
        upgrade(database.connection, "0001")
    database.close()
    assert backup(file, tmp_path / "copy.db").n_sessions == 0
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    with closing(sqlite3.connect(tmp_path / "notes.db")) as connection:
        connection.execute("CREATE TABLE notes (text)")
    with pytest.raises(RecordError, match="no record of Fechner"):
        backup(tmp_path / "notes.db", tmp_path / "other.db")


def test_a_copy_of_a_broken_chain_says_so(file_record: Record, file: Path, talk: Talk) -> None:
    """The copy is what the record is, and the broken message is named."""
    _ok(file_record, talk.setup(), talk.ask((1, {"level": 0.1})))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE messages SET reply = '{}' WHERE seq = 2")
    assert backup(file, file.with_name("copy.db")).broken == {talk.session: 2}


def test_a_session_by_itself(record: Record, talk: Talk, tmp_path: Path) -> None:
    """Its copy reads as it does in the record, holds nothing else, and is the same to the last byte again."""
    other = type(talk)("other")
    _ok(record, other.setup(participant="Q"), talk.setup(), talk.ask((1, {"level": 0.1})))
    _ok(record, talk.tell(1, {"outcome_1": 1}))
    for name in ("a.db", "b.db"):
        copy_sessions(record, [talk.session], tmp_path / name)
    assert (tmp_path / "a.db").read_bytes() == (tmp_path / "b.db").read_bytes()
    assert check(tmp_path / "a.db").n_sessions == 1
    with Record.open(tmp_path / "a.db", read_only=True) as copy:
        assert copy.messages(talk.session) == record.messages(talk.session)
        assert copy.trials(talk.session) == record.trials(talk.session)
        assert [row["session"] for row in copy.sessions()] == [talk.session]


def test_every_table_makes_its_indices_in_order() -> None:
    """By name, in every process, so that the same sessions give the same bytes."""
    for table in metadata.sorted_tables:
        names = [index.name for index in table.indexes]
        assert names == sorted(names, key=str)
        assert isinstance(table.indexes, OrderedSet)
