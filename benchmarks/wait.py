"""How long a participant waits for the next trial: from the response to the trial that follows it.

Simulated participants take a while to respond (`--response-seconds`). Each session is run with asks computed
ahead and without (`--eager off --speculate off`), by turns, with the same seed and the same outcomes; they
must hand out the same trials. Measured are the wait from sending the tell to the next ask's reply, how often
that reply was there already or on its way, and the processor time of all the server's processes.

    python benchmarks/wait.py --cases straddle-2d EAVC-2d --trials 100 --response-seconds 1 --repeats 1
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from statistics import median
from typing import Any

import numpy as np
from cases import CASES, KINDS, config, observers, outcome
from machine import describe, sentence
from results import show
from startup import Client, cpu_seconds, free_port, workers_of

from fechner.strategies.numerics.randomness import rng

OFF = ("--eager", "off", "--speculate", "off")


def session(case: str, trials: int, seconds: float, seed: int, ahead: bool, workers: int) -> dict[str, Any]:
    """One participant: waits in ms, sources of the asks, processor seconds, and the trials handed out."""
    name, d = CASES[case]
    kind = KINDS[name]
    observer = observers(kind)[d]
    random = rng(seed, "outcomes")
    port = free_port()
    command = [sys.executable, "-m", "fechner.server.cli", "serve", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [*command, "--workers", str(workers), "--db", f"{folder}/record.db", *(() if ahead else OFF)],
            stdout=subprocess.DEVNULL,
        )
        try:
            client = Client(port, time.monotonic() + 60)
            client("setup", config=config(kind, observer), seed=seed)
            waits, sources, handed_out = [], [], []
            (trial,) = client("ask")["message"]["trials"]
            for _ in range(trials):
                handed_out.append(trial["config"])
                response = outcome(kind, observer, trial["config"], random)
                time.sleep(seconds)  # the participant
                begun = time.perf_counter()
                client("tell", trial=trial["trial"], outcome=response)
                reply = client("ask")
                waits.append(1e3 * (time.perf_counter() - begun))
                sources.append(reply["timing"]["from"])
                (trial,) = reply["message"]["trials"]
            used = sum(map(cpu_seconds, [server.pid, *workers_of(server.pid)]))
        finally:
            server.terminate()
            server.wait(30)
    return {"waits": waits, "sources": sources, "cpu": used, "trials": handed_out}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--cases", nargs="+", choices=CASES, default=["straddle-2d", "EAVC-2d", "GlobalMI-6d"]
    )
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--response-seconds", type=float, nargs="+", default=[1.0])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    before = describe()
    rows, results = [], []
    for case in options.cases:
        for seconds in options.response_seconds:
            pairs = [
                [session(case, options.trials, seconds, seed, how, options.workers) for how in (True, False)]
                for seed in range(1, options.repeats + 1)
            ]
            same = all(ahead["trials"] == asked["trials"] for ahead, asked in pairs)
            for how, runs in zip(("ahead", "when asked"), zip(*pairs, strict=True), strict=True):
                waits = [wait for run in runs for wait in run["waits"]]
                sources = [source for run in runs for source in run["sources"]]
                figures = {
                    "median": median(waits),
                    "p95": float(np.quantile(waits, 0.95)),
                    "most": max(waits),
                    "hits": 100.0 * sum(source != "request" for source in sources) / len(sources),
                    "cpu": median(run["cpu"] for run in runs),
                }
                results.append({"case": case, "seconds": seconds, "computed": how, "same": same, **figures})
                shown = [f"{value:.1f}" for value in figures.values()]
                rows.append((case, f"{seconds:g}", how, *shown, "yes" if same else "NO"))
    if options.json:
        print(json.dumps({"machine": before, "runs": results}))
        return
    show(
        ("case", "response s", "computed", "wait ms", "95 %", "most", "hits %", "processor s", "same trials"),
        rows,
        f"{options.trials} trials, {options.repeats} participants. {sentence(before)}",
        markdown=options.markdown,
    )


if __name__ == "__main__":
    main()
