"""Records combine into one: nothing dropped, nothing doubled, conflicts refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fechner.database.form.origins import of_session
from fechner.database.form.tables import forgotten, metadata
from fechner.database.keeping import schema
from fechner.database.keeping.connection import Database
from fechner.database.record import Entry, Record, RecordError
from fechner.database.upkeep.combine import ConflictError, combine
from fechner.database.upkeep.forget import forget

from ..talk import Talk

FIRST = "00000000-0000-4000-8000-000000000001"
SECOND = "00000000-0000-4000-8000-000000000002"
THIRD = "00000000-0000-4000-8000-000000000003"


def entries(talk: Talk, session: str, n: int = 3) -> list[Entry]:
    """A session of a setup, `n` told trials, one of them corrected, a pending trial and a failure."""
    talk = type(talk)(session)
    found = [talk.setup(participant=session)]
    for trial in range(1, n + 1):
        found.append(talk.ask((trial, {"level": [0.1 * trial, 0.2]})))
        found.append(talk.tell(trial, {"outcome_1": 1, "text": "é"}, extra={"eye": "left"}))
    found.append(talk.entry("correct", {"type": "correct", "trial": 1, "strategy": 0, "outcome": None}))
    found.append(talk.ask((n + 1, {"level": 0.5})))
    found.append(talk.entry("tell", ok=False))
    return found


def written(file: Path, *sessions: Sequence[Entry]) -> Path:
    """A record of these sessions."""
    with Record.open(file) as record:
        for session in sessions:
            assert record.append([[entry] for entry in session]) == [None] * len(session)
    return file


def contents(file: Path, session: str) -> dict[str, list[Any]]:
    """All rows of a session, table by table, origins apart."""
    with Record.open(file, read_only=True) as record, record.snapshot() as connection:
        return {
            table.name: list(
                connection.execute(
                    sa.select(table).where(table.c.session == session).order_by(*table.primary_key)
                )
            )
            for table in metadata.sorted_tables
            if "session" in table.c and table.name not in ("origins", "forgotten")
        }


def came_from(file: Path, session: str) -> list[tuple[str, str, str]]:
    """A session's origins: file name, kind, hash."""
    with Record.open(file, read_only=True) as record, record.snapshot() as connection:
        return [
            (Path(row["source"]).name, row["kind"], row["hash"]) for row in of_session(connection, session)
        ]


def test_every_session_comes_with_all_that_it_has(talk: Talk, tmp_path: Path) -> None:
    """Messages, hashes, ids and projections are those of the sources, which stay as they are."""
    a = written(tmp_path / "a.db", entries(talk, FIRST), entries(talk, SECOND))
    b = written(tmp_path / "b.db", entries(talk, THIRD, 5))
    before = a.read_bytes(), b.read_bytes()
    combined = combine([a, b], tmp_path / "c.db")
    assert (a.read_bytes(), b.read_bytes()) == before
    assert {one.session: one.source for one in combined.sessions} == {
        FIRST: str(a),
        SECOND: str(a),
        THIRD: str(b),
    }
    assert combined.broken == {}
    with Record.open(tmp_path / "c.db") as record:
        assert [row["session"] for row in record.sessions()] == [FIRST, SECOND, THIRD]
        assert [record.verify_chain(session) for session in (FIRST, SECOND, THIRD)] == [None] * 3
        assert record.find(THIRD, "c-2") is not None
        assert record.append([[type(talk)(THIRD).entry("ping", client_id="later")]]) == [None]
        assert record.verify_chain(THIRD) is None
    (tmp_path / "c.db").unlink()
    combine([a, b], tmp_path / "c.db")
    for source, session in ((a, FIRST), (a, SECOND), (b, THIRD)):
        assert contents(tmp_path / "c.db", session) == contents(source, session)
    assert sorted(file.name for file in tmp_path.glob("*.db")) == ["a.db", "b.db", "c.db"]


