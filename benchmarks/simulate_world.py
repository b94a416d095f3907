"""Run simulated worlds: the server's engine under a virtual clock, network, disk and pool (tests/simulation).

    python benchmarks/simulate_world.py --schedules 100000 --seed 0
    python benchmarks/simulate_world.py --schedules 1 --seed 17 --trace

Prints how many schedules broke a promise, the seed and the first breach of each, and how often what happened.
Schedule k has seed SEED + k, which decides all of it. Exits 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from fechner.strategies.numerics.threads import fix

fix()
logging.getLogger("fechner").addHandler(logging.NullHandler())  # the traces say it

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from simulation.world import Outcome, World  # type: ignore[import-not-found]  # noqa: E402


def one(seed: int) -> Outcome:
    """A schedule."""
    return World(seed).run()


def one_real(seed: int) -> Outcome:
    """A schedule with the real models."""
    return World(seed, real_models=True).run()


def outcomes(options: argparse.Namespace) -> Iterator[Outcome]:
    """Of all schedules, in order."""
    seeds = range(options.seed, options.seed + options.schedules)
    run = one_real if options.real_models else one
    if options.jobs == 1:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(options.jobs) as pool:
        yield from pool.map(run, seeds, chunksize=20)


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first schedule")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--trace", action="store_true", help="print every step")
    parser.add_argument("--real-models", action="store_true", help="compute with the real models: slow")
    options = parser.parse_args()
    if options.trace:
        broken = [
            text
            for seed in range(options.seed, options.seed + options.schedules)
            for text in World(seed, print, options.real_models).run().broken
        ]
        print(*(broken or ["every promise was kept"]), sep="\n")
        return 1 if broken else 0
    return report(options)


def report(options: argparse.Namespace) -> int:
    """Run, count, print."""
    begun = time.monotonic()
    total: Counter[str] = Counter()
    happened: Counter[str] = Counter()
    longest = (0, 0)
    for done, outcome in enumerate(outcomes(options), 1):
        total.update(
            requests=outcome.requests,
            recorded=outcome.messages,
            steps=outcome.steps,
            broken=bool(outcome.broken),
        )
        happened.update(outcome.happened)
        longest = max(longest, (outcome.steps, outcome.seed))
        if outcome.broken:
            print(f"seed {outcome.seed}: {outcome.broken[0][:500]}", flush=True)
        if done % 5000 == 0:
            print(f"{done} schedules, {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    seconds = time.monotonic() - begun
    rows = {
        "schedules": options.schedules,
        "seeds": f"{options.seed} to {options.seed + options.schedules - 1}",
        "schedules that broke a promise": total["broken"],
        "requests sent": total["requests"],
        "messages on record": total["recorded"],
        "steps": total["steps"],
        "longest": f"{longest[0]} steps (seed {longest[1]})",
        "seconds": f"{seconds:.0f}",
        **{key: happened[key] for key in sorted(happened)},
    }
    for name, value in rows.items():
        print(f"{name:<34}{value:>20}")
    return 1 if total["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
