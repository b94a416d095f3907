"""How many tells a server acknowledges, each of them durable, and what an ask and a tell take.

Space-filling sessions, so that only the shell works. One process a client: it tells an outcome, asks for the
next trial, and so on, each request after the last reply. Before and after, the folder's own time for a
durable write is measured (4 KiB and fsync).

    python benchmarks/throughput.py --clients 1 50 --seconds 5
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from fechner.server.commands.output import show_table
from machine import describe, sentence
from startup import Client, cpu_seconds, free_port

CONFIG = """
[common]
parnames = [x, y]
outcome_types = [binary]
strategy_names = [init]
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
run_indefinitely = True
"""


def fsync_ms(folder: Path, repeats: int = 50) -> list[float]:
    """Times of a durable write of 4 KiB in a folder."""
    found = []
    with (folder / "probe").open("wb", buffering=0) as file:
        for _ in range(repeats):
            begun = time.perf_counter()
            file.write(b"\0" * 4096)
            os.fsync(file.fileno())
            found.append(1e3 * (time.perf_counter() - begun))
    return found


def client(port: int, number: int, seconds: float, begin: Any, results: Any) -> None:
    """One client's asks and tells for a while: their times in ms."""
    wire = Client(port, time.monotonic() + 60)
    wire("setup", config=CONFIG, seed=number)
    wire("ask")
    begin.wait()
    asks, tells = [], []
    until = time.perf_counter() + seconds
    trial = 1
    while (begun := time.perf_counter()) < until:
        wire("tell", trial=trial, outcome=trial % 2)
        told = time.perf_counter()
        trial = wire("ask")["message"]["trials"][0]["trial"]
        asks.append(1e3 * (time.perf_counter() - told))
        tells.append(1e3 * (told - begun))
    results.put((asks, tells))


def measure(clients: int, seconds: float) -> dict[str, Any]:
    """All clients at once on a fresh server."""
    port = free_port()
    command = [sys.executable, "-m", "fechner.server.cli", "serve", "--port", str(port), "--workers", "0"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = fsync_ms(folder)
        server = subprocess.Popen([*command, "--db", f"{folder}/record.db"], stdout=subprocess.DEVNULL)
        context = multiprocessing.get_context("spawn")
        begin, results = context.Barrier(clients + 1), context.Queue()
        people = [
            context.Process(target=client, args=(port, number, seconds, begin, results), daemon=True)
            for number in range(1, clients + 1)
        ]
        try:
            for one in people:
                one.start()
            begin.wait(120)
            used = cpu_seconds(server.pid)
            found = [results.get(timeout=60 + seconds) for _ in people]
            used = cpu_seconds(server.pid) - used
        finally:
            for one in people:
                one.join(10)
            server.terminate()
            server.wait(30)
        after = fsync_ms(folder)
    asks = [ms for one, _ in found for ms in one]
    tells = [ms for _, one in found for ms in one]
    return {
        "clients": clients,
        "tells": len(tells) / seconds,
        "tell": median(tells),
        "tell_p95": float(np.quantile(tells, 0.95)),
        "ask": median(asks),
        "ask_p95": float(np.quantile(asks, 0.95)),
        "cpu_us": 1e6 * used / (len(tells) + len(asks)),
        "fsync": median([*before, *after]),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    machine = describe()
    found = [measure(clients, options.seconds) for clients in options.clients]
    if options.json:
        print(json.dumps({"machine": machine, "runs": found}))
        return
    shown = ("tells", "tell", "tell_p95", "ask", "ask_p95", "cpu_us", "fsync")
    show_table(
        ("clients", "tells/s", "tell ms", "95 %", "ask ms", "95 %", "processor us a message", "fsync ms"),
        [(str(one["clients"]), *(f"{one[name]:.2f}" for name in shown)) for one in found],
        f"{options.seconds:g} s each",
    )
    print(sentence(machine))


if __name__ == "__main__":
    main()
