"""Acquisition functions of what one more outcome at a point would leave known elsewhere.

An outcome at x tells f(x) with noise of variance 1 / tau, tau the precision that it brings in expectation
(`Posterior.expected_precision`), so that the variance of f at q becomes s2_q - c^2 / t and its mean mu_q +
c / sqrt(t) z, with z ~ N(0, 1).

qNegIntegratedPosteriorVariance (S. Seo, M. Wallat, T. Graepel & K. Obermayer 2000, Gaussian process
regression: active data selection and test point rejection, IJCNN, after D. Cohn 1996): minus the
mean over q of that variance.

qKnowledgeGradient (P. Frazier, W. Powell & S. Dayanik 2009, The knowledge-gradient policy for correlated
normal beliefs, INFORMS J. Computing 21:599-613; J. Wu & P. Frazier 2016, The parallel knowledge
gradient method for batch Bayesian optimization, NeurIPS): E_z[max_q of that mean] - max_q mu_q. BoTorch
looks for each z's best q on the whole box, beside x (M. Balandat et al. 2020, BoTorch, NeurIPS, the
one-shot form); here q goes over a fixed set of points, the trials' places among them, and x itself, so that
the inner maximum is exact at every x, and its gradient by x is the winners' (the envelope theorem).

Notation: m points x; k reference points q; mu, s2 (m,) mean and variance of f at x; c (m, k) covariances
cov(f(x), f(q)); t (m,) = s2 + 1 / tau.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fechner.strategies.acquisition.acquisition import Acquisition, made, over_the_box
from fechner.strategies.acquisition.slopes import Climbing, Gradients, Values
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import ndtri
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

STEP = 1e-5  # of differences of the noise by mu and s2, in sd and shares of s2


@dataclass(frozen=True)
class Derivatives:
    """By mu, s2 (m,), c (m, k) and t (m,)."""

    mean: Array
    variance: Array
    covariance: Array
    total: Array


#: mu, s2, c, t to values (m,), and to values with their derivatives.
Score = tuple[
    Callable[[Array, Array, Array, Array], Array],
    Callable[[Array, Array, Array, Array], tuple[Array, Derivatives]],
]


def outcome_noise(posterior: Posterior, mean: Array, variance: Array) -> Array:
    """1 / tau (m,), the variance of the noise with which an outcome tells f ~ N(mean, variance)."""
    tau = np.broadcast_to(posterior.expected_precision(mean, variance), mean.shape)
    out: Array = 1.0 / np.maximum(tau, 1e-12)
    return out


def after_an_outcome(posterior: Posterior, reference: Array, score: Score) -> tuple[Values, Gradients]:
    """Values of (m, d) points by `score` over reference points (k, d), and values with gradients."""
    score_values, score_slopes = score
    _, _, half_q = posterior.reduced(reference)
    prepared: list[Climbing] = []

    def values(x: Array) -> Array:
        mean, variance, half = posterior.reduced(x)
        covariance = posterior.covariance(x, reference) - half.T @ half_q
        return score_values(mean, variance, covariance, variance + outcome_noise(posterior, mean, variance))

    def gradients(x: Array) -> tuple[Array, Array]:
        if not prepared:
            prepared.append(Climbing(posterior, reference))
        at = prepared[0].moments(x)
        covariance, pulled = prepared[0].covariance(at)
        mean, variance = at.mean, at.variance
        total = variance + outcome_noise(posterior, mean, variance)
        value, by = score_slopes(mean, variance, covariance, total)
        step = STEP * np.sqrt(variance)
        up, down = (outcome_noise(posterior, mean + sign * step, variance) for sign in (1, -1))
        more, less = variance * (1 + STEP), variance * (1 - STEP)
        wide, thin = outcome_noise(posterior, mean, more), outcome_noise(posterior, mean, less)
        by_mean = by.mean + by.total * (up - down) / (2.0 * step)
        by_variance = by.variance + by.total * (1.0 + (wide - thin) / (more - less))
        return value, at.pulled(by_mean, by_variance) + pulled(by.covariance)

    return values, gradients


def build_integrated_variance(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """qNegIntegratedPosteriorVariance."""
    count = int(component.keys.get("mc_points") or 512)
    return made(integrated_variance(posterior, count, key(seed, "mc points")), over_the_box(count))


def build_knowledge_gradient(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """qKnowledgeGradient."""
    keys = component.keys
    count, fantasies = int(keys.get("candidate_set") or 512), int(keys.get("num_fantasies") or 64)
    functions = knowledge_gradient(posterior, count, fantasies, key(seed, "candidates"))
    return made(functions, over_the_box(count * max(1, fantasies // 8)))


def integrated_variance(posterior: Posterior, count: int, seed: int) -> tuple[Values, Gradients]:
    """qNegIntegratedPosteriorVariance over `count` points of a scrambled Sobol sequence."""
    reference = sobol(seed, len(posterior.covariance.lengthscales), 0, count)
    now = float(posterior.reduced(reference)[1].mean())

    def values(_mean: Array, _variance: Array, covariance: Array, total: Array) -> Array:
        out: Array = np.einsum("ij,ij->i", covariance, covariance) / (total * count) - now
        return out

    def slopes(mean: Array, variance: Array, covariance: Array, total: Array) -> tuple[Array, Derivatives]:
        value = values(mean, variance, covariance, total)
        none = np.zeros_like(mean)
        by_covariance = 2.0 * covariance / (total * count)[:, None]
        return value, Derivatives(none, none, by_covariance, -(value + now) / total)

    return after_an_outcome(posterior, reference, (values, slopes))


def knowledge_gradient(
    posterior: Posterior, count: int, fantasies: int, seed: int
) -> tuple[Values, Gradients]:
    """qKnowledgeGradient over the trials' places and `count` points of a scrambled Sobol sequence.

    `fantasies` is the number of quantiles z of the outcome over which the expectation is taken.
    """
    d = len(posterior.covariance.lengthscales)
    reference = np.vstack([sobol(seed, d, 0, count), np.unique(posterior.places, axis=0)])
    mean_q = posterior.reduced(reference)[0]
    now = float(mean_q.max())
    quantiles = ndtri((np.arange(fantasies) + 0.5) / fantasies)
    quantiles = quantiles / np.sqrt(np.mean(np.square(quantiles)))  # of unit variance, as z is

    def lines(mean: Array, variance: Array, covariance: Array, total: Array) -> tuple[Array, Array]:
        """Means and their slopes by z at the reference points and x, both (m, k + 1)."""
        heights = np.hstack([np.broadcast_to(mean_q, covariance.shape), mean[:, None]])
        return heights, np.hstack([covariance, variance[:, None]]) / np.sqrt(total)[:, None]

    def values(mean: Array, variance: Array, covariance: Array, total: Array) -> Array:
        heights, steepness = lines(mean, variance, covariance, total)
        best = np.zeros(len(mean))
        for z in quantiles:
            best += (heights + z * steepness).max(axis=1)
        out: Array = best / fantasies - now
        return out

    def slopes(mean: Array, variance: Array, covariance: Array, total: Array) -> tuple[Array, Derivatives]:
        heights, steepness = lines(mean, variance, covariance, total)
        rows, best = np.arange(len(mean)), np.zeros(len(mean))
        share, pull = np.zeros(len(mean)), np.zeros_like(heights)
        for z in quantiles:
            reached = heights + z * steepness
            winner = reached.argmax(axis=1)
            best += reached[rows, winner]
            share += winner == len(reference)
            pull[rows, winner] += z
        pull /= fantasies
        root = np.sqrt(total)[:, None]
        by_total = -0.5 * np.einsum("ij,ij->i", pull, steepness) / total
        return best / fantasies - now, Derivatives(
            share / fantasies, pull[:, -1] / root[:, 0], pull[:, :-1] / root, by_total
        )

    return after_an_outcome(posterior, reference, (values, slopes))
