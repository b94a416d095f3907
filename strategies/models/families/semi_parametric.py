"""The semi-parametric model (`SemiParametricGPModel`), f = m exp(g(c)) (x + o(c)), by Laplace's method.

The form of f, its source and the symbols are in semi_parametric_layout.py; the approximation and the gradient
of its evidence in inference/laplace.py; the posterior of f in posteriors/semi_parametric.py. The slope is
positive, so every psychometric curve rises, from guess to lapse rate. Fits see at most 300 trials and
posteriors at most 1,000, evenly spread over the session.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fechner.strategies.models.families.semi_parametric_fit import family_with
from fechner.strategies.models.families.semi_parametric_layout import (
    LAPLACE,
    STIMULUS_SCALE,
    PairDifferences,
    PairPrior,
    context_categories,
    from_plain,
    gradients,
)
from fechner.strategies.models.fitting.plain import Hyperparameters, rates_of
from fechner.strategies.models.fitting.theta import Evidence, LogEvidence, Parts
from fechner.strategies.models.inference import inducing, laplace
from fechner.strategies.models.inference.settling import restart
from fechner.strategies.models.kernels.of_intensity import Linearised, split
from fechner.strategies.models.posteriors.posterior import Posterior, factorise
from fechner.strategies.models.posteriors.semi_parametric import LinearisedPosterior
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

NAME = LAPLACE
FIT_LIMIT = 300


def evidence(prior: PairPrior, x: Array, y: Array, said: Hyperparameters, poll: Poll | None) -> Evidence:
    """The log evidence and its gradient; the mode carries over from one evaluation to the next."""
    intensity, c = split(x, int(said["stim_dim"]))
    differences = PairDifferences.of(c, context_categories(said))
    alpha: Array | None = None

    def evaluate(parts: Parts) -> LogEvidence:
        nonlocal alpha
        pair = prior.read(parts)
        offset, of_offset = differences.offset.matrices(pair.offset)
        slope, of_slope = differences.slope.matrices(pair.slope)
        covariances = offset, slope
        mode = find_mode(intensity, y, covariances, pair.log_slope, said, alpha, poll)
        alpha = mode.alpha
        (by_offset, by_slope), (_, by_centre) = laplace.gradient(mode, covariances)
        found = gradients(
            differences.offset.gradient(pair.offset, of_offset, by_offset),
            differences.slope.gradient(pair.slope, of_slope, by_slope),
            by_centre,
        )
        return LogEvidence(mode.log_evidence, found)

    return evaluate


def find_mode(
    x: Array,
    y: Array,
    covariances: tuple[Array, Array],
    log_slope: float,
    said: Hyperparameters,
    start: Array | None,
    poll: Poll | None,
) -> laplace.Mode:
    """The mode for intensities x (n,) and outcomes y (n,), from `start` or else from nothing."""
    means = (0.0, log_slope)

    def run(start: Array | None) -> laplace.Mode:
        return laplace.find(covariances, means, x, y, *rates_of(said), start, poll)

    return restart(run, start)


def posterior(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Hyperparameters,
    *,
    near: Posterior | None = None,
    poll: Poll | None = None,
) -> LinearisedPosterior:
    """The posterior of f given inputs x (n, d), outcomes y (n,) and `hyperparameters`.

    `near` is a posterior of the same data at other hyperparameters, whose mode is a good beginning.
    """
    chosen = inducing.thinned(len(y), inducing.FROM)
    x, y = x[chosen], y[chosen]
    pair, place = from_plain(hyperparameters), int(hyperparameters["stim_dim"])
    intensity, c = split(x, place)
    covariance = Linearised(
        variance=1.0,
        lengthscales=np.insert(pair.offset.lengthscales, place, STIMULUS_SCALE),
        pair=pair,
        place=place,
        contexts=c,
        alpha=np.zeros((2, len(y))),
    )
    rates = rates_of(hyperparameters)
    none = np.zeros(0)
    if not len(y):
        return LinearisedPosterior(covariance, 0.0, x, none, np.zeros((0, 0)), none, True, *rates)
    begin = None
    if isinstance(near, LinearisedPosterior) and isinstance(near.covariance, Linearised):
        begin = near.covariance.alpha
    covariances = pair.offset(c, c), pair.slope(c, c)
    mode = find_mode(intensity, y, covariances, pair.log_slope, hyperparameters, begin, poll)
    covariance = replace(covariance, alpha=mode.alpha)
    root = np.sqrt(mode.at.curvature)
    return LinearisedPosterior(
        covariance,
        0.0,
        x,
        root,
        factorise(covariance(x, x), root),
        mode.at.first,
        True,
        *rates,
        log_evidence=mode.log_evidence,
        outcomes=y,
        seen=mode.factor,
    )


FAMILY = family_with(NAME, evidence, posterior, FIT_LIMIT)
fit, problem = FAMILY.fit, FAMILY.problem
