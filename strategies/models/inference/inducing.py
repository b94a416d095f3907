"""Many trials: the latent function seen through r of the trials' places.

E. Snelson & Z. Ghahramani (2006), Sparse Gaussian processes using pseudo-inputs, NeurIPS (FITC: what the r
places don't explain of a trial is noise of its own); J. Quinonero-Candela & C. E. Rasmussen (2005), A
unifying view of sparse approximate Gaussian process regression, JMLR 6:1939-1959; the places by pivoted
Cholesky factorisation, which takes the one with the largest remaining variance next (D. R. Burt, C. E.
Rasmussen & M. van der Wilk 2020, Convergence of sparse variational inference in Gaussian processes
regression, JMLR 21:1-63).

Notation: n trials at X (n, d); Z (r, d) inducing places among them; K_zz = Lz Lz^T; f(x) = v(x)^T u + e(x)
with v(x) = Lz^-1 k(Z, x), u ~ N(0, I) and e(x) of variance delta(x) = k(x, x) - v(x)^T v(x); V (n, r) the
rows v(x_i); sites tau, nu (n,) on V u; A = I + V^T S^2 V with S^2 = diag(tau); m = A^-1 V^T nu. Then cov(x,
x') = k(x, x') - v(x)^T (I - A^-1) v(x'), the posterior of an exact Gaussian process that has seen f(Z) with
noise of covariance Lz (A - I)^-1 Lz^T, and so it is stored: B = K_zz + that noise = L L^T, S = I.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular

from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.numerics.arrays import Array

Indices = np.ndarray[Any, np.dtype[np.intp]]

FROM = 1000  # trials beyond which the posterior is computed through inducing places
MOST_PLACES = 400
WORK = 3e8  # n r^2 at most, a sweep of which takes about .05 s
GOLDEN = (5**0.5 - 1) / 2
ENOUGH = 1e-6  # of the largest variance: what is left unexplained where further places bring nothing


def thinned(n: int, limit: int) -> Indices:
    """All of n trials, or a half, a quarter … of them, evenly spread and about `limit` at most.

    With another trial the choice is the same but for that trial, so that a fit can begin where the last one
    ended. Trial i is kept where the fraction of i times the golden ratio is small: unlike every 2nd trial
    these have nothing in common with a Sobol sequence, whose every 2nd point lies in one half of the space.
    """
    share = 1.0
    while share * n > limit:
        share /= 2
    numbers = np.arange(n)
    return numbers[(numbers * GOLDEN) % 1.0 < share]


@dataclass(frozen=True)
class Places:
    """The inducing places and how the trials see the function through them.

    Attributes:
        z: (r, d) Z.
        factor: (r, r) Lz.
        features: (n, r) V.
        residual: (n,) delta at the trials.
    """

    z: Array
    factor: Array
    features: Array
    residual: Array


def places(covariance: Covariance, x: Array) -> Places:
    """The places among the trials at x (n, d) that leave least unexplained, as many as can be afforded.

    All trials are looked at: what a trial far from all places tells would be lost.
    """
    n = len(x)
    most = min(MOST_PLACES, int(np.sqrt(WORK / n)), n)
    left = covariance.diagonal(x)
    largest = float(left.max())
    rows = np.empty((most, n))
    pivots: list[int] = []
    while len(pivots) < most:
        pivot = int(np.argmax(left))
        if not left[pivot] > ENOUGH * largest:
            break
        done = rows[: len(pivots)]
        row = (covariance(x[[pivot]], x)[0] - done[:, pivot] @ done) / np.sqrt(left[pivot])
        rows[len(pivots)] = row
        left = left - row * row
        left[pivot] = 0.0
        pivots.append(pivot)
    z = x[pivots]
    inner = covariance(z, z)
    inner.flat[:: len(z) + 1] += 1e-7 * largest
    factor = cholesky(inner, lower=True)
    features = solve_triangular(factor, covariance(z, x), lower=True).T
    residual = covariance.diagonal(x) - np.einsum("ij,ij->i", features, features)
    return Places(z, factor, features, np.maximum(residual, 0.0))


def condensed(seen: Places, tau: Array, nu: Array) -> tuple[Array, Array]:
    """L (r, r) and the weights (r,) of the posterior over Z, from sites tau, nu (n,)."""
    scaled = np.sqrt(tau)[:, None] * seen.features
    gain = scaled.T @ scaled  # A - I
    gain.flat[:: len(gain) + 1] += 1e-9
    inverse = cho_solve(cho_factor(gain, lower=True), seen.factor.T)
    noisy = seen.factor @ (seen.factor.T + inverse)
    factor = cholesky(0.5 * (noisy + noisy.T), lower=True)
    gain.flat[:: len(gain) + 1] += 1.0
    mean = cho_solve(cho_factor(gain, lower=True), seen.features.T @ nu)
    weights: Array = solve_triangular(seen.factor, mean, lower=True, trans="T")
    return factor, weights
