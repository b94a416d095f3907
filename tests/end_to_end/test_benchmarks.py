"""The benchmarks run; what they measure is looked at by people, since machines differ."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SMALL = {
    "startup.py": ["--repeats", "1", "--idle-seconds", "0.1"],
    "export.py": ["--trials", "3000", "--also", "csv", "long"],
    "resume.py": ["--repeats", "1", "--trials", "8"],
    "kill.py": ["--kills", "2"],
    "ask.py": ["--repeats", "1", "--trials", "12", "--acquisition", "MCLevelSetEstimation"],
}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads processes by Linux means")
@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_runs(name: str) -> None:
    """It prints a table, or JSON for programs."""
    command = [sys.executable, str(BENCHMARKS / name), *SMALL[name], "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runs"]
