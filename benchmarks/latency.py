"""How long asks take that compute with a model: Fechner, and a peer beside it.

Identical sessions, in the AEPsych 0.8 dialect, by one client: setup, a Sobol trial, Sobol trials told in bulk
until `trials` - 1 are told, one ask that warms the server up, its outcome, then the asks that are timed, the
first of them with `trials` trials told, each followed by its outcome. Every server is told the same trials;
what follows depends on what it asks for. Each session has a server of its own. Sessions are interleaved
(Fechner, peer, Fechner, …), so that a machine that grows slower does so for all.

The peer is a black box: an interpreter in whose environment `aepsych` 0.8 is installed. It is measured
through its socket and called in its own process, without any.

    python benchmarks/latency.py --repeats 5 --peer-python PEER/bin/python --out latency.jsonl

A run that was stopped goes on where it was if it is given the same file; what was refused is tried again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import machine
from cases import CASES, KINDS, SETTINGS, USUAL, beforehand, config, observers, outcome
from results import Line, Store, digits, show, spread
from servers import Call, Refused, leave_nothing_behind, names, start

from fechner.strategies.numerics.randomness import rng

#: The most that the median may be, in ms, by case and trials: on two otherwise idle cores.
AIMS_MS = {
    ("straddle-2d", 100): 60,
    ("straddle-2d", 400): 300,
    ("EAVC-2d", 100): 120,
    ("GlobalMI-2d", 100): 120,
    ("GlobalMI-6d", 100): 200,
    ("EAVC-8d", 100): 200,
    ("regression-2d", 100): 40,
    ("pairwise-2d", 100): 60,
}
#: The least that the peer's median may be, in medians of ours.
AIMS_TIMES = {
    ("default", "peer"): 40,
    ("default", "peer in process"): 15,
    ("capped", "peer"): 10,
}
REGRESSION_TIMES = {("default", "peer"): 10, ("default", "peer in process"): 3, ("capped", "peer"): 10}
BULK = 20  # trials in one tell: a message that comes in one piece


def session(call: Call, case: str, trials: int, setting: str, asks: int, seed: int) -> Line:
    """One session: what was measured, in ms."""
    name, d = CASES[case]
    kind = KINDS[name]
    observer = observers(kind)[d]
    random = rng(seed, "session")
    out: Line = {"asks_ms": [], "tells_ms": []}

    def ask() -> tuple[float, dict[str, Any]]:
        seconds, reply = call("ask", {"num_points": 1})
        return round(seconds * 1e3, 3), reply["config"]

    def tell(told: dict[str, Any]) -> float:
        one = {name: values[0] for name, values in told.items()}
        answer = outcome(kind, observer, one, random)
        return round(call("tell", {"config": told, "outcome": answer})[0] * 1e3, 3)

    text = config(kind, observer, setting, seed)
    out["setup_ms"] = round(call("setup", {"config_str": text})[0] * 1e3, 3)
    out["sobol_ms"], first = ask()
    tell(first)
    configs, answers = beforehand(kind, observer, trials - 2, seed)
    for begin in range(0, len(configs), BULK):
        some = configs[begin : begin + BULK]
        columns = {name: [one[name] for one in some] for name in observer.bounds}
        call("tell", {"config": columns, "outcome": answers[begin : begin + BULK]})
    out["first_ms"], point = ask()
    tell(point)
    for _ in range(asks):
        milliseconds, point = ask()
        out["asks_ms"].append(milliseconds)
        out["tells_ms"].append(tell(point))
    call("exit", {})
    return out


def cells(given: argparse.Namespace) -> Iterator[tuple[str, int, str, int]]:
    """Case, trials, setting and seed of every session; all cases have had a seed before the next one."""
    for seed in range(1, given.repeats + 1):
        for setting in given.settings:
            for trials in given.trials:
                for case in given.cases:
                    yield case, trials, setting, seed


def measure(given: argparse.Namespace, store: Store) -> None:
    """Every session that isn't there yet."""
    had = {key(line) for line in store.of("session")}
    refusing: set[tuple[str, ...]] = set()
    for case, trials, setting, seed in cells(given):
        for who in names(given.peer_python):
            if (case, trials, setting, seed, who) in had or (case, setting, who) in refusing:
                continue
            line: Line = {"case": case, "trials": trials, "setting": setting, "seed": seed, "who": who}
            line["load"] = machine.load()
            asks = max(given.asks, int(SETTINGS[setting].get("refit_every", 1)))  # a whole cycle of fits
            try:
                with start(who, given.peer_python, given.timeout, given.peer_threads) as call:
                    line |= {"kind": "session", **session(call, case, trials, setting, asks, seed)}
            except Refused as refused:
                line |= {"kind": "refused", "reason": str(refused)}
                refusing.add((case, setting, who))
            store.add(line)
            said = line.get("reason") or ", ".join(digits(ms) for ms in line["asks_ms"]) + " ms"
            print(f"{case}, {trials} trials, {setting}, seed {seed}, {who}: {said}", file=sys.stderr)


