"""How near the demo's audiogram comes to the truth, over many seeds.

Each seed is one simulated session of the configuration that `make demo` runs (examples/audiogram.ini), with
the same listener and the same questions, in this process instead of through a socket. The error of a seed is
the mean absolute error, in dB, of the threshold at the eight audiometric frequencies; where there is no
estimate, the error counts as the distance to the farther end of the range of levels.

    python benchmarks/demo_accuracy.py --seeds 20
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from fechner.strategies import Strategy
from fechner.strategies.config import check
from fechner.strategies.numerics.randomness import rng
from fechner.strategies.simulation import FREQUENCIES_KHZ, THRESHOLDS_DB, audiogram

CONFIGURATION = Path(__file__).parents[1] / "examples" / "audiogram.ini"
PHENOTYPE = "metabolic+sensory"
LEVELS_DB = (-20.0, 120.0)


@dataclass(frozen=True)
class Session:
    """One simulated session.

    Attributes:
        seed: of strategy and listener.
        error_db: mean absolute error over the frequencies.
        worst_db: the greatest of them.
        covered: how many of the 95 % intervals hold the true threshold.
        width_db: mean width of the intervals that are closed on both sides (nan if there is none).
        slowest_s: the slowest ask.
    """

    seed: int
    error_db: float
    worst_db: float
    covered: int
    width_db: float
    slowest_s: float


def simulate(
    config: str, seed: int, trials: int, *, target: float = 0.5, phenotype: str = PHENOTYPE
) -> Session:
    """One session of `trials` tones, then the thresholds."""
    listener = audiogram(phenotype, target=target, in_khz=True)
    strategy, random = Strategy(config, seed=seed), rng(seed, "listener")
    slowest = 0.0
    for _ in range(trials):
        begin = time.perf_counter()
        tone = strategy.ask()
        slowest = max(slowest, time.perf_counter() - begin)
        strategy.tell(tone, listener.sample(tone, random))
    answer = strategy.query(
        "threshold", parameter="level", y=target, space="probability", interval=0.95,
        x={"frequency": list(FREQUENCIES_KHZ)}, constraints={},
    )  # fmt: skip
    truth = np.array(THRESHOLDS_DB[phenotype]) + 5.0 * listener.latent_target()
    low, high = LEVELS_DB
    estimates = [
        value if value is not None else (low if true > (low + high) / 2 else high)
        for value, true in zip(answer["x"]["level"], truth, strict=True)
    ]
    errors = np.abs(np.array(estimates, dtype=float) - truth)
    lower = [-np.inf if value is None else value for value in answer["lower"]]
    upper = [np.inf if value is None else value for value in answer["upper"]]
    widths = [b - a for a, b in zip(lower, upper, strict=True) if np.isfinite(b - a)]
    covered = sum(bool(a <= true <= b) for a, true, b in zip(lower, truth, upper, strict=True))
    width = float(np.mean(widths)) if widths else float("nan")
    return Session(seed, float(errors.mean()), float(errors.max()), covered, width, slowest)


def main() -> None:
    parser = argparse.ArgumentParser(description="Accuracy of the demo's audiogram over many seeds.")
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--trials", type=int, help="trials per session [what the configuration asks for]")
    parser.add_argument("--config", type=Path, default=CONFIGURATION, help="the configuration")
    parser.add_argument("--target", type=float, default=0.5, help="the probability whose level is sought")
    parser.add_argument("--phenotype", choices=tuple(THRESHOLDS_DB), default=PHENOTYPE)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    given = parser.parse_args()
    config = given.config.read_text("utf-8")
    trials = given.trials or sum(stage.min_asks for stage in check(config).stages)
    threadpool_limits(1)  # as the server computes
    sessions = []
    if not given.json:
        print(f"{given.phenotype}, {trials} trials, P(heard) = {given.target:g}")
        print("seed  mean |error|  worst |error|  intervals that hold  mean width  slowest ask")
    for seed in range(given.first, given.first + given.seeds):
        one = simulate(config, seed, trials, target=given.target, phenotype=given.phenotype)
        sessions.append(one)
        if not given.json:
            print(
                f"{seed:4d}  {one.error_db:9.2f} dB  {one.worst_db:10.2f} dB  {one.covered:12d} of 8"
                f"  {one.width_db:11.1f} dB  {one.slowest_s * 1000:8.0f} ms",
                flush=True,
            )
    errors = np.array([one.error_db for one in sessions])
    covered = sum(one.covered for one in sessions) / (len(FREQUENCIES_KHZ) * len(sessions))
    if given.json:
        summary = {"mean_db": float(errors.mean()), "worst_db": float(errors.max()), "coverage": covered}
        print(json.dumps({**summary, "sessions": [vars(one) for one in sessions]}, indent=2))
        return
    print(
        f"over {len(sessions)} seeds: mean {errors.mean():.2f} dB, median {np.median(errors):.2f} dB, "
        f"worst seed {errors.max():.2f} dB; {covered:.0%} of the 95 % intervals hold the true threshold"
    )


if __name__ == "__main__":
    main()
