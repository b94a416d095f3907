"""How long it takes to go on with a session after a restart, at different lengths of the session.

For each length a session with that many trials is put on record (asks of a space-filling stage, then some of
the model, so that its hyperparameters are recorded). Each repeat measures the next ask of the undisturbed
server, kills it (SIGKILL), starts another, and measures the reply to resume, the first ask after it, and the
time from the start of the process to that ask's reply.

    python benchmarks/resume.py --trials 100 1000 --repeats 5
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
import time
import uuid
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

from fechner.server.commands.output import show_table

TESTS = Path(__file__).resolve().parents[1] / "tests" / "end_to_end"

#: What is measured, and the most it should be in seconds, by number of trials (None: any).
AIMS: dict[str, dict[int | None, float]] = {
    "resume": {None: 0.5},
    "ask, undisturbed": {},
    "first ask after": {},
    "longer by": {None: 0.2},
    "from start to ask": {100: 3.0},
}


def beside(name: str) -> ModuleType:
    """A module of tests/end_to_end."""
    spec = importlib.util.spec_from_file_location(f"end_to_end_{name}", TESTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def timed(wire: Any, type: str, message: dict[str, Any], **envelope: Any) -> tuple[float, dict[str, Any]]:
    """Seconds until the reply, and the reply's message."""
    begun = time.monotonic()
    said = wire.call(type, message, **envelope)
    return time.monotonic() - begun, said


def tell(experiments: Any, wire: Any, said: dict[str, Any]) -> None:
    """Tell all trials of an ask."""
    told = [{"trial": t["trial"], "outcome": experiments.heard(t["config"])} for t in said["trials"]]
    wire.call("tell", {"trials": told})


def measure(tools: Any, experiments: Any, trials: int, repeats: int, workers: int) -> list[dict[str, float]]:
    """Restarts of one session."""
    runs = []
    session = str(uuid.uuid4())
    config = experiments.config("EAVC", trials - 4, 10_000)
    with tempfile.TemporaryDirectory() as folder:
        server = tools.Served(Path(folder), "--workers", str(workers))
        try:
            wire = server.wire()
            wire.call("setup", {"config": config, "seed": 1}, session=session)
            while trials > 4 and (said := wire.call("ask", {"n": 1}))["stage"] == "init":
                tell(experiments, wire, said)
            tell(experiments, wire, said)
            for _ in range(3):
                tell(experiments, wire, wire.call("ask", {}))
            for _ in range(repeats):
                undisturbed, said = timed(wire, "ask", {})
                server.kill()
                server.close()
                begun = time.monotonic()
                server = tools.Served(Path(folder), "--workers", str(workers))
                wire = server.wire()
                resume, _ = timed(wire, "resume", {"session": session})
                first, _ = timed(wire, "ask", {})
                runs.append(
                    {
                        "resume": resume,
                        "ask, undisturbed": undisturbed,
                        "first ask after": first,
                        "longer by": first - undisturbed,
                        "from start to ask": time.monotonic() - begun,
                    }
                )
        finally:
            server.close()
    return runs


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    tools, experiments = beside("conftest"), beside("experiments")
    found = {n: measure(tools, experiments, n, options.repeats, options.workers) for n in options.trials}
    if options.json:
        runs = [{"trials": n, **run} for n, measured in found.items() for run in measured]
        print(json.dumps({"cores": os.cpu_count(), "workers": options.workers, "runs": runs}))
        return
    rows = []
    for n, measured in found.items():
        for name, aims in AIMS.items():
            values = [run[name] for run in measured]
            aim = aims.get(n, aims.get(None))
            figures = (f"{f(values):.3f}" for f in (median, min, max))
            rows.append((str(n), name, *figures, "" if aim is None else f"{aim:g}"))
    title = f"{options.repeats} restarts, {options.workers} workers, {os.cpu_count()} cores"
    show_table(("trials", "seconds", "median", "least", "most", "aim"), rows, title)


if __name__ == "__main__":
    main()
