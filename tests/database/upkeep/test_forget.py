"""A person's sessions leave the record; a tombstone stays."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fechner.database.form.tables import forgotten, metadata
from fechner.database.record import Record, RecordError
from fechner.database.upkeep.forget import forget, mentions, sessions_of

from ..talk import Talk

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def _fill(record: Record, kind: type[Any]) -> None:
    """P 7 by participant, and by metadata, beside somebody else."""
    for session, more in (
        ("1", {"participant": "P 7"}),
        ("2", {"participant": "Q", "metadata": {"lab": "P 7"}}),
        ("3", {"participant": None, "metadata": {"participant_id": "P 7"}}),
    ):
        talk = kind(session * 36)
        request = '{"participant": "P 7"}' if session != "2" else '{"lab": "P 7"}'
        entries = [
            talk.entry("setup", talk.setup(**more).change, request=request),
            talk.ask((1, {"level": 0.1})),
            talk.tell(1, {"outcome_1": 1}, extra={"secret": f"whisper{session}"}),
        ]
        assert record.append([[entry] for entry in entries]) == [None] * 3


def test_a_person_is_found_by_participant_and_metadata(record: Record, talk: Talk) -> None:
    """Only where a setup names them as a person; other mentions are listed apart."""
    _fill(record, type(talk))
    with record.snapshot() as connection:
        rows = sessions_of(connection, "P 7")
        assert [row["session"][0] for row in rows] == ["1", "3"]
        assert rows[0]["participants"] == ["P 7"]
        assert [id_[0] for id_ in mentions(connection, "P 7", [row["session"] for row in rows])] == ["2"]
        assert sessions_of(connection, "p 7") == []


def test_every_table_forgets(where: str, talk: Talk) -> None:
    """No row of the sessions is left but a tombstone, and the others stay as they were."""
    with Record.open(where) as record:
        _fill(record, type(talk))
        stays = record.messages("2" * 36)
        ends = {id_: record.messages(id_)[-1].hash for id_ in ("1" * 36, "3" * 36)}
    rows = forget(where, "P 7", "asked to", NOON)
    assert {row["session"]: row["last_hash"] for row in rows} == ends
    with Record.open(where) as record:
        assert [row["session"] for row in record.sessions()] == ["2" * 36]
        assert record.messages("2" * 36) == stays
        assert record.verify_chain("2" * 36) is None
        with record.snapshot() as connection:
            for table in metadata.sorted_tables:
                left = set(connection.execute(sa.select(table.c.session)).scalars())
                assert left <= ({"2" * 36} if table is not forgotten else set(ends))
            tombs = connection.execute(sa.select(forgotten).order_by(forgotten.c.session)).all()
    assert [tuple(tomb) for tomb in tombs] == [(id_, NOON, 3, end, "asked to") for id_, end in ends.items()]


def test_nothing_is_left_in_the_files(file: Path, talk: Talk) -> None:
    """Not a word of what was said is in the database file or its log."""
    with Record.open(file) as record:
        _fill(record, type(talk))
    forget(file, "P 7", "asked to")
    for path in file.parent.glob(f"{file.name}*"):
        data = path.read_bytes()
        assert b"whisper1" not in data
        assert b"whisper3" not in data
    assert b"whisper2" in file.read_bytes()


def test_a_reader_that_keeps_the_log_is_reported(
    file: Path, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sessions are gone, and the error says what still holds them."""
    with Record.open(file) as record:
        _fill(record, type(talk))
    monkeypatch.setattr("fechner.database.upkeep.forget.BUSY_TIMEOUT_MS", 1)
    with (
        Record.open(file, read_only=True) as reader,
        reader.snapshot() as connection,
    ):
        assert (
            connection.execute(sa.select(sa.func.count()).select_from(metadata.tables["trials"])).scalar()
            == 3
        )
        with pytest.raises(RecordError, match="are removed, but"):
            forget(file, "P 7", "asked to")
    with Record.open(file) as record:
        assert len(record.sessions()) == 1


def test_nobody_of_that_name(record: Record, where: str, talk: Talk) -> None:
    """Nothing changes."""
    _fill(record, type(talk))
    assert forget(where, "nobody", "asked to") == []
    assert len(record.sessions()) == 3


def test_a_session_that_came_back_is_forgotten_again(where: str, talk: Talk) -> None:
    """The newest tombstone counts."""
    for _ in range(2):
        with Record.open(where) as record:
            one = type(talk)(talk.session)
            assert record.append([[one.setup()]]) == [None]
        forget(where, "P 7", "asked to")
    with Record.open(where) as record, record.snapshot() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(forgotten)).scalar() == 1
