"""Comparisons of two stimuli: P(second preferred) = Phi((f(b) - f(a)) / sqrt 2), f a Gaussian process.

W. Chu & Z. Ghahramani (2005), Preference learning with Gaussian processes, ICML. The likelihood is a probit
in w = (f(b) - f(a)) / sqrt 2, so expectation propagation and its evidence are those of binary outcomes
(Rasmussen & Williams 2006, section 3.6 and algorithm 5.2) with the covariance of w,
K = (k(b, b') - k(b, a') - k(a, b') + k(a, a')) / 2. Notation as in pairwise_posterior.py; a constant of the
covariance function cancels, and so does a prior mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fechner.strategies.models.families.gp_classification import from_plain, to_plain
from fechner.strategies.models.fitting.fitting import maximise
from fechner.strategies.models.fitting.priors import pairwise_priors
from fechner.strategies.models.fitting.theta import Evidence, Layout
from fechner.strategies.models.inference.expectation_propagation import propagate
from fechner.strategies.models.inference.inducing import thinned
from fechner.strategies.models.kernels.categories import Counts, centred, counts_of, differ
from fechner.strategies.models.kernels.covariance import Covariance, outer
from fechner.strategies.models.posteriors.pairwise import PairwisePosterior
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

NAME = "PairwiseProbitModel"
JITTER = 1e-8
FIT_LIMIT = 600  # beyond it hyperparameters are fitted to some of the trials; the posterior sees all
TOLERANCE = 1e-4


def fit(
    component: Component,
    x: Array,
    y: Array,
    start: Mapping[str, Any] | None = None,
    *,
    poll: Poll | None = None,
) -> dict[str, Any]:
    """Hyperparameters for pairs x (n, 2, d) in unit space and outcomes y (n,), 1: second preferred."""
    d = x.shape[-1]
    layout = Layout(pairwise_priors(component, d), d, categories=counts_of(component))
    theta, search = layout.typical(), {}
    warm = _pack(layout, start)
    if len(y):
        chosen = thinned(len(y), FIT_LIMIT)
        evidence = _evidence(layout, x[chosen], y[chosen], poll)
        found = maximise(layout, evidence, warm, start, component.keys, len(chosen))
        theta, search = found.theta, found.fields(warm is not None)
    covariance, mean, _ = layout.unpack(theta)
    out = to_plain(NAME, covariance, mean)
    return out | search


def problem(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any],
    poll: Poll | None = None,
) -> tuple[Layout, Evidence, Array]:
    """The layout of theta, the evidence as a function of it, and the theta of `hyperparameters`."""
    d = x.shape[-1]
    layout = Layout(pairwise_priors(component, d), d, categories=counts_of(component))
    theta = _pack(layout, hyperparameters)
    if theta is None:
        raise ValueError(f"the hyperparameters are not those of a {NAME} in {layout.d} dimensions")
    return layout, _evidence(layout, x, y, poll), theta


def plain(layout: Layout, theta: Array, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters at another theta of the same `problem`."""
    covariance, mean, _ = layout.unpack(theta)
    return to_plain(NAME, covariance, mean)


def posterior(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any],
    *,
    near: PairwisePosterior | None = None,
    poll: Poll | None = None,
) -> PairwisePosterior:
    """The posterior of f given pairs x (n, 2, d), outcomes y (n,) and `hyperparameters`.

    `near` is a posterior of the same data at other hyperparameters, whose sites are a good beginning.
    """
    covariance, _ = from_plain(hyperparameters)
    stimuli = np.concatenate([x[:, 0], x[:, 1]])
    if not len(y):
        none = np.zeros(0)
        return PairwisePosterior(covariance, stimuli, none, none, none, np.zeros((0, 0)))
    n, whole = len(y), covariance(stimuli, stimuli)
    matrix = 0.5 * (whole[:n, :n] + whole[n:, n:] - whole[:n, n:] - whole[n:, :n])
    start = None if near is None else near.sites()
    error: np.linalg.LinAlgError | None = None
    for jitter in (JITTER, 1e-6, 1e-4):
        prior = matrix + jitter * covariance.variance * np.eye(len(y))
        try:
            sites = propagate(prior, 0.0, y, start=start, poll=poll)
        except np.linalg.LinAlgError as fault:
            error, start = fault, None
            continue
        reduction = np.outer(sites.weights, sites.weights) - sites.curvature()
        return PairwisePosterior(
            covariance, stimuli, sites.tau, sites.nu, sites.weights, reduction, sites.log_evidence
        )
    raise np.linalg.LinAlgError(str(error))


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


def _evidence(layout: Layout, x: Array, y: Array, poll: Poll | None) -> Evidence:
    """The log evidence and its gradient as a function of the hyperparameters.

    Sites carry over from one evaluation to the next, which saves sweeps; a fit begins without any, so that
    its result depends on its arguments alone.
    """
    comparisons = Comparisons.of(x, layout.priors.slope is not None, layout.categories)
    carried: dict[str, tuple[Array, Array] | None] = {"sites": None}
    diagonal = np.diag_indices(len(y))

    def evaluate(
        covariance: Covariance, mean: float, _noise: float
    ) -> tuple[float, Array, float, Array, float, float]:
        matrix, parts = comparisons.matrices(covariance)
        matrix[diagonal] += JITTER * covariance.variance
        try:
            sites = propagate(matrix, mean, y, start=carried["sites"], tolerance=TOLERANCE, poll=poll)
        except np.linalg.LinAlgError:
            carried["sites"] = None
            sites = propagate(matrix, mean, y, tolerance=TOLERANCE, poll=poll)
        carried["sites"] = (sites.tau, sites.nu)
        by_l, by_v, by_w = comparisons.gradient(covariance, parts, sites.curvature())
        return sites.log_evidence, 0.5 * by_l, 0.5 * by_v, 0.5 * by_w, 0.0, 0.0

    return evaluate


def _pack(layout: Layout, start: Mapping[str, Any] | None) -> Array | None:
    """theta of an earlier fit of the same model and dimension, else None."""
    if start is None or start.get("model") != NAME or len(start["lengthscales"]) != layout.d:
        return None
    covariance, _ = from_plain(start)
    return layout.pack(covariance, 0.0, 0.0)
