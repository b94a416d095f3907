"""Time and memory against the number of trials and of dimensions, through a socket.

For each of them a server of its own: setup, a Sobol trial, Sobol trials told in bulk until `trials` - 1 are
told, one ask that warms the server up, its outcome, then the asks that are timed, each followed by its
outcome. Every ask fits the model anew. Memory is the most that the worker, and the listening process, have
held. The observer's threshold is a wave across all dimensions, the same problem in every number of them.

    python benchmarks/scale.py --trials 100 1000 10000 --dimensions 2 4 12
    python benchmarks/scale.py --trials 100 --dimensions 2 --queries --asks 10

--queries also times each query, after an ask (the model is fitted) and after a tell (it is fitted anew).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import machine
import numpy as np
from cases import KINDS, beforehand, config, outcome
from results import Line, Store, digits, show, spread
from servers import Refused, leave_nothing_behind, serving
from startup import Client, workers_of

from fechner.strategies.numerics.randomness import rng
from fechner.strategies.simulation import Observer

#: The most that a median ask may take, in ms, and a worker hold, in MB, by trials and dimensions.
AIMS = {(10_000, 4): (2000, 1500)}
#: The most that a median query after an ask may take, in ms, at 100 trials.
QUERY_AIMS = {"prediction": 50, "max": 60, "min": 60, "inverse": 60, "threshold": 150}
BULK = 1000  # trials in one tell: below the limit on a message's length in any number of dimensions
POINTS = 1000


def wave(d: int) -> Observer:
    """f = 6 (x_d - threshold) on [0, 1]^d, the threshold a wave in the mean of the other dimensions."""
    names = [f"x{i}" for i in range(1, d + 1)]

    def latent(config: Any) -> float:
        others = [float(config[name]) for name in names[:-1]]
        middle = 0.5 + (0.25 * np.sin(2 * np.pi * np.mean(others)) if others else 0.0)
        return float(6.0 * (float(config[names[-1]]) - middle))

    return Observer(f"wave, {d}-d", dict.fromkeys(names, (0.0, 1.0)), latent)


def peak_mb(pid: int) -> float:
    """The most resident memory that a process has held."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1e3


def queries(observer: Observer, kind: str) -> dict[str, dict[str, Any]]:
    """The messages that are timed."""
    names = list(observer.bounds)
    random = rng(1, "points")
    points = {name: random.random(POINTS).tolist() for name in names}
    y = observer.target if KINDS[kind].outcome == "binary" else 0.5
    found: dict[str, dict[str, Any]] = {
        "prediction": {"x": points},
        "max": {},
        "min": {},
        "inverse": {"y": y},
    }
    others: dict[str, Any] = {"x": {name: [0.5] for name in names[:-1]}} if len(names) > 1 else {}
    return found | {"threshold": {"y": y, "parameter": names[-1], **others}}


def measure(kind: str, trials: int, d: int, given: argparse.Namespace, seed: int) -> Line:
    """One session."""
    what, observer, random = KINDS[kind], wave(d), rng(seed, "session")
    out: Line = {"asks_ms": [], "tells_ms": [], "queries_ms": {}}

    def timed(type: str, **message: Any) -> tuple[float, dict[str, Any]]:
        begun = time.perf_counter()
        try:
            reply = client(type, **message)
        except (RuntimeError, TimeoutError) as error:
            raise Refused(str(error)[:300]) from None
        return round((time.perf_counter() - begun) * 1e3, 3), reply["message"]

    def ask() -> tuple[float, dict[str, Any]]:
        milliseconds, said = timed("ask")
        return milliseconds, said["trials"][0]

    def tell(trial: dict[str, Any]) -> float:
        answer = outcome(what, observer, trial["config"], random)
        return timed("tell", trial=trial["trial"], outcome=answer)[0]

    def every_query() -> dict[str, float]:
        found = {}
        for name, asked in asking.items():
            with contextlib.suppress(Refused):  # a model need not answer every query
                found[name] = timed("query", query=name, **asked)[0]
        return found

    asking = queries(observer, kind) if given.queries else {}
    with serving("--workers", "1") as (server, port):
        client = Client(port, time.monotonic() + 60, given.timeout)
        timed("setup", config=config(what, observer), seed=seed)
        tell(ask()[1])
        configs, answers = beforehand(what, observer, trials - 2, seed)
        told = [{"config": c, "outcome": o} for c, o in zip(configs, answers, strict=True)]
        out["bulk_ms"] = sum(
            timed("tell", trials=told[begin : begin + BULK])[0] for begin in range(0, len(told), BULK)
        )
        out["first_ms"], trial = ask()
        tell(trial)
        after_ask, after_tell = [], []
        for _ in range(given.asks):
            milliseconds, trial = ask()
            out["asks_ms"].append(milliseconds)
            after_ask.append(every_query())
            out["tells_ms"].append(tell(trial))
            after_tell.append(every_query())
        out["queries_ms"] = {
            name: {"ask": [one[name] for one in after_ask], "tell": [one[name] for one in after_tell]}
            for name in after_tell[0]
        }
        out["worker_mb"] = max(map(peak_mb, workers_of(server.pid)))
        out["server_mb"] = peak_mb(server.pid)
    return out