def test_the_same_session_is_taken_once_and_the_longer_one_counts(talk: Talk, tmp_path: Path) -> None:
    """In whatever order the records are named, and of more than two."""
    whole = entries(talk, FIRST)
    a = written(tmp_path / "a.db", whole[:3])
    b = written(tmp_path / "b.db", whole, entries(talk, SECOND))
    c = written(tmp_path / "c.db", whole)
    for i, order in enumerate(([a, b, c], [c, b, a], [b, a, c])):
        to = tmp_path / f"to{i}.db"
        combined = combine(order, to)
        [first, second] = combined.sessions
        assert (first.n_messages, len(first.also_in), second.also_in) == (len(whole), 2, ())
        assert contents(to, FIRST) == contents(b, FIRST)
        assert sorted(name for name, _, _ in came_from(to, FIRST)) == ["a.db", "b.db", "c.db"]


def test_sessions_that_go_on_differently_are_all_named(talk: Talk, tmp_path: Path) -> None:
    """And nothing is written."""
    one, two = entries(talk, FIRST), entries(talk, SECOND)
    other = entries(talk, FIRST)[:3]
    other.append(type(talk)(FIRST).entry("exit", {"type": "exit"}, client_id="bye"))
    a = written(tmp_path / "a.db", one, two)
    another = [two[0], type(talk)(SECOND).entry("exit", {"type": "exit"}, client_id="bye")]
    b = written(tmp_path / "b.db", other, another, entries(talk, THIRD))
    with pytest.raises(ConflictError) as refused:
        combine([a, b], tmp_path / "c.db")
    assert f"session {FIRST} differs between {a} and {b} from message 4 on" in str(refused.value)
    assert f"session {SECOND} differs between {a} and {b} from message 2 on" in str(refused.value)
    assert THIRD not in str(refused.value)
    assert sorted(file.name for file in tmp_path.glob("*.db")) == ["a.db", "b.db"]


def test_origins_are_kept(talk: Talk, tmp_path: Path) -> None:
    """A record that was itself combined brings the origins of its sessions along."""
    a = written(tmp_path / "a.db", entries(talk, FIRST))
    b = written(tmp_path / "b.db", entries(talk, SECOND))
    combine([a, b], tmp_path / "ab.db")
    c = written(tmp_path / "c.db", entries(talk, THIRD))
    combine([tmp_path / "ab.db", c], tmp_path / "abc.db")
    with Record.open(a, read_only=True) as record:
        last = record.messages(FIRST)[-1].hash
    assert came_from(tmp_path / "abc.db", FIRST) == [("a.db", "record", last), ("ab.db", "record", last)]
    assert [name for name, _, _ in came_from(tmp_path / "abc.db", THIRD)] == ["c.db"]
    assert came_from(c, THIRD) == []


def test_records_of_older_revisions_are_migrated_in_a_copy(talk: Talk, tmp_path: Path) -> None:
    """The old file stays of its revision."""
    new = written(tmp_path / "new.db", entries(talk, FIRST))
    old = Database(tmp_path / "old.db")
    with old.connection.begin():
        schema.upgrade(old.connection, "0001")
    old.close()
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.execute("ATTACH ? AS new", (str(new),))
        for table in ("messages", "sessions", "strategies", "trials", "trial_parameters", "trial_outcomes"):
            names = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM new.{table}")
    connection.close()
    other = written(tmp_path / "other.db", entries(talk, SECOND))
    combine([tmp_path / "old.db", other], tmp_path / "c.db")
    assert contents(tmp_path / "c.db", FIRST) == contents(new, FIRST)
    with sqlite3.connect(tmp_path / "old.db") as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    connection.close()


def test_a_record_in_use_is_read_as_it_is(talk: Talk, tmp_path: Path) -> None:
    """What a running server has committed comes along."""
    b = written(tmp_path / "b.db", entries(talk, SECOND))
    with Record.open(tmp_path / "a.db") as record:
        record.append([[entry] for entry in entries(talk, FIRST)])
        combine([tmp_path / "a.db", b], tmp_path / "c.db")
        assert record.verify_chain(FIRST) is None
    assert contents(tmp_path / "c.db", FIRST) == contents(tmp_path / "a.db", FIRST)


