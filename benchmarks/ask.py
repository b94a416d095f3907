"""How long an ask takes that fits the model anew, through a socket.

Each repeat is a session with a seed of its own in two dimensions: Sobol trials told, one ask of the model (so
that the next fit starts from a previous one, as in a session), its outcome told, then the ask that is timed.

    python benchmarks/ask.py --trials 100 --repeats 20
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from statistics import median
from typing import Any

import numpy as np
from startup import Client, free_port, resident_mb, workers_of

from fechner.server.commands.output import show_table
from fechner.strategies.numerics.randomness import rng
from fechner.strategies.numerics.sobol import sobol

#: Acquisition function: outcome type, model.
KINDS = {
    "EAVC": ("binary", "GPClassificationModel"),
    "MCLevelSetEstimation": ("binary", "GPClassificationModel"),
    "qLogNoisyExpectedImprovement": ("continuous", "GPRegressionModel"),
}
AIM_MS = 300.0


def config(kind: str) -> str:
    """A configuration that is the model's from the second ask on."""
    outcome, model = KINDS[kind]
    target = f"[{kind}]\ntarget = 0.75\n" if outcome == "binary" else ""
    box = "par_type = continuous\nlower_bound = -1\nupper_bound = 1\n"
    return f"""
[common]
parnames = [x, y]
outcome_types = [{outcome}]
strategy_names = [init, opt]
[x]
{box}[y]
{box}[init]
generator = SobolGenerator
max_asks = 1
[opt]
generator = OptimizeAcqfGenerator
model = {model}
min_asks = 10000
[OptimizeAcqfGenerator]
acqf = {kind}
{target}"""


def outcome(kind: str, point: dict[str, float], random: np.random.Generator) -> float:
    """Detection of Owen et al. (2021) for binary outcomes; a noisy bump for continuous ones."""
    x, y = point["x"], point["y"]
    if KINDS[kind][0] == "continuous":
        return math.exp(-x * x - y * y) + 0.1 * float(random.standard_normal())
    latent = 4 * (y + 1) / (2 * (0.05 + 0.4 * (0.2 * x - 1) ** 2 * x**2)) - 4
    return float(random.uniform() < 0.5 * math.erfc(-latent / math.sqrt(2)))


def session(client: Client, kind: str, trials: int, seed: int) -> tuple[float, float]:
    """Round trip and computation of the timed ask, in ms."""
    random = rng(seed, "outcomes")
    client("setup", config=config(kind), seed=seed)
    client("ask")
    places = 2 * sobol(seed, 2, 0, trials - 2) - 1
    points: list[dict[str, Any]] = [{"x": float(x), "y": float(y)} for x, y in places]
    client("tell", trials=[{"config": p, "outcome": outcome(kind, p, random)} for p in points])
    client("tell", trial=1, outcome=1)
    (trial,) = client("ask")["message"]["trials"]
    client("tell", trial=trial["trial"], outcome=outcome(kind, trial["config"], random))
    begun = time.perf_counter()
    reply = client("ask")
    return (time.perf_counter() - begun) * 1e3, float(reply["timing"]["compute_ms"])


def measure(kind: str, trials: int, repeats: int, workers: int) -> tuple[list[tuple[float, float]], float]:
    """All repeats on one server, after one that warms it up; the largest process's memory in MB."""
    port = free_port()
    command = [sys.executable, "-m", "fechner.server.cli", "serve", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [*command, "--workers", str(workers), "--db", f"{folder}/record.db"], stdout=subprocess.DEVNULL
        )
        try:
            until = time.monotonic() + 60
            session(Client(port, until), kind, 20, 0)
            timed = [session(Client(port, until), kind, trials, seed) for seed in range(1, repeats + 1)]
            return timed, max(map(resident_mb, [server.pid, *workers_of(server.pid)]))
        finally:
            server.terminate()
            server.wait(30)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--acquisition", choices=KINDS, action="append", help="may be repeated; default all")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    runs = {
        kind: measure(kind, options.trials, options.repeats, options.workers)
        for kind in options.acquisition or KINDS
    }
    if options.json:
        print(json.dumps({"load": load, "cores": os.cpu_count(), "trials": options.trials, "runs": runs}))
        return
    rows = []
    for kind, (timed, memory) in runs.items():
        whole, computed = zip(*timed, strict=True)
        quartiles = np.quantile(whole, [0.25, 0.75])
        rows.append(
            (
                kind,
                *(f"{value:.0f}" for value in (median(whole), *quartiles, max(whole), median(computed))),
                f"{AIM_MS:g}",
                f"{memory:.0f}",
            )
        )
    show_table(
        ("acquisition", "median ms", "25 %", "75 %", "most", "computing", "aim", "worker MB"),
        rows,
        f"ask after {options.trials} trials in 2-d, {options.repeats} sessions, "
        f"load {load:.1f} on {os.cpu_count()} cores",
    )


if __name__ == "__main__":
    main()
