"""Binary outcomes: y ~ Bernoulli(g + (1 - g - e) Phi(f(x))), f a Gaussian process.

Hyperparameters maximise the evidence of expectation propagation times their priors (Rasmussen & Williams
2006, sections 3.6 and 5.5.2); g is the guess rate (`floor`), e the lapse rate. See priors.py, covariance.py
and inference/expectation_propagation.py for the symbols.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fechner.strategies.models.families._base import Family
from fechner.strategies.models.families.additive import layout_of
from fechner.strategies.models.fitting.latent import LatentPrior, gradients
from fechner.strategies.models.fitting.plain import Hyperparameters, from_plain, rates_of, to_plain
from fechner.strategies.models.fitting.priors import classification_priors
from fechner.strategies.models.fitting.theta import Evidence, Layout, LogEvidence, Parts
from fechner.strategies.models.inference import inducing
from fechner.strategies.models.inference.binary_likelihood import tilted
from fechner.strategies.models.inference.expectation_propagation import Sites, Start, propagate
from fechner.strategies.models.inference.settling import JITTER, restart
from fechner.strategies.models.kernels.categories import counts_of
from fechner.strategies.models.kernels.kernel_covariance import differences_of
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.models.posteriors.settled import blank, settle_few, settle_many
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

NAME = "GPClassificationModel"


@dataclass(frozen=True)
class _Task:
    latent: LatentPrior
    layout: Layout
    floor: float
    lapse: float

    def evidence(self, x: Array, y: Array, poll: Poll | None) -> Evidence:
        return _evidence(self.latent, x, y, self.floor, self.lapse, poll)

    def theta(self, hyperparameters: Hyperparameters) -> Array | None:
        if not self.latent.recalls(hyperparameters):
            return None
        return self.layout.join(self.latent.write(*from_plain(hyperparameters)))

    def plain(self, theta: Array) -> dict[str, Any]:
        covariance, mean, _ = self.latent.read(self.layout.split(theta))
        return to_plain(covariance, mean) | {"floor": self.floor, "lapse": self.lapse}


def _task(component: Component, d: int, given: Hyperparameters) -> _Task:
    latent = LatentPrior(classification_priors(component, d), d, counts_of(component))
    return _Task(latent, layout_of(component, latent), *rates_of(given))


def _given(component: Component, x: Array, y: Array) -> Hyperparameters:
    return component.keys


def _evidence(
    latent: LatentPrior, x: Array, y: Array, floor: float, lapse: float, poll: Poll | None
) -> Evidence:
    """The log evidence and its gradient; sites carry over from one evaluation to the next."""
    differences = differences_of(x, latent.priors.slope is not None, latent.priors.kernel, latent.categories)
    diagonal = np.diag_indices(len(y))
    left: Start | None = None

    def evaluate(parts: Parts) -> LogEvidence:
        nonlocal left
        covariance, mean, _ = latent.read(parts)
        matrix, part = differences.matrices(covariance)
        matrix[diagonal] += JITTER * covariance.variance

        def run(start: Start | None) -> Sites:
            return propagate(
                matrix, mean, y, floor=floor, lapse=lapse, start=start, tolerance=1e-4, poll=poll
            )

        start, left = left, None
        sites = restart(run, start)
        left = sites.tau, sites.nu
        by_covariance = differences.gradient(covariance, part, sites.curvature())
        return LogEvidence(sites.log_evidence, gradients(by_covariance, float(sites.weights.sum())))

    return evaluate


def posterior(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Hyperparameters,
    *,
    near: Posterior | None = None,
    poll: Poll | None = None,
) -> Posterior:
    """The posterior of f given inputs x (n, d), outcomes y (n,) and `hyperparameters`.

    `near` is a posterior of the same data at other hyperparameters, whose sites are a good beginning.
    """
    covariance, mean = from_plain(hyperparameters)
    floor, lapse = rates_of(hyperparameters)
    likelihood = partial(tilted, y=y, floor=floor, lapse=lapse)
    if not len(y):
        seen = blank(x)
    elif len(y) > inducing.FROM:
        seen = settle_many(covariance, mean, x, likelihood, poll)
    else:
        seen = settle_few(covariance, mean, x, likelihood, covariance.variance, near, poll)
    return Posterior(covariance, mean, **vars(seen), binary=True, floor=floor, lapse=lapse)


FAMILY = Family(NAME, _task, posterior, _given)
fit, problem = FAMILY.fit, FAMILY.problem
