"""What a `Posterior` keeps of sites that expectation propagation settled, of few trials and of many.

Notation as in inference/expectation_propagation.py and, for many trials, inference/inducing.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from fechner.strategies.models.inference import inducing
from fechner.strategies.models.inference.expectation_propagation import (
    NEAR,
    Likelihood,
    Sites,
    Start,
    propagate,
)
from fechner.strategies.models.inference.settling import settle
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.posteriors.posterior import Posterior, factorise
from fechner.strategies.numerics.arrays import Array, Poll

SETTLED = 1e-5  # tolerance of a posterior's sites
SETTLED_FROM_MANY = 1e-4


@dataclass(frozen=True)
class Settled:
    """Attributes of a `Posterior` of the same names."""

    x: Array
    root: Array
    factor: Array
    weights: Array
    log_evidence: float = 0.0


def blank(x: Array) -> Settled:
    """Of no outcomes; `x` (0, d)."""
    return Settled(x, np.zeros(0), np.zeros((0, 0)), np.zeros(0))


def settle_few(
    covariance: Covariance,
    mean: float | Array,
    x: Array,
    likelihood: Likelihood,
    variances: Array | float,
    near: Posterior | None,
    poll: Poll | None,
) -> Settled:
    """Of outcomes at x (n, d), with the sites at those places.

    Args:
        covariance: of the prior.
        mean: c; or (n,), one for each site.
        x: what `covariance` is a function of.
        likelihood: of the sites.
        variances: in units of which jitter is (settling.py).
        near: a posterior of the same outcomes at other hyperparameters, whose sites are a good beginning.
        poll: called between sweeps; may raise to cancel.
    """
    start = None if near is None else near.sites()
    tolerance = SETTLED if near is None else NEAR
    unseen = np.zeros(len(x))  # outcomes are the likelihood's

    def run(prior: Array, start: Start | None) -> Sites:
        return propagate(
            prior, mean, unseen, likelihood=likelihood, start=start, tolerance=tolerance, poll=poll
        )

    prior, sites = settle(covariance(x, x), variances, run, start)
    root = np.sqrt(sites.tau)
    return Settled(x, root, factorise(prior, root), sites.weights, sites.log_evidence)


def settle_many(
    covariance: Covariance, mean: float | Array, x: Array, likelihood: Likelihood, poll: Poll | None
) -> Settled:
    """Of many outcomes, through inducing places; arguments as in `settle_few`."""
    seen = inducing.places(covariance, x)
    run = partial(propagate, None, mean, np.zeros(len(x)), root=seen.features, residual=seen.residual)
    sites = run(likelihood=likelihood, tolerance=SETTLED_FROM_MANY, poll=poll)
    factor, weights = inducing.condensed(seen, sites.tau, sites.nu)
    return Settled(seen.z, np.ones(len(seen.z)), factor, weights, sites.log_evidence)
