"""How well a deadline is kept: asks with `deadline_ms`, each followed by its outcome, over as many trials.

The model sees the most recent `--trials` outcomes, so that every ask is as much work. Nothing is computed
ahead unless `--ahead`. Measured is the time from sending the ask to having its reply, and which tiers
answered; beside it what an idle server's ping takes in the same run, since that holds all that neither can
help: the machine's own jitter. In the end the session is verified.

    python benchmarks/deadline.py --case GlobalMI-6d --trials 200 --asks 1000 --deadline-ms 50
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from typing import Any

import numpy as np
from cases import CASES, KINDS, beforehand, config, observers, outcome
from machine import describe, sentence
from results import show, spread
from startup import Client, free_port
from wait import OFF

from fechner.strategies.numerics.randomness import rng

BULK = 50  # trials in one tell


def pings(client: Client, count: int, pause: float = 0.005) -> list[float]:
    """Round trips of pings, in ms, to a server that does nothing else."""
    found = []
    for _ in range(count):
        time.sleep(pause)
        begun = time.perf_counter()
        client("ping")
        found.append(1e3 * (time.perf_counter() - begun))
    return found


def measure(
    case: str, trials: int, asks: int, deadline_ms: float, ahead: bool, workers: int
) -> dict[str, Any]:
    """One session on a server of its own."""
    name, d = CASES[case]
    kind = KINDS[name]
    observer = observers(kind)[d]
    random = rng(1, "outcomes")
    port = free_port()
    text = config(kind, observer).replace(
        "min_asks = 100000", f"min_asks = 100000\nkeep_most_recent = {trials}"
    )
    command = [sys.executable, "-m", "fechner.server.cli", "serve", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        record = f"{folder}/record.db"
        server = subprocess.Popen(
            [*command, "--workers", str(workers), "--db", record, *(() if ahead else OFF)],
            stdout=subprocess.DEVNULL,
        )
        try:
            client = Client(port, time.monotonic() + 60)
            session = client("setup", config=text)["session"]
            client("ask")
            configs, answers = beforehand(kind, observer, trials, 1)
            for begin in range(0, trials, BULK):
                some = zip(configs[begin : begin + BULK], answers[begin : begin + BULK], strict=True)
                client("tell", trials=[{"config": one, "outcome": answer} for one, answer in some])
            client("ask")  # the first fit takes its time
            idle = pings(client, asks // 2)
            times, tiers = [], Counter[str]()
            for _ in range(asks):
                begun = time.perf_counter()
                reply = client("ask", deadline_ms=deadline_ms)
                times.append(1e3 * (time.perf_counter() - begun))
                tiers[reply["timing"]["tier"]] += 1
                (trial,) = reply["message"]["trials"]
                answer = outcome(kind, observer, trial["config"], random)
                client("tell", trial=trial["trial"], outcome=answer)
            idle += pings(client, asks // 2)
            client("exit")
        finally:
            server.terminate()
            server.wait(30)
        replay = [sys.executable, "-m", "fechner.server.cli", "replay", session, "--verify", "--db", record]
        verified = subprocess.run(replay, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return {
        "case": case,
        "trials": trials,
        "deadline_ms": deadline_ms,
        "ahead": ahead,
        "asks_ms": times,
        "pings_ms": idle,
        "tiers": dict(tiers),
        "verified": verified.returncode == 0,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--case", choices=CASES, default="GlobalMI-6d")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--asks", type=int, default=1000)
    parser.add_argument("--deadline-ms", type=float, nargs="+", default=[50.0])
    parser.add_argument("--ahead", action="store_true", help="compute asks ahead")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    machine = describe()
    found = [
        measure(given.case, given.trials, given.asks, deadline, given.ahead, given.workers)
        for deadline in given.deadline_ms
    ]
    if given.json:
        print(json.dumps({"machine": machine, "runs": found}))
        return
    rows = []
    for run in found:
        asks, idle = spread(run["asks_ms"]), spread(run["pings_ms"])
        p99 = float(np.quantile(run["asks_ms"], 0.99))
        shown = [asks["median"], asks["p95"], p99, max(run["asks_ms"]), idle["median"], max(run["pings_ms"])]
        tiers = ", ".join(f"{tier} {count}" for tier, count in sorted(run["tiers"].items()))
        verified = "identical" if run["verified"] else "DIFFERENT"
        rows.append((f"{run['deadline_ms']:g}", *(f"{value:.1f}" for value in shown), tiers, verified))
    show(
        ("deadline ms", "ask ms", "95 %", "99 %", "most", "idle ping", "most", "tiers", "replay"),
        rows,
        f"{given.case}, {given.trials} trials, {given.asks} asks. {sentence(machine)}",
        markdown=given.markdown,
    )


if __name__ == "__main__":
    main()
