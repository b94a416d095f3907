"""How much is known after so many trials: problems with a known truth, published figures beside.

Each repeat is a session of the very functions that the server runs, with an observer that answers: a few
Sobol trials, then those of the method. At some numbers of trials a model that is fitted to all of them is
compared with the truth (benchmarks/problems.py says how). Repeats are paired over methods and settings: the
same Sobol trials, and the same chance of the observer at every trial.

    python benchmarks/quality.py discrimination --method Sobol EAVC --trials 50 100 --repeats 50 --out q
    python benchmarks/quality.py discrimination --method EAVC --trials 100 --repeats 50 --exact --out exact
    python benchmarks/quality.py --compare q exact

Each finished repeat is a line of the --out file; the same command again does those that are missing.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

from fechner.strategies.numerics.threads import ENVIRONMENT

os.environ.update(ENVIRONMENT)  # here and in the processes of the repeats, before numpy is imported

import machine
from methods import METHODS, configuration, exact, no_shortcuts
from problems import PROBLEMS, Judge
from repeats import compare, summary
from results import Line, Store, show

from fechner.strategies import Strategy
from fechner.strategies.config import check
from fechner.strategies.errors import ConfigError
from fechner.strategies.numerics.randomness import rng
from fechner.strategies.simulation import Observer


def settings(method: str, given: argparse.Namespace) -> dict[str, Any]:
    """What makes two runs comparable, and a repeat the same."""
    sections: dict[str, dict[str, Any]] = exact(method) if given.exact else {}
    for one in given.set:
        place, _, value = one.partition("=")
        section, _, key = place.rpartition(".")
        sections.setdefault(section, {})[key] = value
    adaptive = {} if METHODS[method] is None else {"refit_every": given.refit_every}
    return {"initial": given.initial, **adaptive, "exact": given.exact, "sections": sections}


@cache
def judged(problem: str, data: Path | None) -> tuple[Observer, Judge]:
    """A problem's observer and judge, once in a process."""
    observer = PROBLEMS[problem].observer(data)
    return observer, Judge(PROBLEMS[problem], observer)


def repeat(
    problem: str, data: Path | None, method: str, chosen: dict[str, Any], trials: list[int], seed: int
) -> Line:
    """One session, in a process that may have done others."""
    observer, judge = judged(problem, data)  # the same truth for all settings
    if chosen["exact"]:
        with no_shortcuts():
            return session(problem, observer, judge, method, chosen, trials, seed)
    return session(problem, observer, judge, method, chosen, trials, seed)


def session(
    problem: str,
    observer: Observer,
    judge: Judge,
    method: str,
    chosen: dict[str, Any],
    trials: list[int],
    seed: int,
) -> Line:
    """One session, with the settings of this process."""
    strategy, random = Strategy(configuration(observer, method, chosen), seed=seed), rng(seed, "observer")
    at: dict[str, dict[str, float]] = {}
    asking = 0.0
    begun = time.perf_counter()
    for n in range(1, max(trials) + 1):
        before = time.perf_counter()
        point = strategy.ask()
        asking += time.perf_counter() - before
        strategy.tell(point, int(random.random() < observer.probability(point)))
        if n in trials:
            at[str(n)] = judge(strategy)
    return {
        "kind": "repeat",
        "problem": problem,
        "method": method,
        "settings": chosen,
        "repeat": seed,
        "at": at,
        "seconds": round(time.perf_counter() - begun, 2),
        "ask_ms": round(1e3 * asking / max(trials), 2),
    }


def same(line: Line) -> str:
    """What a repeat is, but for its number of trials."""
    return json.dumps([line[name] for name in ("problem", "method", "settings", "repeat")], sort_keys=True)


