"""Ordinal outcomes: P(y = k | f) = Phi(c_{k+1} - f(x)) - Phi(c_k - f(x)), f a Gaussian process.

W. Chu & Z. Ghahramani (2005), Gaussian processes for ordinal regression, JMLR 6:1019-1041, with expectation
propagation (their section 3.2; here as for binary outcomes). Since a constant of f and a common shift of the
cut-points are one and the same, the cut-points' average is held at zero, and f keeps its constant: with two
levels the model is that of binary outcomes. What is fitted of the cut-points are the logarithms of their
K - 2 gaps. Their gradient is that of the log Z at the settled cavities, since the evidence of expectation
propagation is stationary in the sites (M. Seeger 2005, Expectation propagation for exponential families).

Notation as in ordinal_likelihood.py; g (K - 2,) gaps, c = A g with A (K - 1, K - 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fechner.strategies.models.families._base import Family
from fechner.strategies.models.fitting.latent import LatentPrior, gradients
from fechner.strategies.models.fitting.plain import Hyperparameters, from_plain, to_plain
from fechner.strategies.models.fitting.priors import Normal, classification_priors
from fechner.strategies.models.fitting.theta import Block, Evidence, Layout, LogEvidence, Parts, weighed_by
from fechner.strategies.models.inference import inducing, ordinal_likelihood
from fechner.strategies.models.inference.expectation_propagation import Sites, Start, propagate
from fechner.strategies.models.inference.settling import JITTER, restart
from fechner.strategies.models.kernels.categories import counts_of
from fechner.strategies.models.kernels.kernel_covariance import differences_of
from fechner.strategies.models.posteriors.ordinal import OrdinalPosterior
from fechner.strategies.models.posteriors.settled import blank, settle_few, settle_many
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.normal import ndtri
from fechner.strategies.specification import Component

NAME = "OrdinalGPModel"
DEFAULT_LEVELS = 5
LATENT_SD = 2.2  # of f under its prior, over which typical cut-points spread the levels evenly
GAP_SCALE = 0.7  # prior sd of the logarithm of a gap
LOG_GAP_RANGE = (float(np.log(0.01)), float(np.log(100.0)))
GAPS = "gaps"  # the block's name


def n_levels(component: Component) -> int:
    """K, which the configuration gives to the model."""
    return int(component.keys.get("n_levels") or DEFAULT_LEVELS)


def typical_gaps(n_levels: int) -> Array:
    """The logarithms (K - 2,) of gaps that give every level the same share under the prior of f."""
    shares = np.arange(1, n_levels) / n_levels
    out: Array = np.log(np.diff(LATENT_SD * ndtri(shares)))
    return out


def gaps_block(n_levels: int) -> Block:
    """The logarithms (K - 2,) of the gaps between the K - 1 cut-points."""
    typical = typical_gaps(n_levels)
    prior = Normal(typical, GAP_SCALE)
    return Block(GAPS, typical, (LOG_GAP_RANGE,) * len(typical), weighed_by(prior.log_density))


def mixing(n_levels: int) -> Array:
    """A (K - 1, K - 2): cut-points of average zero from the gaps between them."""
    out: Array = np.tril(np.ones((n_levels - 1, n_levels - 2)), -1)
    return out - out.mean(axis=0)


@dataclass(frozen=True)
class _Task:
    latent: LatentPrior
    layout: Layout
    n_levels: int

    def evidence(self, x: Array, y: Array, poll: Poll | None) -> Evidence:
        return _evidence(self.latent, self.n_levels, x, y, poll)

    def theta(self, hyperparameters: Hyperparameters) -> Array | None:
        cuts = hyperparameters["cuts"]
        if not self.latent.recalls(hyperparameters) or len(cuts) != self.n_levels - 1:
            return None
        gaps = np.log(np.maximum(np.diff(np.array(cuts, dtype=float)), 1e-12))
        return self.layout.join(self.latent.write(*from_plain(hyperparameters)) | {GAPS: gaps})

    def plain(self, theta: Array) -> dict[str, Any]:
        parts = self.layout.split(theta)
        covariance, mean, _ = self.latent.read(parts)
        cuts = mixing(self.n_levels) @ np.exp(parts[GAPS])
        return to_plain(covariance, mean) | {"cuts": [float(v) for v in cuts]}


def _task(component: Component, d: int, given: Hyperparameters) -> _Task:
    latent, levels = (
        LatentPrior(classification_priors(component, d), d, counts_of(component)),
        n_levels(component),
    )
    return _Task(latent, Layout((*latent.blocks(), gaps_block(levels))), levels)


def _evidence(latent: LatentPrior, n_levels: int, x: Array, y: Array, poll: Poll | None) -> Evidence:
    """The log evidence and its gradient; sites carry over from one evaluation to the next."""
    differences = differences_of(x, latent.priors.slope is not None, latent.priors.kernel, latent.categories)
    diagonal, from_gaps = np.diag_indices(len(y)), mixing(n_levels)
    left: Start | None = None

    def evaluate(parts: Parts) -> LogEvidence:
        nonlocal left
        covariance, mean, _ = latent.read(parts)
        gaps = np.exp(parts[GAPS])
        cuts = from_gaps @ gaps
        matrix, part = differences.matrices(covariance)
        matrix[diagonal] += JITTER * covariance.variance
        likelihood = partial(ordinal_likelihood.tilted, y=y, cuts=cuts)

        def run(start: Start | None) -> Sites:
            return propagate(matrix, mean, y, likelihood=likelihood, start=start, tolerance=1e-4, poll=poll)

        start, left = left, None
        sites = restart(run, start)
        left = sites.tau, sites.nu
        out = gradients(differences.gradient(covariance, part, sites.curvature()), float(sites.weights.sum()))
        by_cuts = ordinal_likelihood.by_cuts(*sites.cavity, y, cuts)
        return LogEvidence(sites.log_evidence, out | {GAPS: (from_gaps.T @ by_cuts) * gaps})

    return evaluate


def posterior(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Hyperparameters,
    *,
    near: OrdinalPosterior | None = None,
    poll: Poll | None = None,
) -> OrdinalPosterior:
    """The posterior of f given inputs x (n, d), outcomes y (n,) and `hyperparameters`.

    `near` is a posterior of the same data at other hyperparameters, whose sites are a good beginning.
    """
    covariance, mean = from_plain(hyperparameters)
    cuts: Array = np.array(hyperparameters["cuts"], dtype=float)
    likelihood = partial(ordinal_likelihood.tilted, y=y, cuts=cuts)
    if not len(y):
        seen = blank(x)
    elif len(y) > inducing.FROM:
        seen = settle_many(covariance, mean, x, likelihood, poll)
    else:
        seen = settle_few(covariance, mean, x, likelihood, covariance.variance, near, poll)
    return OrdinalPosterior(covariance, mean, **vars(seen), binary=False, cuts=cuts)


FAMILY = Family(NAME, _task, posterior)
fit, problem = FAMILY.fit, FAMILY.problem
