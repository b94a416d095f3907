"""Fuzz the parsers (tests/fuzz): changed examples, many of them, measured one by one.

    python benchmarks/fuzz.py --parser all --cases 1000000 --seed 0
    python benchmarks/fuzz.py --parser json --case FILE

Prints cases, seconds, the slowest case and what was found. Inputs that broke something are written to `--to`,
and go into the corpus once they are understood. The same seed makes the same cases. `--guided` lets atheris,
where it is installed, look for inputs that reach new code (in a folder of its own under `--to`).
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import random
import sys
import time
from pathlib import Path
from typing import Any

from fechner.strategies.numerics.threads import fix

fix()

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

GUIDED = "--guided" in sys.argv
if GUIDED:
    import atheris  # type: ignore[import-not-found]

    watched: Any = atheris.instrument_imports(include=["fechner"])
else:
    watched = contextlib.nullcontext()
with watched:
    from fuzz.harness import Harness, Report, one, run  # type: ignore[import-not-found]
    from fuzz.mutate import Mutator  # type: ignore[import-not-found]
    from fuzz.parsers import PARSERS  # type: ignore[import-not-found]


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parser", choices=["all", *PARSERS], default="all")
    parser.add_argument("--cases", type=int, default=10_000, help="for each parser")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--case", type=Path, help="only this input")
    parser.add_argument("--to", type=Path, default=Path("fuzz-found"), help="folder for what is found")
    parser.add_argument("--guided", action="store_true", help="led by coverage (atheris)")
    options = parser.parse_args()
    logging.getLogger("fechner").addHandler(logging.NullHandler())
    sys.setrecursionlimit(1000)
    chosen = list(PARSERS.values()) if options.parser == "all" else [PARSERS[options.parser]]
    if options.case is not None:
        for harness in chosen:
            harness.check(options.case.read_bytes())
        return 0
    if options.guided:
        return guided(chosen[0], options)
    broken = 0
    print(
        f"{'parser':<14}{'cases':>10}{'seconds':>9}{'µs a case':>11}{'slowest ms':>12}{'found':>7}",
        flush=True,
    )
    for harness in chosen:
        report = run(
            harness, options.cases, options.seed, lambda text: print(text, file=sys.stderr, flush=True)
        )
        broken += show(report, options.to)
    return 1 if broken else 0


def show(report: Report, to: Path) -> int:
    """Print a report, and keep what was found."""
    slowest = max(report.slowest)
    mean = report.seconds / max(report.cases, 1) * 1e6
    print(
        f"{report.name:<14}{report.cases:>10}{report.seconds:>9.0f}{mean:>11.0f}{slowest[0] * 1e3:>12.1f}"
        f"{len(report.broken):>7}",
        flush=True,
    )
    to.mkdir(parents=True, exist_ok=True)
    (to / f"{report.name}-slowest").write_bytes(slowest[1])
    for kind, (data, raised) in report.broken.items():
        (to / f"{report.name}-{kind}").write_bytes(data)
        (to / f"{report.name}-{kind}.txt").write_text(raised)
        print(f"  {report.name}-{kind}: {raised.strip().splitlines()[-1][:150]}", flush=True)
    return len(report.broken)


def guided(harness: Harness, options: argparse.Namespace) -> int:
    """Let atheris lead, with our own mutator."""
    corpus = options.to / f"{harness.name}-corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for name, data in harness.corpus().items():
        (corpus / name).write_bytes(data)
    examples = list(harness.corpus().values())
    report = Report(harness.name)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        mutator = Mutator(random.Random(seed), examples)
        return harness.mutate(mutator, data)[:most]

    def check(data: bytes) -> None:
        report.cases += 1
        one(harness, data, report, print)
        if report.cases == options.cases:
            report.seconds = time.monotonic() - begun
            show(report, options.to)

    begun = time.monotonic()
    arguments: list[Any] = [
        sys.argv[0],
        f"-runs={options.cases}",
        f"-seed={options.seed + 1}",
        "-max_len=20000",
    ]
    atheris.Setup([*arguments, str(corpus)], check, custom_mutator=mutate)
    atheris.Fuzz()
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
