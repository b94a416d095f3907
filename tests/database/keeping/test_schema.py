"""Opening a record makes, migrates or refuses it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fechner.database.form.tables import HEAD
from fechner.database.keeping import schema
from fechner.database.keeping.connection import Database
from fechner.database.record import Record, RecordError

from ..talk import Talk


def _schema(database: Database) -> dict[str, Any]:
    """Everything in the schema, whatever the order in which its text was put together."""
    with database.connection.begin():
        inspector = sa.inspect(database.connection)
        views = {name: inspector.get_view_definition(name) for name in inspector.get_view_names()}
        tables = {
            name: {
                "columns": [
                    {**column, "type": str(column["type"])} for column in inspector.get_columns(name)
                ],
                "key": inspector.get_pk_constraint(name),
                "foreign keys": sorted(inspector.get_foreign_keys(name), key=str),
                "indices": sorted(map(_plain, inspector.get_indexes(name)), key=str),
                "others": [
                    inspector.get_unique_constraints(name),
                    inspector.get_check_constraints(name),
                ],
            }
            for name in inspector.get_table_names()
        }
    return {"tables": tables, "views": views}


def _plain(index: Any) -> dict[str, Any]:
    return {**index, "dialect_options": {name: str(one) for name, one in index["dialect_options"].items()}}


def test_migrations_give_the_very_schema_of_the_tables(where: str, elsewhere: str) -> None:
    """A new record, made at once, equals one that went through every migration."""
    made, migrated = Database(where), Database(elsewhere)
    schema.prepare(made)
    with migrated.connection.begin():
        schema.upgrade(migrated.connection)
    found = _schema(made)
    assert found == _schema(migrated)
    assert set(found["views"]) == {"v_trials", "v_sessions"}
    assert schema.known_revisions()[0] == HEAD
    made.close()
    migrated.close()


def test_an_older_record_is_migrated_on_open(file: Path, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record of an older revision is brought up to date and keeps its data; to be read, a copy of it is."""
    with Record.open(file) as record:
        assert record.append([[talk.setup()]]) == [None]
    migrations = schema.MIGRATIONS
    copy = file.parent / "100% new"
    (copy / "versions").mkdir(parents=True)
    (copy / "env.py").write_text((migrations / "env.py").read_text())
    for revision in (migrations / "versions").glob("0*.py"):
        shutil.copy(revision, copy / "versions")
    (copy / "versions" / "9000_next.py").write_text(
        f"from alembic import op\nrevision, down_revision = '9000', '{HEAD}'\n"
        "def upgrade():\n    op.execute('ALTER TABLE sessions ADD COLUMN room TEXT')\n"
    )
    monkeypatch.setattr(schema, "HEAD", "9000")
    monkeypatch.setattr(schema, "MIGRATIONS", copy)
    before = file.read_bytes()
    with Record.open(file, read_only=True) as record:  # in a copy that goes with it
        assert record.exists(talk.session)
        with record.snapshot() as connection:
            assert connection.exec_driver_sql("SELECT room FROM sessions").all() == [(None,)]
        (refusal,) = record.append([[talk.entry("info")]])
        assert "reading only" in str(refusal)
    assert file.read_bytes() == before
    with Record.open(file) as record:
        assert record.exists(talk.session)
        with record.snapshot() as connection:
            assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").all() == [("9000",)]
            assert connection.exec_driver_sql("SELECT room FROM sessions").all() == [(None,)]
    Record.open(file, read_only=True).close()


