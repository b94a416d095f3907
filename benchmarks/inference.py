"""Expectation propagation and Laplace's approximation, for speed and accuracy.

Laplace: C. E. Rasmussen & C. K. I. Williams (2006), Gaussian Processes for Machine Learning, algorithms 3.1
and 5.1 (mode by Newton's method, evidence and its gradient). The truth comes from importance sampling with
the posterior of expectation propagation, widened a little, as the proposal: the effective sample size is
printed, and a case with fewer than 1,000 effective samples is left out.

Each case: observers of methods of the literature's kind (2-d detection; a wavy function), n trials, the
hyperparameters fitted by expectation propagation, 200 Sobol points asked about. Printed are the largest and
the root-mean-square error of E(p) there, the error of the log evidence, and the time of an evaluation of
evidence and gradient from a cold start.

    python benchmarks/inference.py --trials 25 50 100 --repeats 5
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.special import logsumexp

from fechner.server.commands.output import show_table
from fechner.strategies.models import fit
from fechner.strategies.models.fitting.plain import from_plain
from fechner.strategies.models.inference.expectation_propagation import propagate
from fechner.strategies.models.kernels.covariance import Differences
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import log_ndtr, ndtr
from fechner.strategies.numerics.randomness import rng
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.numerics.threads import single_thread
from fechner.strategies.specification import Component

MODEL = Component("GPClassificationModel")
SAMPLES = 40_000
WIDER = 1.1
LEAST = 1000.0


def laplace(covariance: Array, y: Array) -> tuple[Array, Array, Array, float, Callable[[], Array]]:
    """Weights b with mean k^T b, root W (n,), Cholesky factor of B, log evidence, and d log Z / dK (n, n)."""
    n, sign = len(y), 2 * y - 1
    f = np.zeros(n)
    value = -np.inf
    for _ in range(50):
        z = sign * f
        ratio = np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_ndtr(z))
        slope, curvature = sign * ratio, ratio * (ratio + z)
        root = np.sqrt(curvature)
        factor = cholesky(np.eye(n) + root[:, None] * covariance * root, lower=True, check_finite=False)
        b = curvature * f + slope
        half = solve_triangular(factor, root * (covariance @ b), lower=True, check_finite=False)
        a = b - root * solve_triangular(factor, half, lower=True, trans="T", check_finite=False)
        f = covariance @ a
        before, value = value, float(-0.5 * a @ f + log_ndtr(sign * f).sum())
        if value - before < 1e-9:
            break
    evidence = value - float(np.sum(np.log(np.diag(factor))))

    def by_covariance() -> Array:
        """Explicit and implicit part (R&W eqs. 5.22 and 5.23) as one symmetric matrix of weights."""
        inner = root[:, None] * cho_solve((factor, True), np.diag(root))
        z = sign * f
        third = sign * ratio * (2 * ratio * ratio + 3 * z * ratio + z * z - 1)
        c = solve_triangular(factor, root[:, None] * covariance, lower=True, check_finite=False)
        left = -0.5 * (np.diag(covariance) - np.einsum("ij,ij->j", c, c)) * -third
        s = left - inner @ (covariance @ left)
        implicit = np.outer(s, slope)
        return 0.5 * (np.outer(a, a) - inner) + 0.5 * (implicit + implicit.T)

    return a, root, factor, evidence, by_covariance


def observers(kind: str, x: Array, random: np.random.Generator) -> Array:
    """Outcomes (n,) at x (n, 2) in the unit square."""
    z = 2 * x - 1
    if kind == "detection":
        c = 2 * (0.05 + 0.4 * (0.2 * z[:, 0] - 1) ** 2 * z[:, 0] ** 2)
        f = 4 * (z[:, 1] + 1) / c - 4
    else:
        f = 1.5 * np.sin(3 * z).sum(axis=1)
    return (random.uniform(size=len(x)) < ndtr(f)).astype(float)


def timed(function: Callable[[], object]) -> float:
    """The least of ten, in ms."""
    found = []
    for _ in range(10):
        begun = time.perf_counter()
        function()
        found.append(1e3 * (time.perf_counter() - begun))
    return min(found)


def case(kind: str, n: int, seed: int) -> dict[str, float] | None:
    """Errors and times of both; None where the truth is not known well enough."""
    random = rng(seed, kind, n)
    x = sobol(seed, 2, 0, n)
    y = observers(kind, x, random)
    kernel, _ = from_plain(fit(MODEL, x, y))
    at = sobol(seed + 1000, 2, 0, 200)
    prior = kernel(x, x) + 1e-8 * kernel.variance * np.eye(n)
    cross, diagonal = kernel(x, at), kernel.diagonal(at)
    sites = propagate(prior, 0.0, y, tolerance=1e-8)
    a, root, factor, evidence, _ = laplace(prior, y)

    half = np.linalg.cholesky(prior - prior @ sites.precision() @ prior + 1e-9 * np.eye(n)) * WIDER
    mean = prior @ sites.weights
    normal = random.standard_normal((SAMPLES, n))
    f = mean + normal @ half.T
    whitened = solve_triangular(np.linalg.cholesky(prior), f.T, lower=True)
    logs = -0.5 * np.einsum("ij,ij->j", whitened, whitened) - np.linalg.slogdet(prior)[1] / 2
    logs += log_ndtr((2 * y - 1) * f).sum(axis=1)
    logs += 0.5 * np.einsum("ij,ij->i", normal, normal) + float(np.sum(np.log(np.diag(half))))
    weights = np.exp(logs - logsumexp(logs))
    if 1 / np.sum(weights**2) < LEAST:
        return None
    solved = np.linalg.solve(prior, cross)
    left = np.maximum(diagonal - np.einsum("ij,ij->j", cross, solved), 0.0)
    truth = weights @ ndtr(f @ solved / np.sqrt(1 + left))

    def error(weights_at: Array, variance: Array) -> tuple[float, float]:
        away = ndtr(cross.T @ weights_at / np.sqrt(1 + variance)) - truth
        return float(np.abs(away).max()), float(np.sqrt(np.mean(away**2)))

    differences = Differences.of(x, trends=True)

    def by_laplace() -> None:
        matrix, part = differences.matrices(kernel)
        differences.gradient(kernel, part, laplace(matrix + 1e-8 * kernel.variance * np.eye(n), y)[4]())

    def by_propagation() -> None:
        matrix, part = differences.matrices(kernel)
        found = propagate(matrix + 1e-8 * kernel.variance * np.eye(n), 0.0, y, tolerance=1e-4)
        differences.gradient(kernel, part, found.curvature())

    reduced = solve_triangular(factor, root[:, None] * cross, lower=True)
    exact = float(logsumexp(logs) - np.log(SAMPLES))
    largest_ep, mean_ep = error(
        sites.weights, diagonal - np.einsum("ij,ij->j", cross, sites.precision() @ cross)
    )
    largest_la, mean_la = error(a, diagonal - np.einsum("ij,ij->j", reduced, reduced))
    return {
        "EP largest": largest_ep,
        "EP rms": mean_ep,
        "EP evidence": sites.log_evidence - exact,
        "EP ms": timed(by_propagation),
        "Laplace largest": largest_la,
        "Laplace rms": mean_la,
        "Laplace evidence": evidence - exact,
        "Laplace ms": timed(by_laplace),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=[25, 50, 100])
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    rows = []
    with single_thread():
        for kind in ("detection", "waves"):
            for n in given.trials:
                found = [case(kind, n, seed) for seed in range(1, given.repeats + 1)]
                known = [one for one in found if one is not None]
                for name in ("EP", "Laplace"):
                    values = {
                        what: median(one[f"{name} {what}"] for one in known) if known else float("nan")
                        for what in ("largest", "rms", "evidence", "ms")
                    }
                    shown = (f"{values['largest']:.4f}", f"{values['rms']:.4f}", f"{values['evidence']:+.3f}")
                    rows.append((kind, str(n), name, *shown, f"{values['ms']:.1f}", str(len(known))))
    show_table(
        (
            "observer",
            "trials",
            "approximation",
            "largest error of E(p)",
            "rms",
            "log evidence",
            "ms",
            "cases",
        ),
        rows,
        f"medians over {given.repeats} observers, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
    )


if __name__ == "__main__":
    main()
