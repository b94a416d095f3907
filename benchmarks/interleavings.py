"""Play the state machine of tests/server/engine/test_engine_interleavings.py as often as one likes.

    python benchmarks/interleavings.py --examples 100000 --seed 0

hypothesis looks for a short sequence of events that breaks a promise of the engine, and prints it.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path

from fechner.strategies.numerics.threads import fix

fix()

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.server.configs import WITH_MODEL  # noqa: E402
from tests.server.engine.test_engine_interleavings import play  # noqa: E402
from tests.server.rig import Rig  # noqa: E402


def main() -> None:
    """Play, half of the examples with asks that are computed ahead."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.getLogger("fechner").addHandler(logging.NullHandler())
    for ahead in (False, True):
        begun = time.monotonic()
        play(Rig, WITH_MODEL, ahead, options.examples // 2, options.seed)
        seconds = time.monotonic() - begun
        print(f"ahead: {ahead}, examples: {options.examples // 2}, seconds: {seconds:.0f}", flush=True)


if __name__ == "__main__":
    main()