def run(given: argparse.Namespace, store: Store) -> None:
    """Every repeat that isn't there yet, several at a time."""
    had: dict[str, set[str]] = {}
    for line in store.of("repeat"):
        had.setdefault(same(line), set()).update(line["at"])
    wanted = []
    observer, _ = judged(given.problem, given.data)
    for method in list(given.method):
        chosen = settings(method, given)
        try:
            check(configuration(observer, method, chosen))
        except ConfigError as error:
            given.method.remove(method)
            print(f"{method}: not supported: {'; '.join(map(str, error.problems))}", file=sys.stderr)
            continue
        for seed in range(given.first, given.first + given.repeats):
            line = {"problem": given.problem, "method": method, "settings": chosen, "repeat": seed}
            if not {str(n) for n in given.trials} <= had.get(same(line), set()):
                wanted.append((seed, method, chosen))
    wanted.sort(key=lambda one: one[0])  # all methods get a repeat before the next
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(given.jobs, context) as pool:
        todo = [
            pool.submit(repeat, given.problem, given.data, method, chosen, given.trials, seed)
            for seed, method, chosen in wanted
        ]
        try:
            for done in as_completed(todo):
                line = done.result()
                store.add(line)
                told = "; ".join(f"{n}: {found['brier']:.4f}" for n, found in line["at"].items())
                what = f"{line['problem']}, {line['method']}, repeat {line['repeat']}"
                print(f"{what}: Brier at {told}; {line['seconds']:g} s", file=sys.stderr)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def figure(value: float | None) -> str:
    """Four decimals, or nothing."""
    return "" if value is None else f"{value:.4f}"


def options() -> argparse.Namespace:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("problem", nargs="?", choices=PROBLEMS)
    parser.add_argument("--method", nargs="+", choices=METHODS, default=["Sobol", "straddle", "EAVC"])
    parser.add_argument("--trials", type=int, nargs="+", default=[50, 100], help="when to look")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--first", type=int, default=1, help="the first repeat's seed")
    parser.add_argument("--initial", type=int, default=10, help="Sobol trials before the method's")
    parser.add_argument("--refit-every", type=int, default=10)
    parser.add_argument("--exact", action="store_true", help="slow settings, to compare with")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="any key; may be repeated"
    )
    parser.add_argument("--data", type=Path, help="responses for the contrast problem, a CSV file")
    parser.add_argument("--jobs", type=int, default=machine.cores(), help="repeats at a time")
    parser.add_argument("--out", type=Path, help="file to keep repeats in and to go on from")
    parser.add_argument("--show", action="store_true", help="measure nothing, show what --out holds")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("A", "B"), help="two --out files, A - B")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    if given.problem is None and not given.show and given.compare is None:
        parser.error("which problem?")
    for one in given.set:
        if "." not in one.partition("=")[0] or "=" not in one:
            parser.error(f"--set takes SECTION.KEY=VALUE, not {one}")
    return given


def main() -> None:
    """Measure and print."""
    given = options()
    if given.compare is not None:
        rows = compare(*(Store(path).lines for path in given.compare))
        if given.json:
            print(json.dumps({"runs": rows}, indent=2))
            return
        columns = ("problem", "method", "trials", "metric", "repeats", "A", "B", "A - B", "SE", "SEs")
        cells = [
            [row[name] for name in ("problem", "method", "trials", "metric", "repeats")]
            + [figure(row[name]) for name in ("first", "second", "difference", "error")]
            + [f"{row['difference'] / row['error']:+.1f}" if row["error"] else ""]
            for row in rows
        ]
        note = f"Paired differences, {given.compare[0].name} minus {given.compare[1].name}."
        show(columns, cells, note, markdown=given.markdown)
        return
    if given.problem is not None and PROBLEMS[given.problem].needs_data and given.data is None:
        print(f"{given.problem}: skipped, it needs --data", file=sys.stderr)
        return
    store = Store(given.out)
    if not given.show:
        store.add({"kind": "machine", **machine.describe()})
        run(given, store)
    rows = summary(store.lines)
    if given.json:
        print(json.dumps({"machine": store.of("machine"), "runs": rows}, indent=2))
        return
    columns = (
        "problem",
        "method",
        "settings",
        "trials",
        "metric",
        "repeats",
        "mean",
        "SE",
        "published",
        "peer",
    )
    cells = [
        [row[name] for name in ("problem", "method", "settings", "trials", "metric", "repeats")]
        + [figure(row[name]) for name in ("mean", "error", "published", "peer")]
        for row in rows
    ]
    note = "Mean and standard error over repeats; published: see benchmarks/published.py."
    show(columns, cells, note, markdown=given.markdown)


if __name__ == "__main__":
    main()
