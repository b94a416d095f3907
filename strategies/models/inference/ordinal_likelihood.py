"""The cumulative probit of ordinal outcomes: P(y = k | f) = Phi(c_{k+1} - f) - Phi(c_k - f).

W. Chu & Z. Ghahramani (2005), Gaussian processes for ordinal regression, JMLR 6:1019-1041 (eq. 5; the noise's
sd, their sigma, is 1 here, as the output scale of f takes its place).

Notation: K levels 0 … K - 1; c_1 < … < c_{K-1} the cut-points (K - 1,), c_0 = -inf, c_K = inf; n outcomes y
(n,); f ~ N(m, s2) elementwise; s = sqrt(1 + s2); a = (c_y - m) / s and b = (c_{y+1} - m) / s the ends of the
level that was told; Z = Phi(b) - Phi(a) its probability.
"""

from __future__ import annotations

import numpy as np
from scipy.special import entr

from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import bivariate_excess, density, log_ndtr, ndtr

BEYOND = 8.0  # the levels at both ends are certain so far beyond the cut-points
GRID_STEP = 0.25  # of f, over which expectations are sums; accurate to 1e-9 since all is smooth
NARROW = 0.7  # sd of f below which an expectation is taken on nodes of its own
_HERMITE, _HERMITE_WEIGHTS = np.polynomial.hermite_e.hermegauss(20)
_HERMITE_WEIGHTS = _HERMITE_WEIGHTS / _HERMITE_WEIGHTS.sum()


def _ends(mean: Array, scale: Array, y: Array, cuts: Array) -> tuple[Array, Array, Array]:
    """a, b and log Z, each (n,)."""
    whole = np.concatenate([[-np.inf], cuts, [np.inf]])
    level = y.astype(int)
    a, b = (whole[level] - mean) / scale, (whole[level + 1] - mean) / scale
    # on the side where both are small: differences of numbers near one would lose all digits
    flipped = a + b > 0
    low, high = np.where(flipped, -b, a), np.where(flipped, -a, b)
    log_high = log_ndtr(high)
    share = np.minimum(log_ndtr(low) - log_high, -1e-300)
    return a, b, log_high + np.log(np.maximum(-np.expm1(share), 1e-300))


def _shares(z: Array, log_z: Array) -> Array:
    """phi(z) / Z, 0 where z is infinite."""
    out: Array = np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_z)
    return out


def tilted(mean: Array, variance: Array, y: Array, cuts: Array) -> tuple[Array, Array, Array]:
    """log Z, its first derivative by m and minus its second, each (n,): what a site is updated with."""
    scale = np.sqrt(1.0 + variance)
    a, b, log_z = _ends(mean, scale, y, cuts)
    at_a, at_b = _shares(a, log_z), _shares(b, log_z)
    slope = at_a - at_b
    bend = np.where(np.isfinite(b), b, 0.0) * at_b - np.where(np.isfinite(a), a, 0.0) * at_a
    return log_z, slope / scale, (slope * slope + bend) / (scale * scale)


def by_cuts(mean: Array, variance: Array, y: Array, cuts: Array) -> Array:
    """The derivative (K - 1,) of the sum of log Z by the cut-points."""
    scale = np.sqrt(1.0 + variance)
    a, b, log_z = _ends(mean, scale, y, cuts)
    level = y.astype(int)
    upper = np.bincount(level + 1, weights=_shares(b, log_z) / scale, minlength=len(cuts) + 2)
    lower = np.bincount(level, weights=_shares(a, log_z) / scale, minlength=len(cuts) + 2)
    return np.asarray((upper - lower)[1:-1], dtype=float)


def above(mean: Array, variance: Array, cuts: Array) -> Array:
    """P(y >= k) for k = 1 … K - 1 in the last axis, for f of any shape; variance 0 gives those at f."""
    scale = np.sqrt(1.0 + np.asarray(variance, dtype=float))
    out: Array = ndtr((np.asarray(mean)[..., None] - cuts) / scale[..., None])
    return out


