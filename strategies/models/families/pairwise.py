"""Comparisons of two stimuli: P(second preferred) = Phi((f(b) - f(a)) / sqrt 2), f a Gaussian process.

W. Chu & Z. Ghahramani (2005), Preference learning with Gaussian processes, ICML. The likelihood is a probit
in w = (f(b) - f(a)) / sqrt 2, so expectation propagation and its evidence are those of binary outcomes
(Rasmussen & Williams 2006, section 3.6 and algorithm 5.2) with the covariance of w,
K = (k(b, b') - k(b, a') - k(a, b') + k(a, a')) / 2. Notation as in posteriors/pairwise.py; a constant of the
covariance function cancels, and so does a prior mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fechner.strategies.models.families._base import Family
from fechner.strategies.models.fitting.latent import LatentPrior, gradients
from fechner.strategies.models.fitting.plain import Hyperparameters, from_plain, to_plain
from fechner.strategies.models.fitting.priors import pairwise_priors
from fechner.strategies.models.fitting.theta import Evidence, Layout, LogEvidence, Parts
from fechner.strategies.models.inference.expectation_propagation import Sites, Start, propagate
from fechner.strategies.models.inference.settling import JITTER, restart, settle
from fechner.strategies.models.kernels.categories import Counts, centred, counts_of, differ
from fechner.strategies.models.kernels.covariance import Covariance, outer
from fechner.strategies.models.posteriors.pairwise import PairwisePosterior
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

NAME = "PairwiseProbitModel"
TOLERANCE = 1e-4


@dataclass(frozen=True)
class _Task:
    latent: LatentPrior
    layout: Layout

    def evidence(self, x: Array, y: Array, poll: Poll | None) -> Evidence:
        return _evidence(self.latent, x, y, poll)

    def theta(self, hyperparameters: Hyperparameters) -> Array | None:
        if not self.latent.recalls(hyperparameters):
            return None
        covariance, _ = from_plain(hyperparameters)
        return self.layout.join(self.latent.write(covariance))

    def plain(self, theta: Array) -> dict[str, Any]:
        covariance, mean, _ = self.latent.read(self.layout.split(theta))
        return to_plain(covariance, mean)


def _task(component: Component, d: int, given: Hyperparameters) -> _Task:
    latent = LatentPrior(pairwise_priors(component, d), d, counts_of(component))
    return _Task(latent, Layout(latent.blocks()))


def posterior(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Hyperparameters,
    *,
    near: PairwisePosterior | None = None,
    poll: Poll | None = None,
) -> PairwisePosterior:
    """The posterior of f given pairs x (n, 2, d), y (n,), 1: second preferred, and `hyperparameters`.

    `near` is a posterior of the same data at other hyperparameters, whose sites are a good beginning.
    """
    covariance, _ = from_plain(hyperparameters)
    stimuli = np.concatenate([x[:, 0], x[:, 1]])
    if not len(y):
        none = np.zeros(0)
        return PairwisePosterior(covariance, stimuli, none, none, none, np.zeros((0, 0)))
    n, whole = len(y), covariance(stimuli, stimuli)
    matrix = 0.5 * (whole[:n, :n] + whole[n:, n:] - whole[:n, n:] - whole[n:, :n])

    def run(prior: Array, start: Start | None) -> Sites:
        return propagate(prior, 0.0, y, start=start, poll=poll)

    _, sites = settle(matrix, covariance.variance, run, None if near is None else near.sites())
    reduction = np.outer(sites.weights, sites.weights) - sites.curvature()
    return PairwisePosterior(
        covariance, stimuli, sites.tau, sites.nu, sites.weights, reduction, sites.log_evidence
    )


@dataclass(frozen=True)
class Comparisons:
    """What K and its gradient need of the comparisons, computed once a fit.

    K = (E_bb + E_aa) / 2 - (E_ab + E_ab^T) / 2 + linear part, each E (n, n) the squared exponential between
    two sets of stimuli; sums with symmetric weights count E_ab once, with its whole weight.

    Attributes:
        squared: (d, 3 * n * n) squared coordinate differences of E_bb, E_aa and E_ab.
        products: (d, n * n) halved products of the coordinates' differences b - a; none without trends.
        n: number of comparisons.
    """

    squared: Array
    products: Array
    n: int

    @classmethod
    def of(cls, x: Array, trends: bool, categories: Counts = ()) -> Comparisons:
        """For pairs x (n, 2, d)."""
        n, _, d = x.shape
        a, b = x[:, 0], x[:, 1]
        parts = [differ(left, right, categories) for left, right in ((b, b), (a, a), (a, b))]
        squared = np.stack(parts, axis=1).reshape(d, 3 * n * n)
        products = np.zeros((0, n * n))
        if trends:
            gap = centred(b, categories) - centred(a, categories) if categories else b - a
            products = 0.5 * outer(gap, categories).reshape(d, n * n)
        return cls(squared, products, n)

    def matrices(self, covariance: Covariance) -> tuple[Array, Array]:
        """K (n, n) and the three squared exponential parts (3, n * n)."""
        parts = (-0.5 / np.square(covariance.lengthscales)) @ self.squared
        np.exp(parts, out=parts)
        parts *= covariance.variance
        parts = parts.reshape(3, self.n * self.n)
        mixed = parts[2].reshape(self.n, self.n)
        whole = 0.5 * ((parts[0] + parts[1]).reshape(self.n, self.n) - mixed - mixed.T)
        if covariance.slopes is not None:
            whole += (covariance.slopes @ self.products).reshape(self.n, self.n)
        return whole, parts

    def gradient(self, covariance: Covariance, parts: Array, weights: Array) -> tuple[Array, float, Array]:
        """Derivatives of sum(weights * K) by log l (d,), log v, log w (d,), for symmetric weights (n, n)."""
        weighted = parts * weights.ravel()
        weighted[:2] *= 0.5
        weighted[2] *= -1.0
        by_lengthscale = (self.squared @ weighted.ravel()) / np.square(covariance.lengthscales)
        by_slope = np.zeros(0)
        if covariance.slopes is not None:
            by_slope = covariance.slopes * (self.products @ weights.ravel())
        return by_lengthscale, float(weighted.sum()), by_slope


def _evidence(latent: LatentPrior, x: Array, y: Array, poll: Poll | None) -> Evidence:
    """The log evidence and its gradient; sites carry over from one evaluation to the next."""
    comparisons = Comparisons.of(x, latent.priors.slope is not None, latent.categories)
    diagonal = np.diag_indices(len(y))
    left: Start | None = None

    def evaluate(blocks: Parts) -> LogEvidence:
        nonlocal left
        covariance, mean, _ = latent.read(blocks)
        matrix, parts = comparisons.matrices(covariance)
        matrix[diagonal] += JITTER * covariance.variance

        def run(start: Start | None) -> Sites:
            return propagate(matrix, mean, y, start=start, tolerance=TOLERANCE, poll=poll)

        start, left = left, None
        sites = restart(run, start)
        left = sites.tau, sites.nu
        by_covariance = comparisons.gradient(covariance, parts, sites.curvature())
        return LogEvidence(sites.log_evidence, gradients(by_covariance))

    return evaluate


FAMILY = Family(
    NAME, _task, posterior, botorch="fechner.strategies.models.torch.pairwise_botorch:PairwiseGaussianModel"
)
fit, problem = FAMILY.fit, FAMILY.problem