def test_damage_is_carried_along_and_named(talk: Talk, tmp_path: Path) -> None:
    """A session whose chain is broken already stays so; the others don't suffer."""
    a = written(tmp_path / "a.db", entries(talk, FIRST), entries(talk, SECOND))
    with sqlite3.connect(a) as connection:
        connection.execute("UPDATE messages SET reply = '{}' WHERE session = ? AND seq = 4", (FIRST,))
    connection.close()
    b = written(tmp_path / "b.db", entries(talk, THIRD))
    assert combine([a, b], tmp_path / "c.db").broken == {FIRST: 4}
    with pytest.raises(ConflictError, match="from message 4 on"):
        combine([a, written(tmp_path / "d.db", entries(talk, FIRST))], tmp_path / "e.db")


def test_forgotten_sessions_stay_forgotten(talk: Talk, tmp_path: Path) -> None:
    """What is left of them comes along; a copy elsewhere that has them is named and nothing is written."""
    a = written(tmp_path / "a.db", entries(talk, FIRST), entries(talk, SECOND))
    b = written(tmp_path / "b.db", entries(talk, FIRST), entries(talk, THIRD))
    forget(b, FIRST, "asked for")
    with pytest.raises(ConflictError, match=f"session {FIRST} of .*a.db was forgotten in .*b.db"):
        combine([a, b], tmp_path / "c.db")
    forget(a, FIRST, "asked for")
    combine([a, b], tmp_path / "c.db")
    with Record.open(tmp_path / "c.db", read_only=True) as record:
        assert [row["session"] for row in record.sessions()] == [SECOND, THIRD]
        with record.snapshot() as connection:
            assert [row.session for row in connection.execute(sa.select(forgotten))] == [FIRST]


def test_records_on_postgresql_come_into_a_file(
    talk: Talk, tmp_path: Path, postgres_schema: Callable[[], str]
) -> None:
    """With the same rows, and named without a password."""
    url = postgres_schema()
    with Record.open(url) as record:
        assert record.append([[entry] for entry in entries(talk, FIRST)])[0] is None
    b = written(tmp_path / "b.db", entries(talk, FIRST), entries(talk, SECOND))
    combined = combine([url, b], tmp_path / "c.db")
    assert [one.n_messages for one in combined.sessions] == [len(entries(talk, FIRST))] * 2
    assert combined.broken == {}
    for session in (FIRST, SECOND):
        assert contents(tmp_path / "c.db", session) == contents(b, session)


def test_what_cannot_be_combined(talk: Talk, tmp_path: Path) -> None:
    """A file that is there is never written over; missing, foreign and newer files are named."""
    a = written(tmp_path / "a.db", entries(talk, FIRST))
    with pytest.raises(RecordError, match=r"there is a .*a\.db already"):
        combine([a, a], a)
    with pytest.raises(RecordError, match=r"there is no record .*b\.db"):
        combine([a, tmp_path / "b.db"], tmp_path / "c.db")
    with pytest.raises(RecordError, match="no folder"):
        combine([a, a], tmp_path / "nowhere" / "c.db")
    with pytest.raises(RecordError, match="is no file"):
        combine([a, a], ":memory:")
    (tmp_path / "text.db").write_text("no database" * 100)
    with pytest.raises(RecordError, match=r"text\.db"):
        combine([a, tmp_path / "text.db"], tmp_path / "c.db")
    newer = written(tmp_path / "newer.db", entries(talk, SECOND))
    with sqlite3.connect(newer) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(RecordError, match=r"newer\.db was written by a newer Fechner"):
        combine([a, newer], tmp_path / "c.db")
    assert not (tmp_path / "c.db").exists()
    combine([a, a], tmp_path / "c.db")