def key(line: Line) -> tuple[Any, ...]:
    """Which session a line is."""
    return line["case"], line["trials"], line["setting"], line["seed"], line["who"]


def summary(lines: list[Line]) -> list[Line]:
    """For each case, trials and setting: the spread of each server's asks, and ratios of medians."""
    found: dict[tuple[Any, ...], Line] = {}
    for line in lines:
        if line.get("kind") not in ("session", "refused"):
            continue
        cell = (line["case"], line["trials"], line["setting"])
        servers = found.setdefault(cell, {})
        one = servers.setdefault(line["who"], {"asks": [], "tells": [], "sessions": 0})
        if line["kind"] == "refused":
            one.setdefault("refused", line["reason"])
            continue
        one["asks"] += line["asks_ms"]
        one["tells"] += line["tells_ms"]
        one["sessions"] += 1
    out = []
    for (case, trials, setting), servers in found.items():
        row: Line = {"case": case, "trials": trials, "setting": setting}
        for who, one in servers.items():
            if one["asks"]:
                row[who] = {
                    **spread(one["asks"]),
                    "sessions": one["sessions"],
                    "tell": spread(one["tells"])["median"],
                }
            else:
                row[who] = {"refused": one["refused"]}
        ours = row.get("fechner", {})
        for who in names("peer")[1:]:
            if "median" in ours and "median" in row.get(who, {}):
                row[f"{who}, times"] = row[who]["median"] / ours["median"]
        out.append(row)
    order = {case: place for place, case in enumerate(CASES)}
    return sorted(
        out, key=lambda row: (list(SETTINGS).index(row["setting"]), order[row["case"]], row["trials"])
    )


def cell(one: dict[str, Any] | None) -> str:
    """Median, quartiles and 95th percentile."""
    if one is None:
        return ""
    if "refused" in one:
        return "not supported" if "support" in one["refused"].lower() else "failed"
    return f"{digits(one['median'])} ({digits(one['q25'])}–{digits(one['q75'])}; {digits(one['p95'])})"


def table(rows: list[Line], *, markdown: bool, about: str) -> None:
    """A row for each case, trials and setting."""
    peers = [who for who in names("peer")[1:] if any(who in row for row in rows)]
    columns = ["case", "trials", "setting", "Fechner ms", "aim"]
    for who in peers:
        columns += [f"{who} ms", "times", "aim"]
    shown = []
    for row in rows:
        aim = AIMS_MS.get((row["case"], row["trials"])) if row["setting"] == "default" else None
        cells = [row["case"], row["trials"], row["setting"], cell(row.get("fechner")), aim]
        times = REGRESSION_TIMES if row["case"].startswith("regression") else AIMS_TIMES
        for who in peers:
            ratio = row.get(f"{who}, times")
            wanted = times.get((row["setting"], who)) if ratio is not None else None
            cells += [cell(row.get(who)), ratio and digits(ratio), wanted]
        shown.append(cells)
    show(columns, shown, f"Ask: median (quartiles; 95th percentile). {about}.", markdown=markdown)


def options() -> argparse.Namespace:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--cases", nargs="+", metavar="CASE", default=list(USUAL),
        help=f"'all', or of {', '.join(CASES)}\n[{' '.join(USUAL)}]",
    )  # fmt: skip
    parser.add_argument("--trials", type=int, nargs="+", default=[10, 100, 400])
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=["default"])
    parser.add_argument("--repeats", type=int, default=5, help="sessions of each")
    parser.add_argument("--asks", type=int, default=3, help="timed in a session")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds that a reply may take")
    parser.add_argument("--peer-python", metavar="PATH", help="interpreter with aepsych 0.8")
    parser.add_argument("--peer-threads", type=int, metavar="N", help="of its arithmetic [as it chooses]")
    parser.add_argument("--out", type=Path, help="file to keep sessions in and to go on from")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--show", action="store_true", help="measure nothing, show what --out holds")
    given = parser.parse_args()
    if given.cases == ["all"]:
        given.cases = list(CASES)
    if unknown := [case for case in given.cases if case not in CASES]:
        parser.error(f"no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    if min(given.trials) < 3:
        parser.error("a session has at least 3 trials")
    return given


def main() -> None:
    """Measure and print."""
    given = options()
    leave_nothing_behind()
    store = Store(given.out)
    if not given.show:
        store.add({"kind": "machine", **machine.describe(given.peer_python)})
        measure(given, store)
    rows = summary(store.lines)
    described = store.of("machine")
    if given.json:
        print(json.dumps({"machine": described, "summary": rows, "runs": store.of("session")}, indent=2))
        return
    loads = [line["load"] for line in store.of("session")] or [0.0]
    about = f"{machine.sentence(described[-1])}; load {min(loads):g} to {max(loads):g} meanwhile"
    table(rows, markdown=given.markdown, about=about)


if __name__ == "__main__":
    main()
