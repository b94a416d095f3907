"""Kill a server under load, often, and count what is lost (tests/end_to_end/killing.py says how).

    python benchmarks/kill.py --kills 1000

Ctrl-C ends early, with the figures so far. The exit code is 1 if anything acknowledged was lost, doubled or
different, or the record was damaged.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

from fechner.server.commands.output import show_table
from fechner.strategies.numerics.threads import fix

TESTS = Path(__file__).resolve().parents[1] / "tests"


def beside(name: str) -> ModuleType:
    """A module of tests/end_to_end."""
    spec = importlib.util.spec_from_file_location(f"end_to_end_{name}", TESTS / "end_to_end" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Kill, count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    fix()
    tools, experiments, _, killing = map(beside, ("conftest", "experiments", "ledgers", "killing"))
    older = TESTS / "golden" / "record-revision-0001.db"
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        for figures in killing.run(tools, experiments, Path(folder), options.kills, options.seed, older):
            done = sum(figures.kills.values())
            if not options.json and sys.stderr.isatty():
                print(f"\r{done} kills", end="", file=sys.stderr)
    found = figures.as_json()
    if options.json:
        about = {"seconds": time.monotonic() - begun, "cores": os.cpu_count()}
        print(json.dumps({"runs": [found], **about}))
    else:
        rows = [(f"kills: {kind}", count) for kind, count in sorted(found["kills"].items())]
        rows += [(name, found[name]) for name in ("sessions", "acknowledged", "resent")]
        rows += [(f"unanswered, {what}", count) for what, count in found["unanswered"].items()]
        rows += [(name, found[name]) for name in ("lost", "doubled", "damaged", "different", "other")]
        rows += [(f"back after (s), {name}", f"{s:.2f}") for name, s in found["back_seconds"].items()]
        title = f"{sum(found['kills'].values())} kills in {time.monotonic() - begun:.0f} s"
        show_table(("what", "count"), rows, title)
        print("\n".join(found["faults"]))
    sys.exit(bool(found["faults"]))


if __name__ == "__main__":
    main()
