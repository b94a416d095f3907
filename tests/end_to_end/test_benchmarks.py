"""The benchmarks run; what they measure is looked at by people, since machines differ."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

#: They take minutes together, and no user meets them.
pytestmark = pytest.mark.long

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SMALL = {
    "startup.py": ["--repeats", "1", "--idle-seconds", "0.1"],
    "export.py": ["--trials", "3000", "--also", "csv", "long"],
    "resume.py": ["--repeats", "1", "--trials", "8"],
    "kill.py": ["--kills", "2"],
    "record.py": ["--trials", "4", "40", "--rounds", "3"],
    "ask.py": ["--repeats", "1", "--trials", "12", "--acquisition", "MCLevelSetEstimation"],
    "latency.py": [
        "--repeats",
        "1",
        "--asks",
        "1",
        "--trials",
        "8",
        "--cases",
        "straddle-2d",
        "regression-1d",
    ],
    "scale.py": ["--asks", "1", "--trials", "8", "--dimensions", "3", "--queries"],
    "deadline.py": ["--asks", "3", "--trials", "8", "--case", "straddle-1d", "--deadline-ms", "20"],
    "wait.py": ["--cases", "straddle-1d", "--trials", "4", "--response-seconds", "0.01"],
    "ping.py": ["--sessions", "2", "--seconds", "0.2"],
    "hostile.py": ["--attacks", "pings", "zmq_churn", "--seconds", "0.2", "--repeats", "1"],
    "counting.py": ["--sessions", "3", "--repeats", "1"],
    "throughput.py": ["--clients", "1", "2", "--seconds", "0.2"],
    "quality.py": [
        *("discrimination", "--method", "Sobol", "straddle", "--trials", "6", "8", "--repeats", "2"),
        *("--initial", "5", "--jobs", "1"),
    ],
}

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads processes by Linux means")

#: A package that answers as the peer does, with the same point always, and refuses one acquisition function.
PEER = """
import json, socket, sys

class AEPsychServer:
    def __init__(self, database_path):
        self.names = []

    def handle_request(self, request):
        type, message = request["type"], request["message"]
        if type == "setup":
            text = message["config_str"]
            if "EAVC" in text:
                return {"server_error": "UnsupportedError('EAVC')", "message": request}
            listed = text.partition("parnames = [")[2].partition("]")[0]
            self.names = listed.split(", ")
            return {"strat_id": 0}
        if type == "ask":
            return {"config": {name: [0.25] for name in self.names}, "is_finished": False, "num_points": 1}
        if type == "tell":
            assert set(message["config"]) == set(self.names)
            return {"trials_recorded": 1, "model_data_added": 1}
        return {"termination_type": "Terminate", "success": True}

if __name__ == "__main__":
    server = AEPsychServer(None)
    with socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1]))) as listening:
        connection, _ = listening.accept()
    while received := connection.recv(1 << 20):
        connection.sendall(json.dumps(server.handle_request(json.loads(received))).encode())
"""


def ran(name: str, *options: str) -> Any:
    """What a benchmark prints as JSON."""
    command = [sys.executable, str(BENCHMARKS / name), *options, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def peer_python(tmp_path: Path) -> Path:
    """An interpreter in whose environment the package above is installed."""
    package = tmp_path / "packages" / "aepsych"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "server.py").write_text(PEER)
    programs = tmp_path / "bin"
    programs.mkdir()
    begin = f'#!/bin/sh\nPYTHONPATH="{package.parent}" exec "{sys.executable}" '
    for program, runs in {"python": "", "aepsych_server": "-m aepsych.server "}.items():
        (programs / program).write_text(f'{begin}{runs}"$@"\n')
        os.chmod(programs / program, 0o755)
    return programs / "python"


@needs_proc
@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_runs(name: str) -> None:
    """It prints a table, or JSON for programs."""
    assert ran(name, *SMALL[name])["runs"]


@needs_proc
def test_a_peer_is_measured_beside_and_a_stopped_run_goes_on(peer_python: Path, tmp_path: Path) -> None:
    """Sessions of all three; what one refuses is no end; a second run measures what is missing only."""
    out = tmp_path / "latency.jsonl"
    once = ["--repeats", "1", "--asks", "1", "--trials", "6", "--cases", "straddle-1d", "EAVC-1d"]
    options = [*once, "--peer-python", str(peer_python), "--out", str(out)]
    (straddle, eavc) = ran("latency.py", *options)["summary"]
    assert straddle["peer"]["n"] == straddle["peer in process"]["n"] == straddle["fechner"]["n"] == 1
    assert straddle["peer, times"] > 0
    assert "UnsupportedError" in eavc["peer"]["refused"]
    assert eavc["fechner"]["n"] == 1
    before = out.read_text()
    assert len(ran("latency.py", *options)["runs"]) == 4
    assert out.read_text().startswith(before)
    kinds = [json.loads(line)["kind"] for line in out.read_text()[len(before) :].splitlines()]
    assert kinds == ["machine", "refused", "refused"]


@needs_proc
@pytest.mark.parametrize(
    "options",
    [
        ["--clients", "12", "--minutes", "0.05", "--response-seconds", "0.1", "--model-trials", "3"],
        ["--messages", "2000", "--sessions", "8", "--trials", "10"],
    ],
    ids=["clients", "messages"],
)
def test_clients_that_come_and_go_leave_nothing(options: list[str]) -> None:
    """Over TCP and ZMQ, by exit or without: no errors, nothing left of connections and sessions."""
    [found] = ran("soak.py", *options, "--sample-seconds", "0.5")["runs"]
    assert found["faults"] == {}
    assert found["messages"]["setup"] >= 12
    assert found["messages"]["tell"] >= 12
    assert found["left"] == {"connections": 0, "sessions": 0}
    assert found["computations"]["waiting"] == {}
    # The record's files and pipes are opened at the start, sockets come and go; a handful is slack.
    assert found["after"]["server_descriptors"] <= found["start"]["server_descriptors"] + 10


def test_repeats_are_kept_and_compared(tmp_path: Path) -> None:
    """A second run does the missing repeats only; paired differences of a file with itself are 0."""
    out = tmp_path / "quality.jsonl"
    options = ["discrimination", "--method", "Sobol", "--trials", "6", "--jobs", "1", "--out", str(out)]
    ran("quality.py", *options, "--repeats", "1")
    (first,) = [line for line in out.read_text().splitlines() if '"repeat"' in line]
    found = ran("quality.py", *options, "--repeats", "3")["runs"]
    assert {row["repeats"] for row in found} == {3}
    assert next(line for line in out.read_text().splitlines() if '"repeat"' in line) == first
    slow = [*options, "--repeats", "1", "--exact"]
    assert {row["settings"] for row in ran("quality.py", *slow)["runs"]} == {
        "initial 10",
        "initial 10, exact",
    }
    out.write_text(
        "".join(f"{line}\n" for line in out.read_text().splitlines() if '"exact": true' not in line)
    )
    again = tmp_path / "again.jsonl"
    ran("quality.py", *options[:-1], str(again), "--repeats", "3")
    compared = ran("quality.py", "--compare", str(out), str(again))["runs"]
    assert [(row["repeats"], row["difference"]) for row in compared] == [(3, 0.0)] * 3
