"""Sessions that an earlier release left open go on: the same trials, to the last bit."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fechner.database.record import Record
from fechner.server.session.replay import verify
from fechner.server.shell.environment import differences, environment

from .make_open import CONFIGS, go_on

#: How near a value has to be where other versions of libraries, or another processor, compute.
NEAR = 1e-3
RECORDS = sorted(Path(__file__).parent.glob("record-*-open.db"))


@dataclass(frozen=True)
class Left:
    """A session as its release left it: a copy of the record, what it says next, and what computed it."""

    file: Path
    name: str
    id: str
    next: dict[str, Any]
    environment: dict[str, Any]

    @property
    def to_the_bit(self) -> bool:
        """Whether here computes what computed there; Python's and our own version don't count."""
        lines = differences(self.environment, environment())
        return all(line.startswith(("fechner:", "python:")) for line in lines)


@pytest.fixture(params=[(file, name) for file in RECORDS for name in CONFIGS], ids=lambda one: one[1])
def left(request: pytest.FixtureRequest, tmp_path: Path) -> Left:
    """A session that an earlier release left open."""
    file, name = request.param
    kept = json.loads(file.with_suffix(".json").read_text("utf-8"))
    said = dict(kept["sessions"][name])
    copy = Path(shutil.copy(file, tmp_path / "record.db"))
    return Left(copy, name, said.pop("session"), said, kept["environment"])


def test_there_is_one_of_every_kind() -> None:
    """Nobody takes a session away, and the records are small and in one file each."""
    assert [file.stem for file in RECORDS] == ["record-0.1.0-open"]
    for file in RECORDS:
        kept = json.loads(file.with_suffix(".json").read_text("utf-8"))
        assert set(kept["sessions"]) == {
            "classification", "pairwise", "ordinal", "several outcomes", "aepsych",
        }  # fmt: skip
        assert file.stat().st_size < 300_000
        assert not Path(f"{file}-wal").exists()


def test_an_open_session_is_whole(left: Left) -> None:
    """Its chain, its tables, and its trials."""
    with Record.open(left.file) as record:
        assert record.check_chain(left.id) == []
        assert list(record.check_projections([left.id])) == []
        [row] = [one for one in record.sessions() if one["session"] == left.id]
        assert (row["n_told"], row["n_pending"], row["ended_at"]) == (7, 1, None)


def test_an_open_session_goes_on(left: Left) -> None:
    """Resumed, it has the same pending trial and asks the same next ones, to the last bit."""
    said = go_on(left.file, left.name, left.id)
    if left.to_the_bit:
        assert json.dumps(said) == json.dumps(left.next)
    else:
        assert said["pending"] == left.next["pending"]
        for which in ("next", "after a tell"):
            assert said[which]["trial"] == left.next[which]["trial"]
            for name, value in left.next[which]["config"].items():
                assert said[which]["config"][name] == pytest.approx(value, rel=NEAR, abs=NEAR)
    with Record.open(left.file, read_only=True) as record:
        assert record.verify_chain(left.id) is None


def test_every_ask_of_an_open_session_is_computed_again(left: Left) -> None:
    """Those of the model among them."""
    with Record.open(left.file) as record:
        found = verify(record, left.id, tolerance=0.0 if left.to_the_bit else NEAR)
    assert (found.identical, found.asks) == (True, 8)
