"""Coverage of intervals over observers drawn from the model's own prior.

S. Talts, M. Betancourt, D. Simpson, A. Vehtari & A. Gelman (2018), Validating Bayesian inference algorithms
with simulation-based calibration, arXiv 1804.06788: if hyperparameters and latent functions are drawn from
the prior, a nominal 95 % interval must contain the truth for 95 % of the observers.

Each observer: hyperparameters from their priors, a latent function f on the trials and on one line through
the middle of the box, outcomes at Sobol trials. The model is fitted as in a session; checked are the
interval of f at a random place of the line and, where the true curve has a threshold along it, the interval
of the threshold. (Observers without threshold have it beyond the box; intervals that are open on that side
hold it trivially.)

    python benchmarks/coverage.py --observers 1000 --trials 40 --dimensions 1
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from fechner.strategies.models import fit
from fechner.strategies.models.fitting.priors import LogNormal, Prior, classification_priors
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.uncertainty import ensemble
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.randomness import key, rng
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.queries.thresholds import crossings, mean_crossing, threshold_line
from fechner.strategies.specification import Component

LINE = 129
MODEL = Component("GPClassificationModel")


@dataclass(frozen=True)
class Coverage:
    """Shares of observers whose truth lay in the interval.

    Attributes:
        latent: f at a random place of the line.
        threshold: the threshold along the line, over the observers who have one.
        below, above: thresholds below and above their interval, over the same.
        observers: how many there were.
        crossing: how many of them have a threshold.
    """

    latent: float
    threshold: float
    below: float
    above: float
    observers: int
    crossing: int


def draw_covariance(d: int, random: np.random.Generator) -> Covariance:
    """Hyperparameters from the priors of the classification model."""

    def draw(prior: Prior | None, count: int) -> Array:
        if not isinstance(prior, LogNormal):
            raise TypeError("only log-normal priors can be drawn from")
        return np.exp(prior.location + prior.scale * random.standard_normal(count))

    priors = classification_priors(MODEL, d)
    slopes = None if priors.slope is None else draw(priors.slope, d)
    return Covariance(
        float(draw(priors.variance, 1)[0]), draw(priors.lengthscale, d), priors.constant, slopes
    )


def true_threshold(curve: Array, level: float, near: float | None, rising: bool) -> float:
    """The crossing that the query means: in the mean curve's direction, nearest to the mean curve's."""
    places, upward = crossings(curve, level)
    places = places[upward == rising]
    if len(places):
        return float(places[np.argmin(np.abs(places - (near if near is not None else 0.0)))])
    return -np.inf if (curve.mean() > level) == rising else np.inf


def coverage(observers: int, trials: int, d: int, *, interval: float = 0.95, seed: int = 0) -> Coverage:
    """Coverage over `observers` with `trials` Sobol trials each in d dimensions."""
    inside = np.zeros((observers, 2), dtype=bool)
    sides = np.zeros((observers, 2), dtype=bool)
    crosses = np.zeros(observers, dtype=bool)
    for index in range(observers):
        random = rng(seed, "observer", index)
        prior = draw_covariance(d, random)
        x = sobol(key(seed, "trials", index), d, 0, trials)
        line = np.full((LINE, d), 0.5)
        line[:, -1] = np.linspace(0, 1, LINE)
        everywhere = np.vstack([x, line])
        values, vectors = np.linalg.eigh(prior(everywhere, everywhere))
        f = vectors @ (np.sqrt(np.maximum(values, 0.0)) * random.standard_normal(len(values)))
        y = (random.random(trials) < ndtr(f[:trials])).astype(float)
        truth = f[trials:]
        core = ensemble(MODEL, x, y, fit(MODEL, x, y))
        place = int(random.integers(LINE))
        _, _, lower, upper = core.predict(line[place : place + 1], "latent", interval)
        inside[index, 0] = lower[0] <= truth[place] <= upper[0]
        mean, _ = core.centre.latent(line)
        samples = core.curves(line, key(seed, "line", index), 1000)
        _, low, high, _ = threshold_line(np.arange(LINE, dtype=float), mean, samples, 0.0, interval)
        actual = true_threshold(truth, 0.0, *mean_crossing(mean, 0.0))
        crosses[index] = np.isfinite(actual)
        sides[index] = (low is not None and actual < low), (high is not None and actual > high)
        inside[index, 1] = not sides[index].any()
    below, above = sides[crosses].mean(axis=0)
    return Coverage(
        float(inside[:, 0].mean()),
        float(inside[crosses, 1].mean()),
        float(below),
        float(above),
        observers,
        int(crosses.sum()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Coverage of intervals over observers from the model's prior."
    )
    parser.add_argument("--observers", type=int, default=1000)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--dimensions", type=int, default=1)
    parser.add_argument("--interval", type=float, default=0.95)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    found = coverage(
        given.observers, given.trials, given.dimensions, interval=given.interval, seed=given.seed
    )
    error = 1.96 * (found.threshold * (1 - found.threshold) / found.crossing) ** 0.5
    print(
        f"{found.observers} observers ({found.crossing} with a threshold), "
        f"{given.trials} trials, {given.dimensions}-d, "
        f"nominal {given.interval:.0%}: "
        f"latent value {found.latent:.1%}, threshold {found.threshold:.1%} +- {error:.1%} "
        f"(below {found.below:.1%}, above {found.above:.1%})"
    )


if __name__ == "__main__":
    main()
