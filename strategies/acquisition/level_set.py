"""Acquisition functions of the posterior's mean and variance at a point alone, in closed form or quadrature.

Straddle (MCLevelSetEstimation): B. Bryan et al. (2005), Active learning for identifying function threshold
boundaries, NeurIPS, eq. 2: 1.96 sd(x) - |mean(x) - target|. The key `beta` is the multiplier's square (3.84 =
1.96^2), so value(x) = sqrt(beta) sd(x) - |mean(x) - target|, with mean and sd of p = P(y = 1 | f(x)) under a
ProbitObjective, of f(x) without an objective.
BALD (BernoulliMCMutualInformation): N. Houlsby, F. Huszar, Z. Ghahramani & M. Lengyel (2011), Bayesian active
learning for classification and preference learning, arXiv 1112.5745, eq. 2: H(E[p]) - E[H(p)], in nats.
BALV (MCPosteriorVariance): the variance of p (of f for continuous outcomes, of E[y | f] for ordinal ones).

Notation: m points; mu, s2 (m,) mean and variance of f there; every function takes (mu, s2) to values (m,).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import entr

from fechner.strategies.acquisition.acquisition import Acquisition, at_a_point, target_of
from fechner.strategies.acquisition.objectives import Objective, objective_of
from fechner.strategies.acquisition.slopes import OfMoments
from fechner.strategies.models.inference import ordinal_likelihood
from fechner.strategies.models.posteriors.ordinal import OrdinalPosterior
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import ndtr, probability_moments
from fechner.strategies.specification import Component

NARROW = 0.7  # sd of f below which an expectation is taken on nodes of its own, above it on a fixed grid
_HERMITE, _HERMITE_WEIGHTS = np.polynomial.hermite_e.hermegauss(20)
_HERMITE_WEIGHTS = _HERMITE_WEIGHTS / _HERMITE_WEIGHTS.sum()
_GRID: Array = np.linspace(-8.0, 8.0, 65)


def build_straddle(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """MCLevelSetEstimation."""
    given = component.keys.get("objective")
    beta = component.keys.get("beta")
    beta = 3.84 if beta is None else float(beta)
    objective = objective_of(given, posterior)
    values = straddle(posterior, target_of(component), beta, given is not None, objective)
    return at_a_point(component, posterior, values)


def build_variance(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """MCPosteriorVariance."""
    values = posterior_variance(posterior, objective_of(component.keys.get("objective"), posterior))
    return at_a_point(component, posterior, values)


def build_information(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """BernoulliMCMutualInformation."""
    values = information(posterior, objective_of(component.keys.get("objective"), posterior))
    return at_a_point(component, posterior, values)


def straddle(
    posterior: Posterior,
    target: float,
    beta: float,
    on_probability: bool,
    objective: Objective | None = None,
) -> OfMoments:
    """The straddle; `target` is a probability (`on_probability`, or the objective's) or an f."""
    multiplier = float(np.sqrt(beta))

    def values(mean: Array, variance: Array) -> Array:
        if objective is not None:
            mean, variance = objective.moments(mean, variance)
        elif on_probability:
            mean, variance = _of_probability(posterior, mean, variance)
        out: Array = multiplier * np.sqrt(variance) - np.abs(mean - target)
        return out

    return values


def posterior_variance(posterior: Posterior, objective: Objective | None = None) -> OfMoments:
    """BALV: the variance of p, of E[y | f] for ordinal outcomes, or of f for continuous ones."""

    def values(mean: Array, variance: Array) -> Array:
        if objective is not None:
            return objective.moments(mean, variance)[1]
        return posterior.value_moments(mean, variance)[1]

    return values


def information(posterior: Posterior, objective: Objective | None = None) -> OfMoments:
    """BALD: what the outcome would tell about f, in nats."""

    def values(mean: Array, variance: Array) -> Array:
        if objective is not None:
            known = objective.mean_of(binary_entropy, mean, variance)
            return binary_entropy(objective.moments(mean, variance)[0]) - known
        if isinstance(posterior, OrdinalPosterior):
            return ordinal_likelihood.information(mean, variance, posterior.cuts)
        first, _ = _of_probability(posterior, mean, variance)
        return binary_entropy(first) - expected(
            lambda f: binary_entropy(posterior.probability(f)), mean, variance
        )

    return values


def expected(function: Callable[[Array], Array], mean: Array, variance: Array) -> Array:
    """E[function(f)] for f ~ N(mean, variance), (m,), of a function that settles beyond |f| = 8.

    Where f is narrow on Gauss-Hermite nodes; where it is wide, as the sum of a function on a fixed grid
    against the density, which is accurate to about 1e-9 since both are smooth (trapezoidal rule).
    """
    sd = np.sqrt(variance)
    out = np.empty_like(mean)
    narrow = sd < NARROW
    nodes = mean[narrow, None] + sd[narrow, None] * _HERMITE
    out[narrow] = function(nodes) @ _HERMITE_WEIGHTS
    wide = ~narrow
    if wide.any():
        low, high = function(_GRID[[0, -1]])
        away = (_GRID - mean[wide, None]) / sd[wide, None]
        weights = np.exp(-0.5 * away * away) * ((_GRID[1] - _GRID[0]) / np.sqrt(2 * np.pi))
        # what is left of the function without its levels at both ends, whose expectation is Phi's
        rest = function(_GRID) - low - (high - low) * ndtr(_GRID)
        share = ndtr(mean[wide] / np.sqrt(1.0 + variance[wide]))
        out[wide] = (weights @ rest) / sd[wide] + low + (high - low) * share
    return out


def binary_entropy(p: Array) -> Array:
    """The entropy of a binary outcome of probability p, in nats, elementwise."""
    out: Array = entr(p) + entr(1.0 - p)
    return out


def _of_probability(posterior: Posterior, mean: Array, variance: Array) -> tuple[Array, Array]:
    """Mean and variance of p."""
    first, second = probability_moments(mean, variance)
    rest = 1.0 - posterior.floor - posterior.lapse
    return posterior.floor + rest * first, rest * rest * second