def key(line: Line) -> tuple[Any, ...]:
    """Which session a line is."""
    return line["case"], line["trials"], line["dimensions"], line["seed"], line["queries"]


def run(given: argparse.Namespace, store: Store) -> None:
    """Every session that isn't there yet."""
    had = {key(line) for line in store.of("session")}
    for seed in range(1, given.repeats + 1):
        for kind in given.cases:
            for d in given.dimensions:
                for trials in given.trials:
                    line: Line = {"case": kind, "trials": trials, "dimensions": d, "seed": seed}
                    line |= {"queries": given.queries, "load": machine.load()}
                    if key(line) in had:
                        continue
                    try:
                        line |= {"kind": "session", **measure(kind, trials, d, given, seed)}
                    except Refused as refused:
                        line |= {"kind": "refused", "reason": str(refused)}
                    store.add(line)
                    said = line.get("reason") or ", ".join(map(digits, line["asks_ms"])) + " ms"
                    print(f"{kind}, {trials} trials, {d}-d, seed {seed}: {said}", file=sys.stderr)


def cells(store: Store) -> dict[tuple[str, int, int], list[Line]]:
    """The sessions of each case, dimensions and trials."""
    found: dict[tuple[str, int, int], list[Line]] = {}
    for line in [*store.of("session"), *store.of("refused")]:
        found.setdefault((line["case"], line["dimensions"], line["trials"]), []).append(line)
    return dict(sorted(found.items()))


def asks_table(store: Store, *, markdown: bool, about: str) -> None:
    """Asks, tells and memory."""
    rows = []
    for (kind, d, trials), found in cells(store).items():
        lines = [line for line in found if line["kind"] == "session"]
        if not lines:
            rows.append([kind, d, trials, found[0]["reason"][:60]] + [None] * 7)
            continue
        asks = spread([ms for line in lines for ms in line["asks_ms"]])
        tells = spread([ms for line in lines for ms in line["tells_ms"]])
        most_ms, most_mb = AIMS.get((trials, d), (None, None))
        rows.append(
            [
                kind,
                d,
                trials,
                *(digits(asks[name]) for name in ("median", "q25", "q75", "p95")),
                most_ms,
                digits(tells["median"]),
                f"{max(line['worker_mb'] for line in lines):.0f}",
                most_mb,
            ]
        )
    columns = (
        "case",
        "dimensions",
        "trials",
        "ask ms",
        "25 %",
        "75 %",
        "95 %",
        "aim",
        "tell ms",
        "worker MB",
    )
    show((*columns, "aim"), rows, f"Ask, with the fit: median and more. {about}.", markdown=markdown)


def queries_table(store: Store, *, markdown: bool, about: str) -> None:
    """Queries."""
    rows = []
    for (kind, d, trials), lines in cells(store).items():
        asked = [line["queries_ms"] for line in lines if line.get("queries_ms")]
        for name in asked[0] if asked else ():
            after = {who: spread([ms for one in asked for ms in one[name][who]]) for who in ("ask", "tell")}
            fitted = (digits(after["ask"][figure]) for figure in ("median", "q75", "p95"))
            aim = QUERY_AIMS[name] if trials == 100 else None
            rows.append([kind, d, trials, name, *fitted, aim, digits(after["tell"]["median"])])
    if rows:
        columns = ("case", "dimensions", "trials", "query", "after an ask, ms", "75 %", "95 %", "aim")
        note = (
            f"Queries: median and more; prediction of {POINTS:,} points, thresholds with intervals. {about}."
        )
        show((*columns, "after a tell, ms"), rows, note, markdown=markdown)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 400, 1000, 3000, 10_000])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[2, 4, 8, 12])
    parser.add_argument("--cases", nargs="+", choices=KINDS, default=["straddle"])
    parser.add_argument("--repeats", type=int, default=1, help="sessions of each")
    parser.add_argument("--asks", type=int, default=3, help="timed in a session")
    parser.add_argument("--queries", action="store_true", help="also time queries")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds that a reply may take")
    parser.add_argument("--out", type=Path, help="file to keep sessions in and to go on from")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--show", action="store_true", help="measure nothing, show what --out holds")
    given = parser.parse_args()
    if min(given.trials) < 3:
        parser.error("a session has at least 3 trials")
    leave_nothing_behind()
    store = Store(given.out)
    if not given.show:
        store.add({"kind": "machine", **machine.describe()})
        run(given, store)
    described = store.of("machine")
    if given.json:
        print(json.dumps({"machine": described, "runs": store.of("session")}, indent=2))
        return
    loads = [line["load"] for line in store.of("session")] or [0.0]
    about = f"{machine.sentence(described[-1])}; load {min(loads):g} to {max(loads):g} meanwhile"
    asks_table(store, markdown=given.markdown, about=about)
    queries_table(store, markdown=given.markdown, about=about)


if __name__ == "__main__":
    main()