def test_a_migration_that_fails_leaves_the_record_as_it_was(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of a migration is one transaction."""
    Record.open(file).close()
    before = Database(file)
    was = _schema(before)
    before.close()

    def upgrade(connection: sa.Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (done TEXT)")
        raise KeyboardInterrupt

    monkeypatch.setattr(schema, "HEAD", "9000")
    monkeypatch.setattr(schema, "upgrade", upgrade)
    with pytest.raises(KeyboardInterrupt):
        Record.open(file)
    after = Database(file)
    assert _schema(after) == was
    after.close()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_record_is_refused_by_name(file: Path, read_only: bool) -> None:
    """The error says which file, that it is newer, and what to do."""
    Record.open(file).close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    connection.close()
    with pytest.raises(RecordError, match=r"record\.db was written by a newer Fechner .*0999.*upgrade"):
        Record.open(file, read_only=read_only)


def test_other_files_are_refused_and_left_alone(file: Path, tmp_path: Path) -> None:
    """A foreign database, a file that is none, a folder and a missing folder are named errors."""
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE notes (text TEXT)")
    connection.close()
    with pytest.raises(RecordError, match="no record of Fechner"):
        Record.open(file)
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("notes",)]
    connection.close()
    text = tmp_path / "text.db"
    text.write_text("This is no database, whatever its name says.\n" * 40)
    with pytest.raises(RecordError, match=r"text\.db.*not a database"):
        Record.open(text)
    with pytest.raises(RecordError, match="is a folder"):
        Record.open(tmp_path)
    with pytest.raises(RecordError, match="there is no folder"):
        Record.open(tmp_path / "missing" / "x.db")
    with pytest.raises(RecordError, match="no database URL"):
        Record.open("://")


def test_a_file_can_be_named_in_several_ways(file: Path, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path, a bare name, a URL and odd characters name the same record."""
    monkeypatch.chdir(file.parent)
    odd = "100% odd?name#1.db"
    with Record.open(odd) as record:
        record.append([[talk.setup()]])
    assert (file.parent / odd).exists()
    for name in (file.parent / odd, str(file.parent / odd)):
        with Record.open(name) as record:
            assert record.exists(talk.session)
    Record.open("sqlite:///record.db").close()
    assert file.exists()


def test_reading_only_reads(file: Path, talk: Talk) -> None:
    """A record opened for reading can be read, beside its writer, and can't be written."""
    with pytest.raises(RecordError, match="there is no record"):
        Record.open(file, read_only=True)
    assert not file.exists()
    with Record.open(file) as writer, Record.open(file, read_only=True) as reader:
        assert writer.append([[talk.setup()]]) == [None]
        assert reader.exists(talk.session)
        (failure,) = reader.append([[talk.entry("info")]])
        assert "reading only" in str(failure)
        assert len(writer.messages(talk.session)) == 1


def test_reading_only_leaves_the_file_as_it_is(file: Path, talk: Talk) -> None:
    """Reading changes neither the record nor a log that a killed writer left with messages in it."""
    killed = Record.open(file)
    killed.append([[talk.setup()]])
    for name in (file, Path(f"{file}-wal")):
        name.with_name("left" + name.name.removeprefix("record")).write_bytes(name.read_bytes())
    killed.close()
    left = file.with_name("left.db")
    logged = Path(f"{left}-wal")
    before = left.read_bytes(), logged.read_bytes()
    with Record.open(left, read_only=True) as reader:
        assert reader.exists(talk.session)
        assert reader.verify_chain(talk.session) is None
    assert (left.read_bytes(), logged.read_bytes()) == before


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root writes everywhere")
def test_reading_only_works_in_a_folder_that_cannot_be_written(file: Path, talk: Talk) -> None:
    """A record on a read-only disk can be read."""
    with Record.open(file) as writer:
        writer.append([[talk.setup()]])
    file.parent.chmod(0o555)
    try:
        with Record.open(file, read_only=True) as reader:
            assert reader.exists(talk.session)
    finally:
        file.parent.chmod(0o755)


def test_opening_imports_alembic_only_to_migrate(file: Path) -> None:
    """Records that are new or up to date are opened without it."""
    script = (
        "import sys; from fechner.database.record import Record; Record.open(sys.argv[1]).close();"
        "Record.open(sys.argv[1]).close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_reading_only_leaves_no_file_beside(file: Path, talk: Talk) -> None:
    """The log that SQLite makes for a reader goes with the last one; that of a writer stays."""
    with Record.open(file) as writer:
        assert writer.append([[talk.setup()]]) == [None]
    with Record.open(file, read_only=True) as one, Record.open(file, read_only=True) as other:
        assert one.last() == other.last() == talk.session
        one.close()
        assert other.last() == talk.session
    assert list(file.parent.iterdir()) == [file]
    with Record.open(file) as writer:
        with Record.open(file, read_only=True) as reader:
            assert reader.last() == talk.session
        assert writer.append([[talk.entry("info")]]) == [None]
        with Record.open(file, read_only=True) as reader:
            assert len(reader.messages(talk.session)) == 2
