"""Records of earlier releases open, read, verify and export as they did."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fechner.database.export import to_csv
from fechner.database.form.tables import HEAD
from fechner.database.record import Record
from fechner.server.session.replay import fold, strategies

GOLDEN = sorted(file for file in Path(__file__).parent.glob("record-*.db") if not file.stem.endswith("-open"))
#: Of the release in the making; make it anew (make.py) when a release changes what is recorded.
GOLDEN_NEWEST = Path(__file__).parent / "record-0.1.0.db"


@pytest.fixture(params=GOLDEN, ids=lambda file: file.stem)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a golden record."""
    return Path(shutil.copy(request.param, tmp_path / "record.db"))


def test_there_is_one_for_this_release() -> None:
    """A release adds its own, and takes none away."""
    assert {"record-0.1.0", "record-revision-0001"} <= {file.stem for file in GOLDEN}


def test_a_golden_record_is_migrated_and_whole(golden: Path) -> None:
    """It opens, is of the newest revision, and messages and tables are what they were."""
    with Record.open(golden) as record:
        with record.snapshot() as connection:
            assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD
        (session,) = record.all_sessions()
        assert record.check_chain(session) == []
        assert list(record.check_projections()) == []
        assert record.check_storage() == []
        assert record.rebuild() == len(record.messages(session))
        assert list(record.check_projections()) == []


def test_a_golden_record_can_be_read_without_writing(golden: Path) -> None:
    """Also if it is of an older revision."""
    before = golden.read_bytes()
    with Record.open(golden, read_only=True) as record:
        (row,) = record.sessions()
        assert (row["n_strategies"], row["n_trials"], row["n_skipped"]) == (2, 9, 1)
        assert record.check_chain(str(row["session"])) == []
    assert golden.read_bytes() == before


def test_a_golden_session_goes_on(golden: Path) -> None:
    """Its changes fold to strategies that ask and tell, and its messages have every type."""
    with Record.open(golden) as record:
        id_ = record.last()
        assert id_ is not None
        messages = record.messages(id_)
        session = fold(id_, (change for _, _, change in record.changes(id_)))
        assert session.counts() == {"asked": 8, "told": 7, "pending": 1, "skipped": 1}
        assert [trial.number for trial in session.pending.values()] == [9]
        again, pairs = strategies(record, id_)
        assert set(again.ask()) == {"frequency", "side", "tone"}
        assert set(pairs.ask()) == {"p", "eye"}
    assert {message.type for message in messages if message.ok} == {
        "setup", "parameters", "ask", "tell", "skip", "correct", "query", "finish_strategy", "get_config",
        "info", "exit", "resume",
    }  # fmt: skip
    for message in messages:
        assert json.loads(message.reply)["ok"] == message.ok
    assert all(message.change is None for message in messages if not message.ok)


def test_a_golden_record_is_exported(golden: Path, tmp_path: Path) -> None:
    """One row per trial, with corrections and what was really shown."""
    with Record.open(golden) as record:
        assert to_csv(record, tmp_path / "trials.csv") == 9
        with record.snapshot() as connection:
            rows = connection.exec_driver_sql("SELECT trial, corrected_seq, outcomes FROM v_trials").all()
    corrected = {row.trial: row.corrected_seq for row in rows if row.corrected_seq is not None}
    assert corrected == {3: 14, 6: 16}
    assert {row.trial: row.outcomes for row in rows}[6] is None
    lines = (tmp_path / "trials.csv").read_text("utf-8").splitlines()
    assert len(lines) == 10
    assert "asked.frequency" in lines[0]


def test_the_newest_golden_record_is_what_this_release_writes(tmp_path: Path) -> None:
    """The script gives the same session again: the changes of what is recorded are deliberate."""
    source = Path(__file__).parent / "make.py"
    subprocess.run([sys.executable, str(source), str(tmp_path / "new.db")], check=True)
    with (
        Record.open(tmp_path / "new.db", read_only=True) as new,
        Record.open(GOLDEN_NEWEST, read_only=True) as old,
    ):
        session = old.last()
        assert session is not None
        for made, kept in zip(new.messages(session), old.messages(session), strict=True):
            assert (made.type, made.ok, made.request) == (kept.type, kept.ok, kept.request)
            assert set(made.change or {}) == set(kept.change or {})
