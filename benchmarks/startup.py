"""How long `fechner serve` takes to be there, and what it costs while it waits.

Each repeat starts a server on a fresh record and measures, from the start of the command: the reply to hello,
and the reply to the first Sobol ask after a setup. Then, once the workers have computed an ask with a model:
resident memory of the listening process and of its largest worker, and the processor time that the idle
server (listening process and workers) uses.

    python benchmarks/startup.py --repeats 5 --workers 1
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from fechner.server.commands.output import show_table

CONFIG = """
[common]
parnames = [x, y]
outcome_types = [binary]
strategy_names = [init, opt]
[x]
par_type = continuous
lower_bound = 0
upper_bound = 1
[y]
par_type = continuous
lower_bound = 0
upper_bound = 1
[init]
generator = SobolGenerator
min_asks = 10
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 1000
[OptimizeAcqfGenerator]
acqf = EAVC
[EAVC]
target = 0.75
"""

#: What is measured, in which unit, and the most it should be on two cores.
FIGURES = {
    "hello": ("s", 0.8),
    "setup and first ask": ("s", 1.5),
    "listening process": ("MB", 150.0),
    "worker": ("MB", 500.0),
    "idle": ("% of a core", 1.0),
}


class Client:
    """A socket that sends version 1 requests and waits for each reply."""

    def __init__(self, port: int, until: float, timeout: float = 60.0) -> None:
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout)
                break
            except ConnectionRefusedError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.002)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self.socket.makefile("rb")

    def __call__(self, type: str, **message: Any) -> dict[str, Any]:
        """The reply to a request."""
        self.send(type, **message)
        return self.receive()

    def send(self, type: str, **message: Any) -> None:
        """Send a request, and don't wait."""
        self.socket.sendall(json.dumps({"version": "1", "type": type, "message": message}).encode())

    def receive(self) -> dict[str, Any]:
        """The reply to the oldest request that has none."""
        reply: dict[str, Any] = json.loads(self._lines.readline())
        if not reply["ok"]:
            raise RuntimeError(reply["error"])
        return reply


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def workers_of(pid: int) -> list[int]:
    """The children of a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == pid:
                    found.append(int(entry.name))
    return found


def resident_mb(pid: int) -> float:
    """Resident memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1e3


def cpu_seconds(pid: int) -> float:
    """Processor time used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def settled(pids: list[int], seconds: float = 0.5, within: float = 60.0) -> None:
    """Wait until the processes have nothing to do any more."""
    until = time.monotonic() + within
    before = -1.0
    while (used := sum(map(cpu_seconds, pids))) - before > 0.02 and time.monotonic() < until:
        before = used
        time.sleep(seconds)


def measure(workers: int, idle_seconds: float) -> dict[str, float]:
    """One start."""
    port = free_port()
    command = [sys.executable, "-m", "fechner.server.cli", "serve", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        server = subprocess.Popen(
            [*command, "--workers", str(workers), "--db", f"{folder}/record.db"], stdout=subprocess.DEVNULL
        )
        try:
            client = Client(port, begun + 60)
            client("hello")
            hello = time.monotonic() - begun
            client("setup", config=CONFIG, seed=1)
            client("ask")
            first_ask = time.monotonic() - begun
            for trial in range(11):
                client("tell", trial=trial + 1, outcome=trial % 2)
                client("ask")
            pids = [server.pid, *workers_of(server.pid)]
            settled(pids)
            before, at = sum(map(cpu_seconds, pids)), time.monotonic()
            time.sleep(idle_seconds)
            used = sum(map(cpu_seconds, pids)) - before
            return {
                "hello": hello,
                "setup and first ask": first_ask,
                "listening process": resident_mb(server.pid),
                "worker": max(map(resident_mb, pids[1:]), default=float("nan")),
                "idle": 100.0 * used / (time.monotonic() - at),
            }
        finally:
            server.terminate()
            server.wait(30)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--idle-seconds", type=float, default=5.0)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    runs = [measure(options.workers, options.idle_seconds) for _ in range(options.repeats)]
    if options.json:
        print(json.dumps({"load": load, "cores": os.cpu_count(), "runs": runs}))
        return
    show_table(
        ("what", "median", "least", "most", "unit", "aim"),
        [
            (name, *(f"{f([run[name] for run in runs]):.3g}" for f in (median, min, max)), unit, f"{aim:g}")
            for name, (unit, aim) in FIGURES.items()
        ],
        f"{options.repeats} starts, {options.workers} workers, load {load:.1f} on {os.cpu_count()} cores",
    )


if __name__ == "__main__":
    main()
