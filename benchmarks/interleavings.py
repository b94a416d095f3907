"""Play the state machine of tests/server/engine/test_engine_interleavings.py as often as one likes.

    python benchmarks/interleavings.py --examples 100000 --seed 0

hypothesis looks for a short sequence of events that breaks a promise of the engine, and prints it.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import sys
import time
from pathlib import Path
from types import ModuleType

from fechner.strategies.numerics.threads import fix

fix()

HERE = Path(__file__).parents[1] / "tests" / "server"


def module(name: str) -> ModuleType:
    """A module of the tests."""
    spec = importlib.util.spec_from_file_location(
        "tests_server_" + name.replace("/", "_"), HERE / f"{name}.py"
    )
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


def main() -> None:
    """Play, half of the examples with asks that are computed ahead."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.getLogger("fechner").addHandler(logging.NullHandler())
    rig, test = module("conftest"), module("engine/test_engine_interleavings")
    for ahead in (False, True):
        begun = time.monotonic()
        test.play(rig.Rig, rig.WITH_MODEL, ahead, options.examples // 2, options.seed)
        seconds = time.monotonic() - begun
        print(f"ahead: {ahead}, examples: {options.examples // 2}, seconds: {seconds:.0f}", flush=True)


if __name__ == "__main__":
    main()
