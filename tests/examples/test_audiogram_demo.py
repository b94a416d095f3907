"""`make demo`: the audiogram demo, run as a user runs it, and how near it comes to the truth."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fechner.database.keeping.lock import RecordLock
from fechner.database.record import Record

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "audiogram_demo.py"


def run(folder: Path, *options: str) -> str:
    """The demo's output."""
    command = [sys.executable, str(DEMO), "--out", str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_short_demo_leaves_an_audiogram_and_a_record_that_replays(tmp_path: Path) -> None:
    """Eight thresholds beside the truth, a picture, a verified record; nothing overwritten or left over."""
    (tmp_path / "audiogram.db").write_bytes(b"from an earlier run")
    said = run(tmp_path, "--trials", "9", "--seed", "3", "--target", "0.75")

    rows = re.findall(r"^ *([\d.]+) .* to .*[+-][\d.]+ *$", said, re.M)
    assert rows == ["0.25", "0.5", "1", "2", "3", "4", "6", "8"]
    assert "identical: 9 asks recomputed" in said
    assert (tmp_path / "audiogram.db").read_bytes() == b"from an earlier run"
    assert (tmp_path / "audiogram-2.png").read_bytes().startswith(b"\x89PNG")
    file = tmp_path / "audiogram-2.db"
    RecordLock(str(file)).release()  # nobody holds it any more
    with Record.open(file, read_only=True) as record:
        (session,) = record.sessions()
        assert (session["name"], session["n_told"]) == ("audiogram demo", 9)
        assert session["ended_at"] is not None


@pytest.mark.long
def test_the_whole_demo_comes_near_the_truth(tmp_path: Path) -> None:
    """Sixty tones, thresholds within 8 dB of the truth on average."""
    said = run(tmp_path)
    assert "identical: 60 asks recomputed" in said
    error = re.search(r"mean absolute error ([\d.]+) dB after 60 tones", said)
    assert error is not None
    assert float(error[1]) <= 8.0


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_over_twenty_seeds_the_thresholds_are_accurate() -> None:
    """The mean absolute error averages 5 dB at most, that of the worst seed 8 dB at most."""
    command = [sys.executable, str(ROOT / "benchmarks" / "demo_accuracy.py"), "--seeds", "20", "--json"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert len(found["sessions"]) == 20
    assert found["mean_db"] <= 5.0
    assert found["worst_db"] <= 8.0
