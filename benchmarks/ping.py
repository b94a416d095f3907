"""How soon the loop answers while models compute: pings beside sessions that ask without a pause.

Each of `--sessions` clients tells and asks as fast as it is answered, with a model fit in every ask; one more
client sends a ping every few milliseconds. Measured are the pings' round trips, and, in the same run, those
of the same server when nobody else is there.

    python benchmarks/ping.py --sessions 20 --seconds 10
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
from deadline import pings
from machine import describe, sentence
from results import show
from startup import CONFIG, Client, free_port

FIRST = 12  # trials of a session before it counts


def crowd(port: int, sessions: int, begin: Any, end: Any, results: Any) -> None:
    """So many sessions, each asking again as soon as it is answered: how many asks were answered."""
    clients = [Client(port, time.monotonic() + 60) for _ in range(sessions)]
    for number, client in enumerate(clients):
        client("setup", config=CONFIG, seed=number)
        for _ in range(FIRST):
            (trial,) = client("ask")["message"]["trials"]
            client("tell", trial=trial["trial"], outcome=int(trial["config"]["x"] > 0.5))
    begin.wait()
    asks = 0
    for client in clients:
        client.send("ask")
    while not end.is_set():
        for client in clients:  # all the others are computed, or wait for a worker, meanwhile
            (trial,) = client.receive()["message"]["trials"]
            client("tell", trial=trial["trial"], outcome=int(trial["config"]["x"] > 0.5))
            client.send("ask")
            asks += 1
    for client in clients:
        client.receive()
    results.put(asks)


def measure(sessions: int, seconds: float, workers: int | None) -> dict[str, Any]:
    """One server: its pings alone, and beside the crowd."""
    port = free_port()
    command = [sys.executable, "-m", "fechner.server.cli", "serve", "--port", str(port)]
    if workers is not None:
        command += ["--workers", str(workers)]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([*command, "--db", f"{folder}/record.db"], stdout=subprocess.DEVNULL)
        context = multiprocessing.get_context("spawn")
        begin, end, results = context.Barrier(2), context.Event(), context.Queue()
        arguments = (port, sessions, begin, end, results)
        people = context.Process(target=crowd, args=arguments, daemon=True)
        try:
            client = Client(port, time.monotonic() + 60)
            client("setup", config=CONFIG)
            client("ask")  # all that is loaded in the background is there by then
            alone = pings(client, 200)
            people.start()
            begin.wait(300)
            beside, until = [], time.perf_counter() + seconds
            while time.perf_counter() < until:
                beside += pings(client, 20)
            end.set()
            asks = results.get(timeout=120)
        finally:
            if people.pid is not None:
                people.join(10)
            server.terminate()
            server.wait(30)
    return {"sessions": sessions, "alone_ms": alone, "beside_ms": beside, "asks": asks / seconds}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sessions", type=int, nargs="+", default=[20])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--workers", type=int, help="the server's default if not given")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    machine = describe()
    found = [measure(sessions, given.seconds, given.workers) for sessions in given.sessions]
    if given.json:
        print(json.dumps({"machine": machine, "runs": found}))
        return
    rows = []
    for run in found:
        for name, who in (("alone_ms", "nobody"), ("beside_ms", f"{run['sessions']} sessions")):
            figures = [float(np.quantile(run[name], share)) for share in (0.5, 0.95, 0.99, 1.0)]
            asks = f"{run['asks']:.0f}" if name == "beside_ms" else ""
            rows.append((who, *(f"{figure:.2f}" for figure in figures), asks))
    show(
        ("beside", "ping ms", "95 %", "99 %", "most", "asks/s"),
        rows,
        f"{given.seconds:g} s of pings. {sentence(machine)}",
        markdown=given.markdown,
    )


if __name__ == "__main__":
    main()
