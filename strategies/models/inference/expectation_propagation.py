"""Expectation propagation for binary outcomes.

Sources: C. E. Rasmussen & C. K. I. Williams (2006), Gaussian Processes for Machine Learning, section 3.6
(eqs. 3.56-3.74, evidence 3.65) and algorithm 5.2 (its gradient); M. Kuss & C. E. Rasmussen (2005), JMLR 6:
1679-1704. Sites are updated all at once; H. F. Walker & P. Ni (2011), Anderson acceleration for fixed-point
iterations, SIAM J. Numer. Anal. 49:1715-1735, combines the last updates into the next, which settles in
about 12 sweeps where plain updates take 20 to 100, or oscillate.

Notation, n trials: K (n, n) prior covariance; c prior mean; y (n,) outcomes in {0, 1}, s = 2 y - 1;
f = c + h latent values, h ~ N(0, K); g guess and e lapse rate, P(y = 1 | f) = g + (1 - g - e) Phi(f);
tau, nu (n,) natural parameters of the sites; B = I + S K S with S = diag(sqrt tau); mu, sigma2 (n,) posterior
mean and variance of h (marginals.py); a suffix _c marks the cavity (posterior without its own site).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from fechner.strategies.models.inference.binary_likelihood import tilted
from fechner.strategies.models.inference.marginals import LowRank, Marginals, Prior, prior_of
from fechner.strategies.numerics.arrays import Array, Poll

MAX_SWEEPS = 60
SMALLEST_PRECISION = 1e-10
NEAR = 0.03  # tolerance for posteriors of other hyperparameters, whose intervals it moves by .002 sd at most
HISTORY = 5  # updates that Anderson acceleration combines

#: Sites (tau, nu) to begin from.
Start = tuple[Array, Array]

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
    start: Start | None = None,
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
        prior: Prior = LowRank(root)
    else:
        assert covariance is not None
        prior = prior_of(covariance)
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
        before = now
        tau, nu = history.combine(tau, nu, *_updated(mean, noise, likelihood, tau, nu, before), before.sigma2)
        now = prior.marginals(tau, nu)
        change = _change(before, now)
        if change < tolerance:
            converged = True
            break
        if change > 10.0 * least:
            history.forget()
        least = min(least, change)
    evidence, cavity = _log_evidence(mean, noise, likelihood, tau, nu, now)
    return Sites(tau, nu, nu - tau * now.mu, evidence, converged, cavity, now.precision)


def _updated(
    mean: float | Array, noise: Array, likelihood: Likelihood, tau: Array, nu: Array, now: Marginals
) -> Start:
    """The sites (n,) that match the moments of the tilted distributions (R&W eqs. 3.56-3.59)."""
    mu, sigma2 = now.mu, now.sigma2
    tau_c = np.maximum(1.0 / sigma2 - tau, 1e-12)
    nu_c = mu / sigma2 - nu
    variance_c = 1.0 / tau_c
    mean_c = nu_c * variance_c
    _, alpha, beta = likelihood(mean + mean_c, variance_c + noise)
    # a guess rate's tail is not log-concave: such a site shifts the mean, but adds no precision
    beta = np.maximum(beta, 0.0)
    left = np.maximum(1.0 - beta * variance_c, 1e-10)
    return np.maximum(beta / left, SMALLEST_PRECISION), (alpha + mean_c * beta) / left


def _change(before: Marginals, now: Marginals) -> float:
    """The largest change of a marginal, in its standard deviations.

    Raises:
        numpy.linalg.LinAlgError: it isn't finite.
    """
    moved = np.abs(now.mu - before.mu) / np.sqrt(now.sigma2) + np.abs(np.log(now.sigma2 / before.sigma2))
    change = float(np.max(moved, initial=0.0))
    if not np.isfinite(change):
        raise np.linalg.LinAlgError("expectation propagation left the finite numbers")
    return change


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
    now: Marginals,
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
