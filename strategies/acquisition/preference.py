"""Acquisition functions of pairs: how much comparing two stimuli would teach.

Z. J. Lin, R. Astudillo, P. Frazier & E. Bakshy (2022), Preference exploration for efficient Bayesian
optimization with multiple outcomes, AISTATS (section 4: EUBO, the expected utility of the best option);
N. Houlsby, F. Huszar, Z. Ghahramani & M. Lengyel (2011), Bayesian active learning for classification and
preference learning, arXiv 1112.5745 (BALD: the information of an outcome about the latent function).

Notation: a, b (m, d) the stimuli of m pairs; mu, v, c posterior means, variances and covariance of f there;
theta^2 = v_a + v_b - 2 c; t = (mu_a - mu_b) / theta; w = (f(b) - f(a)) / sqrt 2 ~ N(u, s2), p = Phi(w) the
probability that b is preferred. EUBO = E[max(f(a), f(b))] = mu_a Phi(t) + mu_b Phi(-t) + theta phi(t).
BoTorch's qExpectedUtilityOfBestOption and PairwiseBayesianActiveLearningByDisagreement are expectations over
samples of a pair, which have the closed forms (the quadrature) of EUBO and BALD.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fechner.strategies.models.posteriors.pairwise import SQRT_HALF, PairwisePosterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import density, log_ndtr, ndtr, probability_moments

#: Value (m,) and derivatives by u and s2, of u and s2 (m,).
OfDifference = Callable[[Array, Array], tuple[Array, Array, Array]]

NARROW = 0.7  # sd of w below which the entropy is integrated on nodes of its own, above it on a fixed grid
_HERMITE, _HERMITE_WEIGHTS = np.polynomial.hermite_e.hermegauss(16)
_HERMITE_WEIGHTS = _HERMITE_WEIGHTS / _HERMITE_WEIGHTS.sum()
_GRID: Array = np.linspace(-7.5, 7.5, 31)


@dataclass(frozen=True)
class PairFunction:
    """An acquisition function of pairs.

    Attributes:
        values: (m, 2, d) pairs to (m,) values; the larger the better.
        gradients: (m, 2, d) pairs to (m,) values and (m, 2, d) derivatives.
    """

    values: Callable[[Array], Array]
    gradients: Callable[[Array], tuple[Array, Array]]


def variance_of_preference(posterior: PairwisePosterior) -> PairFunction:
    """The variance of p."""
    return _of_difference(posterior, _variance)


def information_of_preference(posterior: PairwisePosterior) -> PairFunction:
    """BALD, in bits."""
    return _of_difference(posterior, _information)


def expected_utility_of_best(posterior: PairwisePosterior) -> PairFunction:
    """EUBO of pairs."""

    def values(pairs: Array) -> Array:
        moments = posterior.pair_moments(pairs)
        gap, variance = moments.difference()
        theta = np.sqrt(variance)
        t = -gap / theta
        share = ndtr(t)
        out: Array = moments.mean[:, 0] * share + moments.mean[:, 1] * (1.0 - share) + theta * density(t)
        return out

    def gradients(pairs: Array) -> tuple[Array, Array]:
        moments, slopes = posterior.pair_slopes(pairs)
        gap, variance = moments.difference()
        theta = np.sqrt(variance)
        t = -gap / theta
        shares = np.stack([ndtr(t), ndtr(-t)], axis=1)
        value = (moments.mean * shares).sum(axis=1) + theta * density(t)
        by_variance = (density(t) / (2.0 * theta))[:, None, None]
        slope = shares[:, :, None] * slopes.mean
        slope += by_variance * (slopes.variance - 2.0 * slopes.covariance)
        return value, slope

    return PairFunction(values, gradients)


def _of_difference(posterior: PairwisePosterior, function: OfDifference) -> PairFunction:
    """An acquisition function that depends on w only."""
    signs = np.array([-SQRT_HALF, SQRT_HALF])[:, None]

    def values(pairs: Array) -> Array:
        return function(*posterior.preference(pairs))[0]

    def gradients(pairs: Array) -> tuple[Array, Array]:
        moments, slopes = posterior.pair_slopes(pairs)
        gap, variance = moments.difference()
        value, by_mean, by_variance = function(SQRT_HALF * gap, 0.5 * variance)
        slope = by_mean[:, None, None] * signs * slopes.mean
        slope += 0.5 * by_variance[:, None, None] * (slopes.variance - 2.0 * slopes.covariance)
        return value, slope

    return PairFunction(values, gradients)


def _variance(u: Array, s2: Array) -> tuple[Array, Array, Array]:
    """The variance of p, and its derivatives.

    With h = u / sqrt(1 + s2), r = 1 / sqrt(1 + 2 s2) and Owen's T it is Phi(h) Phi(-h) - 2 T(h, r).
    """
    _, value = probability_moments(u, s2)
    scale = 1.0 / np.sqrt(1.0 + s2)
    h, r = u * scale, 1.0 / np.sqrt(1.0 + 2.0 * s2)
    by_h = 2.0 * density(h) * (ndtr(r * h) - ndtr(h))
    by_r = -np.exp(-0.5 * h * h * (1.0 + r * r)) / (np.pi * (1.0 + r * r))
    return value, by_h * scale, -0.5 * by_h * h * scale * scale - by_r * r**3


def _information(u: Array, s2: Array) -> tuple[Array, Array, Array]:
    """The information of the outcome about w in bits, H(E[p]) - E[H(p)], and its derivatives."""
    scale = 1.0 / np.sqrt(1.0 + s2)
    h = u * scale
    marginal, by_h = entropy(h)
    expected, by_mean, by_variance = expected_entropy(u, s2)
    value = np.maximum(marginal - expected, 0.0)
    return value, by_h * scale - by_mean, -0.5 * by_h * h * scale * scale - by_variance


def entropy(w: Array) -> tuple[Array, Array]:
    """The entropy in bits of a binary outcome of probability Phi(w), and its derivative, elementwise."""
    yes, no = log_ndtr(w), log_ndtr(-w)
    value = -(np.exp(yes) * yes + np.exp(no) * no) / np.log(2.0)
    return value, density(w) * (no - yes) / np.log(2.0)


def expected_entropy(u: Array, s2: Array) -> tuple[Array, Array, Array]:
    """E[H(Phi(w))] in bits, w ~ N(u, s2), and its derivatives by u and s2, each (m,), to 1e-10.

    The entropy is a bump of width 2 or so: for a narrow w Gauss-Hermite nodes see it as smooth, for a wide
    one the trapezoidal rule on a fixed grid does.
    """
    sd = np.sqrt(s2)
    out = np.empty((3, len(u)))
    narrow = sd < NARROW
    if narrow.any():
        mean, scale = u[narrow, None], sd[narrow, None]
        value, slope = entropy(mean + scale * _HERMITE)
        out[0, narrow] = value @ _HERMITE_WEIGHTS
        out[1, narrow] = slope @ _HERMITE_WEIGHTS
        out[2, narrow] = (slope @ (_HERMITE_WEIGHTS * _HERMITE)) / (2.0 * scale[:, 0])
    if not narrow.all():
        wide = ~narrow
        mean, scale = u[wide, None], sd[wide, None]
        z = (_GRID - mean) / scale
        weights = density(z) * (0.5 * entropy(_GRID)[0]) / scale
        out[0, wide] = weights.sum(axis=1)
        out[1, wide] = (weights * z).sum(axis=1) / scale[:, 0]
        out[2, wide] = (weights * (z * z - 1.0)).sum(axis=1) / (2.0 * scale[:, 0] ** 2)
    return out[0], out[1], out[2]
