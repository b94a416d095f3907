"""Another checkout beside this one: the same benchmarks of both by turns, and the ratio of their medians.

Each turn runs startup, ask, throughput, ping and wait once from the other checkout and once from this one,
the order changing from turn to turn, so that whatever else the machine does meets both. Shown are the medians
over the turns, the ratio, and its quartiles over the turns. Each checkout has its own
virtual environment, `.venv`.

    python benchmarks/before_after.py --other /path/to/other --turns 7
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from results import show

HERE = Path(__file__).resolve().parents[1]

#: A turn's share of each benchmark: options, and what of its JSON is compared.
Found = Iterator[tuple[str, float]]


def _startup(runs: Any) -> Found:
    for name in ("hello", "setup and first ask"):
        yield f"startup: {name} [ms]", median(1e3 * run[name] for run in runs)
    for name in ("listening process", "worker"):
        yield f"startup: memory of the {name} [MB]", median(run[name] for run in runs)


def _ask(runs: Any) -> Found:
    for name, (asks, memory) in runs.items():
        yield f"ask: {name} [ms]", median(one[0] for one in asks)
        yield f"ask: worker's memory, {name} [MB]", memory


def _throughput(runs: Any) -> Found:
    for run in runs:
        clients = f"{run['clients']} client{'s' * (run['clients'] > 1)}"
        yield f"throughput: tell, {clients} [ms]", run["tell"]
        yield f"throughput: processor a tell, {clients} [us]", run["cpu_us"]


def _ping(runs: Any) -> Found:
    for run in runs:
        yield "ping: alone [ms]", median(run["alone_ms"])
        beside = next(run[key] for key in run if key.endswith("_ms") and key != "alone_ms")
        yield f"ping: beside {run['sessions']} sessions [ms]", median(beside)


def _wait(runs: Any) -> Found:
    for run in runs:
        yield f"wait: {run['case']}, {run['computed']} [ms]", run["median"]


BENCHMARKS: dict[str, tuple[list[str], Callable[[Any], Found]]] = {
    "startup": (["--repeats", "3", "--idle-seconds", "1"], _startup),
    "ask": (["--trials", "100", "--repeats", "5"], _ask),
    "throughput": (["--clients", "1", "50", "--seconds", "3"], _throughput),
    "ping": (["--sessions", "20", "--seconds", "3"], _ping),
    "wait": (["--cases", "EAVC-2d", "--trials", "30", "--response-seconds", "0.3"], _wait),
}


def run(checkout: Path, name: str) -> dict[str, float]:
    """One run of a benchmark from a checkout."""
    options, read = BENCHMARKS[name]
    command = [str(checkout / ".venv/bin/python"), f"benchmarks/{name}.py", *options, "--json"]
    done = subprocess.run(command, cwd=checkout, stdout=subprocess.PIPE, text=True, check=True)
    return dict(read(json.loads(done.stdout.splitlines()[-1])["runs"]))


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--other", type=Path, required=True, help="the checkout to compare with")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="may be repeated; default all")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    options = parser.parse_args()
    other = options.other.resolve()
    found: dict[str, list[tuple[float, float]]] = {}
    for turn in range(options.turns):
        for name in options.only or BENCHMARKS:
            sides = [other, HERE] if turn % 2 == 0 else [HERE, other]
            both = {side: run(side, name) for side in sides}
            for figure, value in both[HERE].items():
                found.setdefault(figure, []).append((both[other][figure], value))
    rows = []
    for figure, pairs in found.items():
        before, after = (median(pair[side] for pair in pairs) for side in (0, 1))
        ratios = [after / before for before, after in pairs]
        low, _, high = quantiles(ratios, n=4) if len(ratios) > 1 else (ratios[0],) * 3
        shown = [f"{before:.3g}", f"{after:.3g}", f"{median(ratios):.3f}", f"{low:.3f}–{high:.3f}"]
        rows.append([figure, *shown])
    show(["figure", "other", "this", "ratio", "quartiles"], rows, options.markdown)


if __name__ == "__main__":
    main()
