"""`fechner export`: formats by the file's ending, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from .command_line import Run

FIRST = "6f1d2c3b-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("ending", "written"), [("csv", "2 trials"), ("parquet", "2 trials"), ("tsv", "2 trials")]
)
def test_the_ending_decides(run: Run, db: Path, tmp_path: Path, ending: str, written: str) -> None:
    """Each is written and counted."""
    result = run("export", FIRST, "--to", f"out.{ending}", "--db", db)
    assert result.exit_code == 0
    assert f"{written} written to out.{ending}" in result.stdout
    assert (tmp_path / f"out.{ending}").stat().st_size > 0


def test_messages_as_json_lines(run: Run, db: Path, tmp_path: Path) -> None:
    """All of both sessions, also the failed one."""
    result = run("export", "--all", "--to", "out.jsonl", "--db", db)
    assert "9 messages written" in result.stdout
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["seq"] for row in rows] == [1, 2, 3, 4, 5, 1, 2, 3, 4]


def test_long_tables(run: Run, db: Path, tmp_path: Path) -> None:
    """A row for each value."""
    assert "4 values written" in run("export", FIRST, "--to", "out.csv", "--long", "--db", db).stdout
    frame = pd.read_csv(tmp_path / "out.csv")
    assert list(frame["kind"]) == ["parameter", "outcome"] * 2


def test_events_with_their_description(run: Run, db: Path, tmp_path: Path) -> None:
    """Under any name, if the format is named; the description stands beside."""
    result = run("export", FIRST, "--to", "events.txt", "--format", "bids", "--db", db)
    assert "described in events.json" in result.stdout
    assert "onset" in json.loads((tmp_path / "events.json").read_text())
    assert (tmp_path / "events.txt").read_text().startswith("onset\tduration\t")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--to", "out.csv"], "name one session"),
        ([FIRST, "--all", "--to", "out.csv"], "name one session"),
        ([FIRST, "--to", "out.xls"], ".parquet"),
        ([FIRST, "--to", "out.jsonl", "--long"], "--long goes with"),
        (["--all", "--to", "out.tsv"], "one session"),
        ([FIRST, "--to", "out.json", "--format", "bids"], "FILE.tsv"),
        ([FIRST, "--to", "out.csv", "--format", "sql"], "sql"),
    ],
)
def test_used_wrongly(run: Run, db: Path, tmp_path: Path, arguments: list[str], reason: str) -> None:
    """Exit 2, with the reason, and no file."""
    result = run("export", *arguments, "--db", db)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert list(tmp_path.glob("out*")) == []


def test_parquet_without_its_library(run: Run, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says how to get it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = run("export", FIRST, "--to", "out.parquet", "--db", db)
    assert result.exit_code == 1
    assert "fechner[parquet]" in result.stderr