def levels(mean: Array, variance: Array, cuts: Array) -> Array:
    """P(y = k) for k = 0 … K - 1 in the last axis, for f of any shape."""
    more = above(mean, variance, cuts)
    ends = np.ones((*more.shape[:-1], 1))
    out: Array = np.maximum(-np.diff(np.concatenate([ends, more, 0.0 * ends], axis=-1), axis=-1), 0.0)
    return out


def expected_level(latent: Array, cuts: Array) -> Array:
    """E[y | f] between 0 and K - 1, elementwise."""
    out: Array = above(latent, np.zeros_like(latent), cuts).sum(axis=-1)
    return out


def level_moments(mean: Array, variance: Array, cuts: Array) -> tuple[Array, Array]:
    """Mean and variance of E[y | f], elementwise: what is not known of f, without the scatter of outcomes.

    Covariances of the Phi(f - c_j) are excesses of bivariate normal probabilities (as in Owen 1956).
    """
    mean, variance = np.asarray(mean, dtype=float), np.asarray(variance, dtype=float)
    scale = np.sqrt(1.0 + variance)
    h = (mean[..., None] - cuts) / scale[..., None]
    rows, columns = np.triu_indices(len(cuts))
    excess = bivariate_excess(h[..., rows], h[..., columns], (variance / (1.0 + variance))[..., None])
    spread = excess @ np.where(rows == columns, 1.0, 2.0)
    return ndtr(h).sum(axis=-1), np.maximum(spread, 0.0)


def expected_information(mean: Array, variance: Array, cuts: Array) -> Array:
    """The expected precision (m,) that an outcome at f ~ N(mean, variance) brings, before it is seen.

    Minus the second derivative of log Z, averaged over the levels, is the sum of Z_k'^2 / Z_k.
    """
    scale = np.sqrt(1.0 + variance)
    h = (mean[:, None] - cuts) / scale[:, None]
    slopes = np.zeros((len(mean), len(cuts) + 2))
    slopes[:, 1:-1] = density(h) / scale[:, None]
    by_level = -np.diff(slopes, axis=1)
    beta = np.sum(np.square(by_level) / np.maximum(levels(mean, variance, cuts), 1e-300), axis=1)
    out: Array = beta / np.maximum(1.0 - beta * variance, 1e-6)
    return out


def information(mean: Array, variance: Array, cuts: Array) -> Array:
    """What the outcome would tell about f, in nats, (m,): H(E[p]) - E[H(p)] over the K levels (Houlsby 2011).

    The expectation is taken on Gauss-Hermite nodes where f is narrow, else as a sum over a fixed grid.
    """
    sd = np.sqrt(variance)
    whole = entr(levels(mean, variance, cuts)).sum(axis=-1)
    left = np.empty_like(mean)
    narrow = sd < NARROW
    left[narrow] = _entropy(mean[narrow, None] + sd[narrow, None] * _HERMITE, cuts) @ _HERMITE_WEIGHTS
    if not narrow.all():
        wide = ~narrow
        count = int(np.ceil((cuts[-1] - cuts[0] + 2 * BEYOND) / GRID_STEP)) + 1
        grid = np.linspace(cuts[0] - BEYOND, cuts[-1] + BEYOND, count)
        away = (grid - mean[wide, None]) / sd[wide, None]
        weights = np.exp(-0.5 * away * away) * ((grid[1] - grid[0]) / np.sqrt(2 * np.pi))
        left[wide] = (weights @ _entropy(grid, cuts)) / sd[wide]
    out: Array = whole - left
    return out


def _entropy(latent: Array, cuts: Array) -> Array:
    """The entropy of the outcome at f, elementwise, in nats."""
    out: Array = entr(levels(latent, np.zeros_like(latent), cuts)).sum(axis=-1)
    return out
