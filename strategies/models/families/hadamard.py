"""The semi-parametric model as one Gaussian process (`HadamardSemiPModel`): f = m (1 + r(c)) (x + o(c)).

The form of f and its source are in semi_parametric_layout.py. The product of two independent Gaussian
processes isn't one, but has a mean and a covariance in closed form (kernels/of_intensity.py: an
elementwise, Hadamard product of covariance matrices), and the Gaussian process that has them takes its place
(J. Timonen, H. Mannerstrom, A. Vehtari & H. Lahdesmaki 2021, lgpr: an interpretable non-parametric method for
inferring covariate effects from longitudinal data, Bioinformatics 37:1860-1867, for products of kernels). The
rest is that of binary outcomes, gp_classification.py: expectation propagation, whose evidence with analytic
gradients gives the hyperparameters. The slope is not held above zero, only likely to be.
"""

from __future__ import annotations

import numpy as np

from fechner.strategies.models.families.semi_parametric_fit import family_with
from fechner.strategies.models.families.semi_parametric_layout import (
    PRODUCT,
    STIMULUS_SCALE,
    PairDifferences,
    PairPrior,
    context_categories,
    from_plain,
    gradients,
)
from fechner.strategies.models.fitting.plain import Hyperparameters, rates_of
from fechner.strategies.models.fitting.theta import Evidence, LogEvidence, Parts
from fechner.strategies.models.inference import inducing
from fechner.strategies.models.inference.expectation_propagation import NEAR, Sites, Start, propagate
from fechner.strategies.models.inference.settling import JITTER, restart, settle
from fechner.strategies.models.kernels.of_intensity import Product, split
from fechner.strategies.models.posteriors.posterior import factorise
from fechner.strategies.models.posteriors.semi_parametric import ProductPosterior
from fechner.strategies.models.posteriors.settled import SETTLED
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

NAME = PRODUCT


def evidence(prior: PairPrior, x: Array, y: Array, said: Hyperparameters, poll: Poll | None) -> Evidence:
    """The log evidence and its gradient; sites carry over from one evaluation to the next."""
    intensity, c = split(x, int(said["stim_dim"]))
    differences = PairDifferences.of(c, context_categories(said))
    left: Start | None = None

    def evaluate(parts: Parts) -> LogEvidence:
        nonlocal left
        pair = prior.read(parts)
        offset, of_offset = differences.offset.matrices(pair.offset)
        slope, of_slope = differences.slope.matrices(pair.slope)
        through = np.outer(intensity, intensity) + offset
        m = float(np.exp(pair.log_slope))
        matrix, mean = m * m * (slope * through + offset), m * intensity
        matrix += JITTER * np.diag(np.diag(matrix))
        sites = settle_sites(matrix, mean, y, said, left, 1e-4, poll)
        left = sites.tau, sites.nu
        curvature = sites.curvature()
        half = 0.5 * m * m * curvature
        found = gradients(
            differences.offset.gradient(pair.offset, of_offset, half * (slope + 1.0)),
            differences.slope.gradient(pair.slope, of_slope, half * through),
            float(np.sum(curvature * matrix) + sites.weights @ mean),
        )
        return LogEvidence(sites.log_evidence, found)

    return evaluate


def settle_sites(
    matrix: Array,
    mean: Array,
    y: Array,
    said: Hyperparameters,
    start: Start | None,
    tolerance: float,
    poll: Poll | None,
) -> Sites:
    """The sites for a prior covariance (n, n) and mean (n,), from `start` or else from nothing."""
    floor, lapse = rates_of(said)

    def run(start: Start | None) -> Sites:
        return propagate(
            matrix, mean, y, floor=floor, lapse=lapse, start=start, tolerance=tolerance, poll=poll
        )

    return restart(run, start)


def posterior(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Hyperparameters,
    *,
    near: ProductPosterior | None = None,
    poll: Poll | None = None,
) -> ProductPosterior:
    """The posterior of f given inputs x (n, d), outcomes y (n,) and `hyperparameters`.

    `near` is a posterior of the same data at other hyperparameters, whose sites are a good beginning. Beyond
    1,000 trials it is that of as many at most, evenly spread over the session.
    """
    chosen = inducing.thinned(len(y), inducing.FROM)
    x, y = x[chosen], y[chosen]
    pair, place = from_plain(hyperparameters), int(hyperparameters["stim_dim"])
    lengthscales = np.insert(pair.offset.lengthscales, place, STIMULUS_SCALE)
    covariance = Product(1.0, lengthscales, pair=pair, place=place)
    rates = rates_of(hyperparameters)
    none = np.zeros(0)
    blank = ProductPosterior(covariance, 0.0, x, none, np.zeros((0, 0)), none, True, *rates)
    if not len(y):
        return blank
    matrix, mean = covariance(x, x), blank.prior_mean(x)
    tolerance = SETTLED if near is None else NEAR

    def run(prior: Array, start: Start | None) -> Sites:
        return settle_sites(prior, mean, y, hyperparameters, start, tolerance, poll)

    prior, sites = settle(matrix, np.diag(matrix), run, None if near is None else near.sites())
    root = np.sqrt(sites.tau)
    factor, evidence = factorise(prior, root), sites.log_evidence
    return ProductPosterior(
        covariance, 0.0, x, root, factor, sites.weights, True, *rates, log_evidence=evidence
    )


FAMILY = family_with(NAME, evidence, posterior)
fit, problem = FAMILY.fit, FAMILY.problem
