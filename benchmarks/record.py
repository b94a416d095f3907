"""What an ask and a tell cost the record when it is nearly empty, and when it holds very many trials.

Two records are filled through a server (asks of many points, tells of many outcomes, a session for each
20,000 trials) and then served side by side. In each one's newest session a client asks for a point of a
space-filling stage and tells its outcome, in one record and the other by turns, so that whatever else the
machine does meets both. Measured are the round trip over TCP, and within it the writer's time for the
transaction with its commit, which the disk decides.

    python benchmarks/record.py --trials 100 100000 --rounds 500
    python benchmarks/record.py --postgres postgresql://USER@HOST/DATABASE

With --postgres the records are schemas of their own in that database, and are dropped afterwards.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import quantiles
from types import ModuleType
from typing import Any

TESTS = Path(__file__).resolve().parents[1] / "tests" / "end_to_end"

CONFIG = """
[common]
parnames = [frequency, level]
outcome_types = [binary]
strategy_names = [init]
[frequency]
par_type = continuous
lower_bound = 0.25
upper_bound = 8
log_scale = True
[level]
par_type = continuous
lower_bound = -20
upper_bound = 120
[init]
generator = SobolGenerator
min_asks = 1000000
"""

#: Trials of one session of a filled record, and of one ask of it.
PER_SESSION, PER_ASK = 20_000, 5_000

#: Rounds before those that count.
WARM_UP = 20


def beside(name: str) -> ModuleType:
    """A module of tests/end_to_end."""
    spec = importlib.util.spec_from_file_location(f"end_to_end_{name}", TESTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def serve_timed(timings: str, arguments: list[str]) -> None:
    """`fechner serve` that leaves behind, as JSON, the type and writing time in ms of every message."""
    from fechner.database.record import Record
    from fechner.server.cli import app

    append, found = Record.append, []

    def timed(record: Record, group: Any) -> Any:
        begun = time.perf_counter()
        results = append(record, group)
        taken = 1000 * (time.perf_counter() - begun)
        found.extend((entry.type, taken) for request in group for entry in request)
        return results

    Record.append = timed  # type: ignore[method-assign]
    try:
        app(["serve", *arguments])
    finally:
        Path(timings).write_text(json.dumps(found))


@contextmanager
def served(tools: Any, where: str, timings: Path) -> Iterator[Any]:
    """A connection to a server of a record."""
    options = ["--db", where, "--port", "0", "--workers", "0"]
    command = [sys.executable, __file__, "--timed", str(timings), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()  # which record
        port = re.search(r":(\d+);", server.stdout.readline())
        assert port is not None
        wire = tools.Wire(("127.0.0.1", int(port[1])))
        try:
            yield wire
        finally:
            wire.close()
            server.send_signal(signal.SIGTERM)
            server.wait()


def fill(tools: Any, where: str, n_trials: int, folder: Path) -> str:
    """Put trials on record; gives the newest session."""
    session = ""
    with served(tools, where, folder / "filling.json") as wire:
        while n_trials:
            session = str(uuid.uuid4())
            wire.call("setup", {"config": CONFIG, "seed": 1}, session=session)
            in_session = min(n_trials, PER_SESSION)
            n_trials -= in_session
            while in_session:
                asked = wire.call("ask", {"n": min(in_session, PER_ASK)})["trials"]
                in_session -= len(asked)
                told = [{"trial": one["trial"], "outcome": one["trial"] % 2} for one in asked]
                wire.call("tell", {"trials": told})
            wire.call("exit")
    return session


def measure(tools: Any, records: dict[int, str], rounds: int, folder: Path) -> list[dict[str, Any]]:
    """Milliseconds of every ask and tell that counts, by number of trials on record."""
    sessions = {n: fill(tools, where, n, folder) for n, where in records.items()}
    runs = []
    with ExitStack() as stack:
        wires = {
            n: stack.enter_context(served(tools, where, folder / f"{n}.json")) for n, where in records.items()
        }
        for n, wire in wires.items():
            wire.call("resume", {"session": sessions[n]})
        for number in range(WARM_UP + rounds):
            for n in sorted(wires, reverse=bool(number % 2)):
                begun = time.perf_counter()
                (trial,) = wires[n].call("ask")["trials"]
                asked = time.perf_counter()
                wires[n].call("tell", {"trial": trial["trial"], "outcome": number % 2})
                told = time.perf_counter()
                if number >= WARM_UP:
                    runs.append({"trials": n, "ask": 1000 * (asked - begun), "tell": 1000 * (told - asked)})
    for n in records:
        written = json.loads((folder / f"{n}.json").read_text())
        for type_ in ("ask", "tell"):
            taken = [ms for what, ms in written if what == type_][-rounds:]
            for run, ms in zip((run for run in runs if run["trials"] == n), taken, strict=True):
                run[f"{type_}, record"] = ms
    return runs


@contextmanager
def schemas(postgres: str, trials: list[int]) -> Iterator[dict[int, str]]:
    """A schema for each record; they go at the end."""
    import psycopg

    names = {n: f"benchmark_{uuid.uuid4().hex}" for n in trials}
    joint = "&" if "?" in postgres else "?"
    with psycopg.connect(postgres, autocommit=True) as connection:
        for name in names.values():
            connection.execute(f"CREATE SCHEMA {name}")
        try:
            yield {n: f"{postgres}{joint}options=-csearch_path%3D{name}" for n, name in names.items()}
        finally:
            for name in names.values():
                connection.execute(f"DROP SCHEMA {name} CASCADE")


def rows(runs: list[dict[str, Any]], trials: list[int]) -> Iterator[tuple[str, ...]]:
    """Median and quartiles of everything measured."""
    for what in ("ask, record", "tell, record", "ask", "tell"):
        for n in trials:
            quartiles = quantiles([run[what] for run in runs if run["trials"] == n], n=4)
            yield what if ", " in what else f"{what}, round trip", f"{n:,}", *(f"{q:.2f}" for q in quartiles)


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--timed"]:
        serve_timed(sys.argv[2], sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 100_000])
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--postgres", metavar="URL", help="measure on PostgreSQL instead of SQLite")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    from fechner.server.commands.output import show_table

    tools = beside("conftest")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        records = {n: str(folder / f"{n}.db") for n in options.trials}
        if options.postgres:
            records = stack.enter_context(schemas(options.postgres, options.trials))
        runs = measure(tools, records, options.rounds, folder)
    kind = "PostgreSQL" if options.postgres else "SQLite"
    if options.json:
        print(json.dumps({"database": kind, "cores": os.cpu_count(), "runs": runs}))
        return
    title = f"{kind}, {options.rounds} rounds, {os.cpu_count()} cores, milliseconds"
    show_table(
        ("what", "trials on record", "lower quartile", "median", "upper quartile"),
        rows(runs, options.trials),
        title,
    )


if __name__ == "__main__":
    main()
