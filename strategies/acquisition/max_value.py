"""Acquisition functions of what an outcome would tell about the highest (or lowest) f.

qMaxValueEntropy: Z. Wang & S. Jegelka (2017), Max-value entropy search for efficient Bayesian optimization,
ICML, for outcomes with noise: S. Takeno et al. (2020), Multi-fidelity Bayesian optimization with
max-value entropy search, ICML, appendix C. The information that y brings about f*, the mean over sampled f*
of H(y) - H(y | f <= f*). BoTorch takes the entropy from samples of y; here it is an integral.
qLowerBoundMaxValueEntropy (GIBBON): H. Moss, D. Leslie, J. Gonzalez & P. Rayson (2021), GIBBON:
general-purpose information-based Bayesian optimisation, JMLR 22(235), for one point: a lower bound
of it in closed form. f* is sampled from the joint posterior on a set of points, or from a Gumbel
distribution with the quartiles of their maximum as if they were independent (Wang & Jegelka 2017).

Notation: mu, s2 (m,) mean and variance of f at m points, their signs turned where the lowest f is sought;
y = f + noise of variance 1 / tau, tau the precision that an outcome brings in expectation; rho^2 = s2 / (s2
+ 1 / tau); f* (S,) sampled; g = (f* - mu) / sqrt(s2); r = phi(g) / Phi(g). With y in units of its sd, z =
y - E[y], p(z | f <= f*) = phi(z) Phi(a) / Phi(g), a = (g - rho z) / sqrt(1 - rho^2), of which
H(y) - H(y | f <= f*) = E_z[Phi(a) log Phi(a)] / Phi(g) - log Phi(g) + rho^2 g r / 2 follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.optimize import brentq

from fechner.strategies.acquisition.acquisition import OF_ENTROPIES, Acquisition, made
from fechner.strategies.acquisition.improvement import LOG_SQRT_2PI
from fechner.strategies.acquisition.level_set import expected
from fechner.strategies.acquisition.one_outcome import outcome_noise
from fechner.strategies.acquisition.slopes import OfMoments, climbing
from fechner.strategies.models.posteriors.posterior import Posterior, root_of
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import log_ndtr, ndtr
from fechner.strategies.numerics.randomness import key, rng
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

LOWEST = -5.6  # g: no f* lies lower below the mean than would happen once in 1e8
NEAREST = 1e-8  # 1 - rho^2


def build_information(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """qMaxValueEntropy."""
    return made(climbing(posterior, max_value(posterior, component.keys, seed, _information)), OF_ENTROPIES)


def build_lower_bound(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """qLowerBoundMaxValueEntropy."""
    return made(climbing(posterior, max_value(posterior, component.keys, seed, _lower_bound)), OF_ENTROPIES)


def max_value(
    posterior: Posterior, keys: Mapping[str, Any], seed: int, share_of: Callable[[Array, Array], Array]
) -> OfMoments:
    """The function that `share_of` g and rho^2, and `keys` (candidate_set, num_mv_samples …), say."""
    sign = -1.0 if keys.get("maximize") is False else 1.0
    count, samples = int(keys.get("candidate_set") or 512), int(keys.get("num_mv_samples") or 10)
    best = highest(posterior, sign, count, samples, keys.get("use_gumbel") is not False, seed)

    def values(mean: Array, variance: Array) -> Array:
        correlation = variance / (variance + outcome_noise(posterior, mean, variance))
        g = np.maximum((best - sign * mean[:, None]) / np.sqrt(variance)[:, None], LOWEST)
        out: Array = share_of(g, correlation[:, None]).mean(axis=1)
        return out

    return values


def highest(posterior: Posterior, sign: float, count: int, samples: int, gumbel: bool, seed: int) -> Array:
    """Samples (S,) of the highest f, or -f, over the trials' places and `count` Sobol points."""
    d = len(posterior.covariance.lengthscales)
    points = np.vstack([sobol(key(seed, "candidates"), d, 0, count), np.unique(posterior.places, axis=0)])
    random = rng(seed, "highest")
    if not gumbel:
        mean, covariance = posterior.joint(points)
        drawn = random.standard_normal((samples, len(points))) @ root_of(covariance).T
        out: Array = (sign * mean + drawn).max(axis=1)
        return out
    mean, variance = posterior.latent(points)
    mean, sd = sign * mean, np.sqrt(variance)
    low, high = float((mean - 3 * sd).min()), float((mean + 5 * sd).max())

    def excess(height: float, share: float) -> float:
        return float(log_ndtr((height - mean) / sd).sum() - np.log(share))

    lower, middle, upper = (brentq(excess, low, high, args=(share,)) for share in (0.25, 0.5, 0.75))
    scale = (lower - upper) / (np.log(np.log(4 / 3)) - np.log(np.log(4.0)))
    place = middle + scale * np.log(np.log(2.0))
    return np.asarray(place - scale * np.log(-np.log(random.random(samples))))


def _information(g: Array, correlation: Array) -> Array:
    """H(y) - H(y | f <= f*), elementwise (m, S), for g (m, S) and rho^2 (m, 1)."""
    rest = np.maximum(1.0 - correlation, NEAREST)
    correlation = np.broadcast_to(1.0 - rest, g.shape)
    mean, variance = g / np.sqrt(rest), correlation / rest
    bump = expected(_shrunk, mean.ravel(), variance.ravel()).reshape(g.shape)
    below = log_ndtr(g)
    ratio = np.exp(-0.5 * g * g - LOG_SQRT_2PI - below)
    return np.asarray(bump / np.exp(below) - below + 0.5 * correlation * g * ratio)


def _shrunk(a: Array) -> Array:
    """Phi log Phi."""
    return np.asarray(ndtr(a) * log_ndtr(a))


def _lower_bound(g: Array, correlation: Array) -> Array:
    """GIBBON's bound, elementwise (m, S)."""
    ratio = np.exp(-0.5 * g * g - LOG_SQRT_2PI - log_ndtr(g))
    return np.asarray(-0.5 * np.log(np.maximum(1.0 - correlation * ratio * (g + ratio), 1e-8)))
