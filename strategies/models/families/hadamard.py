"""The semi-parametric model as one Gaussian process (`HadamardSemiPModel`): f = m (1 + r(c)) (x + o(c)).

The form of f and its source are in semi_parametric_layout.py. The product of two independent Gaussian
processes isn't one, but has a mean and a covariance in closed form (semi_parametric_posterior.py: an
elementwise, Hadamard product of covariance matrices), and the Gaussian process that has them takes its place
(J. Timonen, H. Mannerstrom, A. Vehtari & H. Lahdesmaki 2021, lgpr: an interpretable non-parametric method for
inferring covariate effects from longitudinal data, Bioinformatics 37:1860-1867, for products of kernels). The
rest is that of binary outcomes, gp_classification.py: expectation propagation, whose evidence with analytic
gradients gives the hyperparameters. The slope is not held above zero, only likely to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from fechner.strategies.models.families import semi_parametric_fit
from fechner.strategies.models.families.gp_classification import FIT_LIMIT, JITTER
from fechner.strategies.models.families.semi_parametric_layout import (
    PRODUCT,
    STIMULUS_SCALE,
    Derivatives,
    Pair,
    PairDifferences,
    context_categories,
    from_plain,
    split,
)
from fechner.strategies.models.inference import inducing
from fechner.strategies.models.inference.expectation_propagation import NEAR, Sites, propagate
from fechner.strategies.models.posteriors.posterior import Posterior, factorise
from fechner.strategies.models.posteriors.semi_parametric import Product, ProductPosterior
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

NAME = PRODUCT


class Evidence:
    """The log evidence and its gradient as a function of a `Pair`; sites carry over between evaluations."""

    def __init__(self, x: Array, y: Array, said: Mapping[str, Any], poll: Poll | None) -> None:
        self._intensity, c = split(x, int(said["stim_dim"]))
        self._differences = PairDifferences.of(c, context_categories(said))
        self._y, self._said, self._poll = y, said, poll
        self._sites: tuple[Array, Array] | None = None

    def __call__(self, pair: Pair) -> Derivatives:
        offset, of_offset = self._differences.offset.matrices(pair.offset)
        slope, of_slope = self._differences.slope.matrices(pair.slope)
        through = np.outer(self._intensity, self._intensity) + offset
        m = float(np.exp(pair.log_slope))
        matrix, mean = m * m * (slope * through + offset), m * self._intensity
        matrix += JITTER * np.diag(np.diag(matrix))
        sites = settled(matrix, mean, self._y, self._said, self._sites, 1e-4, self._poll)
        self._sites = (sites.tau, sites.nu)
        curvature = sites.curvature()
        half = 0.5 * m * m * curvature
        return (
            sites.log_evidence,
            self._differences.offset.gradient(pair.offset, of_offset, half * (slope + 1.0)),
            self._differences.slope.gradient(pair.slope, of_slope, half * through),
            float(np.sum(curvature * matrix) + sites.weights @ mean),
        )


def settled(
    matrix: Array,
    mean: Array,
    y: Array,
    said: Mapping[str, Any],
    start: tuple[Array, Array] | None,
    tolerance: float,
    poll: Poll | None,
) -> Sites:
    """The sites for a prior covariance (n, n) and mean (n,), from `start` or else from nothing."""
    run = partial(
        propagate,
        matrix,
        mean,
        y,
        floor=float(said["floor"]),
        lapse=float(said["lapse"]),
        tolerance=tolerance,
        poll=poll,
    )
    try:
        return run(start=start)
    except np.linalg.LinAlgError:
        if start is None:
            raise
    return run()


fit = partial(semi_parametric_fit.fit, NAME, Evidence, FIT_LIMIT)
problem = partial(semi_parametric_fit.problem, NAME, Evidence)
plain = partial(semi_parametric_fit.plain, NAME)


def posterior(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any],
    *,
    near: Posterior | None = None,
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
    rates = float(hyperparameters["floor"]), float(hyperparameters["lapse"])
    none = np.zeros(0)
    blank = ProductPosterior(covariance, 0.0, x, none, np.zeros((0, 0)), none, True, *rates)
    if not len(y):
        return blank
    matrix, mean = covariance(x, x), blank.prior_mean(x)
    start = near.sites() if isinstance(near, ProductPosterior) else None
    tolerance = 1e-5 if near is None else NEAR
    error: np.linalg.LinAlgError | None = None
    for jitter in (JITTER, 1e-6, 1e-4):
        prior = matrix + jitter * np.diag(np.diag(matrix))
        try:
            sites = settled(prior, mean, y, hyperparameters, start, tolerance, poll)
        except np.linalg.LinAlgError as fault:
            error, start = fault, None
            continue
        root = np.sqrt(sites.tau)
        factor, evidence = factorise(prior, root), sites.log_evidence
        return ProductPosterior(
            covariance, 0.0, x, root, factor, sites.weights, True, *rates, log_evidence=evidence
        )
    raise np.linalg.LinAlgError(str(error))
