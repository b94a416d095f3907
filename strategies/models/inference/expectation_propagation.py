"""Expectation propagation for binary outcomes.

Sources: C. E. Rasmussen & C. K. I. Williams (2006), Gaussian Processes for Machine Learning, section 3.6
(eqs. 3.56-3.74, evidence 3.65) and algorithm 5.2 (its gradient); M. Kuss & C. E. Rasmussen (2005), JMLR 6:
1679-1704. Sites are updated all at once; H. F. Walker & P. Ni (2011), Anderson acceleration for fixed-point
iterations, SIAM J. Numer. Anal. 49:1715-1735, combines the last updates into the next, which settles in
about 12 sweeps where plain updates take 20 to 100, or oscillate.

Notation, n trials: K (n, n) prior covariance; c prior mean; y (n,) outcomes in {0, 1}, s = 2 y - 1;
f = c + h latent values, h ~ N(0, K); g guess and e lapse rate, P(y = 1 | f) = g + (1 - g - e) Phi(f);
tau, nu (n,) natural parameters of the sites; B = I + S K S with S = diag(sqrt tau), L its Cholesky factor;
mu, sigma2 (n,) posterior mean and variance of h; a suffix _c marks the cavity (posterior without its own
site). Where K is nearly of rank r < n / 2 (many trials in few dimensions), K = V V^T with V (n, r) from a
pivoted Cholesky factorisation, and A = I + V^T S^2 V takes the place of B.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dpstrf, dtrtrs

from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.normal import density, log_ndtr, ndtr

MAX_SWEEPS = 60
SMALLEST_PRECISION = 1e-10
NEAR = 0.03  # tolerance for posteriors of other hyperparameters, whose intervals it moves by .002 sd at most
HISTORY = 5  # updates that Anderson acceleration combines
LOW_RANK_FROM = 80  # trials from which a low rank is looked for
RANK_TOLERANCE = 1e-8  # of the largest prior variance; what a pivoted factorisation may leave out

#: Mean and variance (n,) of each f without its site to log Z, its first derivative by the mean and minus its
#: second, each (n,): what sites of any kind are updated with.
Likelihood = Callable[[Array, Array], tuple[Array, Array, Array]]


@dataclass(frozen=True)
class Sites:
    """The Gaussian approximation.

    Attributes:
        tau, nu: (n,) natural parameters of the sites, for f - c.
        weights: (n,) b = K^-1 mu, so that the posterior mean at x is c + k(x)^T b.
        log_evidence: approximate log P(y).
        converged: whether the sites settled.
        cavity: mean and variance (n,) of each f without its own site. Settled sites are stationary, so that
            the evidence changes with a likelihood's parameters as the sum of log Z at these does.
        precision: gives S B^-1 S, (n, n), so that cov(x, x') = k(x, x') - k(x)^T S B^-1 S k(x').
    """

    tau: Array
    nu: Array
    weights: Array
    log_evidence: float
    converged: bool
    cavity: tuple[Array, Array]
    precision: Callable[[], Array]

    def curvature(self) -> Array:
        """b b^T - S B^-1 S, (n, n): half its product with dK is the change of log evidence (alg. 5.2)."""
        out: Array = np.outer(self.weights, self.weights) - self.precision()
        return out


def tilted(mean: Array, variance: Array, y: Array, floor: float, lapse: float) -> tuple[Array, Array, Array]:
    """log Z, its first derivative by the mean and minus its second, for f ~ N(mean, variance), each (n,).

    Z = integral of P(y | f) N(f | mean, variance) (R&W eq. 3.58, with guess and lapse rate).
    """
    sign = 2.0 * y - 1.0
    scale = np.sqrt(1.0 + variance)
    z = sign * mean / scale
    rest = 1.0 - floor - lapse
    if floor == 0.0 and lapse == 0.0:
        log_z = log_ndtr(z)
        ratio = np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_z)
    else:
        base = np.where(y > 0.5, floor, lapse)
        total = base + rest * ndtr(z)
        # far in the tail of a likelihood without base rate the logarithm form is the accurate one
        log_z = np.where(base > 0, np.log(np.maximum(total, 1e-300)), np.log(rest) + log_ndtr(z))
        ratio = rest * np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_z)
    first = sign * ratio / scale
    return log_z, first, (ratio * ratio + z * ratio) / (scale * scale)


def expected_information(mean: Array, variance: Array, floor: float, lapse: float) -> Array:
    """The expected precision tau that an outcome at f ~ N(mean, variance) brings, before it is seen, (m,).

    The expectation of minus the second derivative of log Z over both outcomes is Z'^2 (1/Z_1 + 1/Z_0).
    """
    scale = np.sqrt(1.0 + variance)
    z = mean / scale
    rest = 1.0 - floor - lapse
    yes = np.maximum(floor + rest * ndtr(z), 1e-300)
    no = np.maximum(lapse + rest * ndtr(-z), 1e-300)
    slope = rest * density(z) / scale
    beta = slope * slope * (1.0 / yes + 1.0 / no)
    out: Array = beta / np.maximum(1.0 - beta * variance, 1e-6)
    return out


@dataclass(frozen=True)
class _Marginals:
    """What a sweep needs of the posterior: mu, sigma2 (n,), log |B| / 2 and S B^-1 S, (n, n), on demand."""

    mu: Array
    sigma2: Array
    half_log_det: float
    precision: Callable[[], Array]


class _Prior(Protocol):
    """The prior covariance, in the form that makes the posterior's marginals cheap."""

    def marginals(self, tau: Array, nu: Array) -> _Marginals:
        """The marginals given the sites (R&W eqs. 3.53, 3.68)."""


class _Full:
    """K as it is."""

    def __init__(self, covariance: Array) -> None:
        self.covariance = covariance
        self.diagonal = covariance.diagonal().copy()

    def marginals(self, tau: Array, nu: Array) -> _Marginals:
        root = np.sqrt(tau)
        scaled = root[:, None] * self.covariance
        inner = scaled * root
        inner.flat[:: len(tau) + 1] += 1.0
        factor = _cholesky(inner)
        half, _ = dtrtrs(factor, scaled, lower=1)  # L^-1 S K
        sigma2 = np.maximum(self.diagonal - np.einsum("ij,ij->j", half, half), 1e-12)
        mu = self.covariance @ nu - half.T @ (half @ nu)

        def precision() -> Array:
            lower, _ = dpotri(factor, lower=1)
            inverse = np.tril(lower)
            inverse += np.tril(inverse, -1).T
            out: Array = root[:, None] * inverse * root
            return out

        return _Marginals(mu, sigma2, float(np.sum(np.log(factor.diagonal()))), precision)


class _LowRank:
    """K = V V^T."""

    def __init__(self, root: Array) -> None:
        self.root = root

    def marginals(self, tau: Array, nu: Array) -> _Marginals:
        scaled = np.sqrt(tau)[:, None] * self.root
        inner = scaled.T @ scaled
        inner.flat[:: len(inner) + 1] += 1.0
        factor = _cholesky(inner)
        half, _ = dtrtrs(factor, self.root.T, lower=1)  # a root of the posterior covariance
        sigma2 = np.maximum(np.einsum("ij,ij->j", half, half), 1e-12)

        def precision() -> Array:
            weighted = half * tau
            out: Array = -(weighted.T @ weighted)
            out.flat[:: len(tau) + 1] += tau
            return out

        return _Marginals(half.T @ (half @ nu), sigma2, float(np.sum(np.log(factor.diagonal()))), precision)


def _cholesky(matrix: Array) -> Array:
    """The lower Cholesky factor of a symmetric matrix, which is overwritten."""
    factor, info = dpotrf(matrix, lower=1, overwrite_a=1)
    if info != 0 or not np.isfinite(factor[-1, -1]):
        raise np.linalg.LinAlgError("the sites' covariance is not positive definite")
    out: Array = factor
    return out


def _prior(covariance: Array) -> _Prior:
    """K as it is, or of low rank where that saves much."""
    n = len(covariance)
    if n >= LOW_RANK_FROM:
        largest = float(covariance.diagonal().max())
        factor, pivots, rank, _ = dpstrf(covariance, tol=RANK_TOLERANCE * largest, lower=1)
        if 0 < rank < n // 2:
            root = np.empty((n, rank))
            root[pivots - 1] = np.tril(factor)[:, :rank]
            return _LowRank(root)
    return _Full(covariance)


def propagate(
    covariance: Array | None,
    mean: float | Array,
    y: Array,
    *,
    root: Array | None = None,
    residual: Array | None = None,
    floor: float = 0.0,
    lapse: float = 0.0,
    likelihood: Likelihood | None = None,
    start: tuple[Array, Array] | None = None,
    tolerance: float = 1e-5,
    poll: Poll | None = None,
) -> Sites:
    """Approximate the posterior of f given y.

    Args:
        covariance: (n, n) K; None where `root` is given.
        mean: c; or (n,), one for each site.
        y: (n,) outcomes, 0.0 or 1.0.
        root: (n, r) V with K = V V^T.
        residual: (n,) variance of noise on each f that K doesn't hold; none if None.
        floor, lapse: g and e.
        likelihood: of the sites, where they are not binary outcomes with one guess and lapse rate.
        start: sites (tau, nu) to begin from; zeros if None.
        tolerance: largest change of a posterior mean, in posterior standard deviations, that counts as
            settled.
        poll: called between sweeps; may raise to cancel.

    Raises:
        numpy.linalg.LinAlgError: K is not positive definite, or the sites don't stay finite.
    """
    n = len(y)
    if root is not None:
        prior: _Prior = _LowRank(root)
    else:
        assert covariance is not None
        prior = _prior(covariance)
    noise = np.zeros(n) if residual is None else residual
    if likelihood is None:
        likelihood = partial(tilted, y=y, floor=floor, lapse=lapse)
    tau, nu = (np.zeros(n), np.zeros(n)) if start is None else (start[0].copy(), start[1].copy())
    now = prior.marginals(tau, nu)
    history = _History()
    converged, least = False, np.inf
    for _ in range(MAX_SWEEPS):
        if poll is not None:
            poll()
        mu, sigma2 = now.mu, now.sigma2
        tau_c = np.maximum(1.0 / sigma2 - tau, 1e-12)
        nu_c = mu / sigma2 - nu
        variance_c = 1.0 / tau_c
        mean_c = nu_c * variance_c
        _, alpha, beta = likelihood(mean + mean_c, variance_c + noise)
        # a guess rate's tail is not log-concave: such a site shifts the mean, but adds no precision
        beta = np.maximum(beta, 0.0)
        left = np.maximum(1.0 - beta * variance_c, 1e-10)
        new_tau = np.maximum(beta / left, SMALLEST_PRECISION)
        new_nu = (alpha + mean_c * beta) / left
        tau, nu = history.combine(tau, nu, new_tau, new_nu, sigma2)
        now = prior.marginals(tau, nu)
        moved = np.abs(now.mu - mu) / np.sqrt(now.sigma2) + np.abs(np.log(now.sigma2 / sigma2))
        change = float(np.max(moved, initial=0.0))
        if not np.isfinite(change):
            raise np.linalg.LinAlgError("expectation propagation left the finite numbers")
        if change < tolerance:
            converged = True
            break
        if change > 10.0 * least:
            history.forget()
        least = min(least, change)
    evidence, cavity = _log_evidence(mean, noise, likelihood, tau, nu, now)
    return Sites(tau, nu, nu - tau * now.mu, evidence, converged, cavity, now.precision)


class _History:
    """The last sites and their updates, from which the next sites are extrapolated (Walker & Ni 2011)."""

    def __init__(self) -> None:
        self.sites: list[Array] = []
        self.steps: list[Array] = []
        self.damping = 1.0

    def forget(self) -> None:
        """Begin anew, with smaller steps."""
        self.sites.clear()
        self.steps.clear()
        self.damping = max(0.7 * self.damping, 0.2)

    def combine(
        self, tau: Array, nu: Array, new_tau: Array, new_nu: Array, sigma2: Array
    ) -> tuple[Array, Array]:
        """The sites to go on with: those whose update, were the map linear, would be the smallest."""
        n = len(tau)
        here, step = np.concatenate([tau, nu]), np.concatenate([new_tau - tau, new_nu - nu])
        self.sites, self.steps = [*self.sites[-HISTORY:], here], [*self.steps[-HISTORY:], step]
        following = here + self.damping * step
        if len(self.sites) > 1:
            units = np.concatenate([sigma2, np.sqrt(sigma2)])  # in which both parameters have no dimension
            of_steps = np.diff(np.array(self.steps), axis=0)
            of_sites = np.diff(np.array(self.sites), axis=0)
            scaled = of_steps * units
            gram = scaled @ scaled.T
            gram.flat[:: len(gram) + 1] += 1e-12 * np.trace(gram) + 1e-300
            share = np.linalg.solve(gram, scaled @ (step * units))
            following = following - share @ (of_sites + self.damping * of_steps)
        next_tau, next_nu = following[:n], following[n:]
        wrong = next_tau < SMALLEST_PRECISION
        return np.where(wrong, new_tau, next_tau), np.where(wrong, new_nu, next_nu)


def _log_evidence(
    mean: float | Array,
    noise: Array,
    likelihood: Likelihood,
    tau: Array,
    nu: Array,
    now: _Marginals,
) -> tuple[float, tuple[Array, Array]]:
    """log P(y) at the settled sites (R&W eqs. 3.65, 3.73, 3.74), and the cavities' means and variances."""
    mu, sigma2 = now.mu, now.sigma2
    tau_c = np.maximum(1.0 / sigma2 - tau, 1e-12)
    nu_c = mu / sigma2 - nu
    mean_c = nu_c / tau_c
    cavity = mean + mean_c, 1.0 / tau_c + noise
    log_z, _, _ = likelihood(*cavity)
    value = (
        float(np.sum(log_z))
        + 0.5 * float(np.sum(np.log1p(tau / tau_c)))
        - now.half_log_det
        + 0.5 * float(nu @ mu - np.sum(nu * nu / (tau + tau_c)))
        + 0.5 * float(np.sum(mean_c * tau_c / (tau + tau_c) * (tau * mean_c - 2.0 * nu)))
    )
    return value, cavity
