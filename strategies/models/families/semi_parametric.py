"""The semi-parametric model (`SemiParametricGPModel`), f = m exp(g(c)) (x + o(c)), by Laplace's method.

The form of f, its source and the symbols are in semi_parametric_layout.py; the approximation and the gradient
of its evidence in inference/laplace.py; the posterior of f in semi_parametric_posterior.py. The slope is
positive, so every psychometric curve rises, from guess to lapse rate. Fits see at most 300 trials and
posteriors at most 1,000, evenly spread over the session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from fechner.strategies.models.families import semi_parametric_fit
from fechner.strategies.models.families.semi_parametric_layout import (
    LAPLACE,
    STIMULUS_SCALE,
    Derivatives,
    Pair,
    PairDifferences,
    context_categories,
    from_plain,
    split,
)
from fechner.strategies.models.inference import inducing, laplace
from fechner.strategies.models.posteriors.posterior import Posterior, factorise
from fechner.strategies.models.posteriors.semi_parametric import Linearised, LinearisedPosterior
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

NAME = LAPLACE
FIT_LIMIT = 300


class Evidence:
    """The log evidence and its gradient as a function of a `Pair` of covariance functions.

    The mode carries over from one evaluation to the next; a fit begins without any.
    """

    def __init__(self, x: Array, y: Array, said: Mapping[str, Any], poll: Poll | None) -> None:
        self._x, c = split(x, int(said["stim_dim"]))
        self._differences = PairDifferences.of(c, context_categories(said))
        self._y, self._said, self._poll = y, said, poll
        self._alpha: Array | None = None

    def __call__(self, pair: Pair) -> Derivatives:
        offset, of_offset = self._differences.offset.matrices(pair.offset)
        slope, of_slope = self._differences.slope.matrices(pair.slope)
        covariances = offset, slope
        mode = found(self._x, self._y, covariances, pair.log_slope, self._said, self._alpha, self._poll)
        self._alpha = mode.alpha
        (by_offset, by_slope), (_, by_centre) = laplace.gradient(mode, covariances)
        return (
            mode.log_evidence,
            self._differences.offset.gradient(pair.offset, of_offset, by_offset),
            self._differences.slope.gradient(pair.slope, of_slope, by_slope),
            by_centre,
        )


def found(
    x: Array,
    y: Array,
    covariances: tuple[Array, Array],
    log_slope: float,
    said: Mapping[str, Any],
    start: Array | None,
    poll: Poll | None,
) -> laplace.Mode:
    """The mode for intensities x (n,) and outcomes y (n,), from `start` or else from nothing."""
    means = (0.0, log_slope)
    rates = float(said["floor"]), float(said["lapse"])
    try:
        return laplace.find(covariances, means, x, y, *rates, start, poll)
    except np.linalg.LinAlgError:
        if start is None:
            raise
    return laplace.find(covariances, means, x, y, *rates, None, poll)


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
    rates = float(hyperparameters["floor"]), float(hyperparameters["lapse"])
    none = np.zeros(0)
    if not len(y):
        return LinearisedPosterior(covariance, 0.0, x, none, np.zeros((0, 0)), none, True, *rates)
    begin = None
    if isinstance(near, LinearisedPosterior) and isinstance(near.covariance, Linearised):
        begin = near.covariance.alpha
    covariances = pair.offset(c, c), pair.slope(c, c)
    mode = found(intensity, y, covariances, pair.log_slope, hyperparameters, begin, poll)
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
