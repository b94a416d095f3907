"""Expectation propagation for binary outcomes.

Sources: C. E. Rasmussen & C. K. I. Williams (2006), Gaussian Processes for Machine Learning, section 3.6
(eqs. 3.56-3.74, evidence 3.65) and algorithm 5.2 (its gradient); M. Kuss & C. E. Rasmussen (2005), JMLR 6:
1679-1704. Sites are updated all at once, damped (parallel updates).

Notation, n trials: K (n, n) prior covariance; c prior mean; y (n,) outcomes in {0, 1}, s = 2 y - 1;
f = c + h latent values, h ~ N(0, K); g guess and e lapse rate, P(y = 1 | f) = g + (1 - g - e) Phi(f);
tau, nu (n,) natural parameters of the sites; B = I + S K S with S = diag(sqrt tau), L its Cholesky factor;
mu, sigma2 (n,) posterior mean and variance of h; a suffix _c marks the cavity (posterior without its own
site).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from fechner.strategies.models.normal import Array, density, log_ndtr, ndtr
from scipy.linalg import cholesky, solve_triangular

MAX_SWEEPS = 60
SMALLEST_PRECISION = 1e-10


@dataclass(frozen=True)
class Sites:
    """The Gaussian approximation.

    Attributes:
        tau, nu: (n,) natural parameters of the sites, for f - c.
        factor: (n, n) L, the lower Cholesky factor of B.
        weights: (n,) b = K^-1 mu, so that the posterior mean at x is c + k(x)^T b.
        log_evidence: approximate log P(y).
        converged: whether the sites settled.
    """

    tau: Array
    nu: Array
    factor: Array
    weights: Array
    log_evidence: float
    converged: bool

    def curvature(self) -> Array:
        """b b^T - S B^-1 S, (n, n): half its product with dK is the change of log evidence (alg. 5.2)."""
        root = np.sqrt(self.tau)
        half = solve_triangular(self.factor, np.diag(root), lower=True, check_finite=False)
        out: Array = np.outer(self.weights, self.weights) - half.T @ half
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


def propagate(
    covariance: Array,
    mean: float,
    y: Array,
    *,
    floor: float = 0.0,
    lapse: float = 0.0,
    start: tuple[Array, Array] | None = None,
    tolerance: float = 1e-5,
    poll: Callable[[], None] | None = None,
) -> Sites:
    """Approximate the posterior of f given y.

    Args:
        covariance: (n, n) K.
        mean: c.
        y: (n,) outcomes, 0.0 or 1.0.
        floor, lapse: g and e.
        start: sites (tau, nu) to begin from; zeros if None.
        tolerance: largest change of a posterior mean, in posterior standard deviations, that counts as
            settled.
        poll: called between sweeps; may raise to cancel.

    Raises:
        numpy.linalg.LinAlgError: K is not positive definite, or the sites don't stay finite.
    """
    n = len(y)
    tau, nu = (np.zeros(n), np.zeros(n)) if start is None else (start[0].copy(), start[1].copy())
    identity = np.eye(n)
    prior_diagonal = np.diag(covariance)
    damping, previous_change = 1.0, np.inf
    factor, half, mu, sigma2 = _marginals(covariance, prior_diagonal, identity, tau, nu)
    converged = False
    for _ in range(MAX_SWEEPS):
        if poll is not None:
            poll()
        tau_c = np.maximum(1.0 / sigma2 - tau, 1e-12)
        nu_c = mu / sigma2 - nu
        variance_c = 1.0 / tau_c
        mean_c = nu_c * variance_c
        _, alpha, beta = tilted(mean + mean_c, variance_c, y, floor, lapse)
        # a guess rate's tail is not log-concave: such a site shifts the mean, but adds no precision
        beta = np.maximum(beta, 0.0)
        left = np.maximum(1.0 - beta * variance_c, 1e-10)
        new_tau = np.maximum(beta / left, SMALLEST_PRECISION)
        new_nu = (alpha + mean_c * beta) / left
        tau = tau + damping * (new_tau - tau)
        nu = nu + damping * (new_nu - nu)
        old_mu, old_sigma2 = mu, sigma2
        factor, half, mu, sigma2 = _marginals(covariance, prior_diagonal, identity, tau, nu)
        change = float(
            np.max(np.abs(mu - old_mu) / np.sqrt(sigma2) + np.abs(np.log(sigma2 / old_sigma2)), initial=0.0)
        )
        if not np.isfinite(change):
            raise np.linalg.LinAlgError("expectation propagation left the finite numbers")
        if change < tolerance:
            converged = True
            break
        if change > 0.9 * previous_change:
            damping = max(0.7 * damping, 0.2)
        previous_change = change
    return _finish(covariance, mean, y, floor, lapse, tau, nu, factor, half, mu, sigma2, converged)


def _marginals(
    covariance: Array, prior_diagonal: Array, identity: Array, tau: Array, nu: Array
) -> tuple[Array, Array, Array, Array]:
    """L, L^-1 S K, mu and sigma2 from the sites (R&W eqs. 3.53, 3.68)."""
    root = np.sqrt(tau)
    scaled = root[:, None] * covariance
    factor = cholesky(identity + scaled * root[None, :], lower=True, check_finite=False, overwrite_a=True)
    half = solve_triangular(factor, scaled, lower=True, check_finite=False)
    sigma2 = np.maximum(prior_diagonal - np.einsum("ij,ij->j", half, half), 1e-12)
    mu = covariance @ nu - half.T @ (half @ nu)
    return factor, half, mu, sigma2


def _finish(
    covariance: Array,
    mean: float,
    y: Array,
    floor: float,
    lapse: float,
    tau: Array,
    nu: Array,
    factor: Array,
    half: Array,
    mu: Array,
    sigma2: Array,
    converged: bool,
) -> Sites:
    """Weights and evidence (R&W eqs. 3.65, 3.73, 3.74) at the settled sites."""
    tau_c = np.maximum(1.0 / sigma2 - tau, 1e-12)
    nu_c = mu / sigma2 - nu
    mean_c = nu_c / tau_c
    log_z, _, _ = tilted(mean + mean_c, 1.0 / tau_c, y, floor, lapse)
    evidence = (
        float(np.sum(log_z))
        + 0.5 * float(np.sum(np.log1p(tau / tau_c)))
        - float(np.sum(np.log(np.diag(factor))))
        + 0.5 * float(nu @ mu - np.sum(nu * nu / (tau + tau_c)))
        + 0.5 * float(np.sum(mean_c * tau_c / (tau + tau_c) * (tau * mean_c - 2.0 * nu)))
    )
    return Sites(tau, nu, factor, nu - tau * mu, evidence, converged)
