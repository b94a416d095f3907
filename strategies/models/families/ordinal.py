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

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fechner.strategies.models.families.gp_classification import FIT_LIMIT, JITTER, from_plain, to_plain
from fechner.strategies.models.fitting.fitting import maximise
from fechner.strategies.models.fitting.priors import classification_priors
from fechner.strategies.models.fitting.theta import SCALE, Evidence, Layout
from fechner.strategies.models.inference import inducing, ordinal_likelihood
from fechner.strategies.models.inference.expectation_propagation import NEAR, propagate
from fechner.strategies.models.kernels.categories import counts_of
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.kernels.kernel_covariance import differences_of
from fechner.strategies.models.posteriors.ordinal import OrdinalPosterior
from fechner.strategies.models.posteriors.posterior import factorise
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.normal import ndtri
from fechner.strategies.specification import Component

NAME = "OrdinalGPModel"
DEFAULT_LEVELS = 5
LATENT_SD = 2.2  # of f under its prior, over which typical cut-points spread the levels evenly
GAP_SCALE = 0.7  # prior sd of the logarithm of a gap
LOG_GAP_RANGE = (float(np.log(0.01)), float(np.log(100.0)))


def n_levels(component: Component) -> int:
    """K, which the configuration gives to the model."""
    return int(component.keys.get("n_levels") or DEFAULT_LEVELS)


@dataclass(frozen=True)
class OrdinalLayout(Layout):
    """theta of a binary model, and behind it the logarithms of the gaps between the K - 1 cut-points."""

    n_levels: int

    @property
    def size(self) -> int:
        return super().size + self.n_levels - 2

    @property
    def plain(self) -> Layout:
        """The layout of everything but the gaps."""
        return Layout(self.priors, self.d, categories=self.categories)

    def typical_gaps(self) -> Array:
        """The logarithms (K - 2,) of gaps that give every level the same share under the prior of f."""
        shares = np.arange(1, self.n_levels) / self.n_levels
        out: Array = np.log(np.diff(LATENT_SD * ndtri(shares)))
        return out

    def typical(self) -> Array:
        return np.concatenate([self.plain.typical(), self.typical_gaps()])

    def scales(self) -> Array:
        return SCALE**2 * np.eye(self.size)

    def bounds(self) -> list[tuple[float, float]]:
        return super().bounds() + [LOG_GAP_RANGE] * (self.n_levels - 2)

    def cuts(self, theta: Array) -> Array:
        """c (K - 1,), of average zero."""
        return mixing(self.n_levels) @ np.exp(self.gaps(theta))

    def gaps(self, theta: Array) -> Array:
        """log g (K - 2,) of theta."""
        return theta[self.size - (self.n_levels - 2) :]

    def pack_with(self, covariance: Covariance, mean: float, cuts: Array) -> Array:
        """theta of a covariance function, a prior mean and cut-points."""
        gaps = np.log(np.maximum(np.diff(cuts), 1e-12))
        return self.inside(np.concatenate([self.plain.pack(covariance, mean, 0.0), gaps]))

    def objective(self, theta: Array, evidence: Evidence) -> tuple[float, Array]:
        if isinstance(evidence, OrdinalEvidence):
            evidence.cuts = self.cuts(theta)
        value, gradient = super().objective(theta, evidence)
        gaps = self.gaps(theta)
        away = (gaps - self.typical_gaps()) / GAP_SCALE
        value += 0.5 * float(away @ away)
        if len(gaps):
            gradient[-len(gaps) :] += away / GAP_SCALE
            if isinstance(evidence, OrdinalEvidence):
                gradient[-len(gaps) :] -= (mixing(self.n_levels).T @ evidence.by_cuts) * np.exp(gaps)
        return value, gradient


def mixing(n_levels: int) -> Array:
    """A (K - 1, K - 2): cut-points of average zero from the gaps between them."""
    out: Array = np.tril(np.ones((n_levels - 1, n_levels - 2)), -1)
    return out - out.mean(axis=0)


class OrdinalEvidence:
    """The log evidence and its gradient as a function of the hyperparameters.

    An `Evidence` that is told the cut-points (`cuts`) before a call and leaves their gradient (`by_cuts`)
    behind. Sites carry over from one evaluation to the next, as in gp_classification.py.
    """

    def __init__(self, layout: OrdinalLayout, x: Array, y: Array, poll: Poll | None) -> None:
        self.cuts = layout.cuts(layout.typical())
        self.by_cuts: Array = np.zeros(layout.n_levels - 1)
        trends, kernel = layout.priors.slope is not None, layout.priors.kernel
        self._differences = differences_of(x, trends, kernel, layout.categories)
        self._y, self._poll = y, poll
        self._sites: tuple[Array, Array] | None = None

    def __call__(
        self, covariance: Covariance, mean: float, _noise: float
    ) -> tuple[float, Array, float, Array, float, float]:
        matrix, part = self._differences.matrices(covariance)
        matrix[np.diag_indices(len(self._y))] += JITTER * covariance.variance
        likelihood = partial(ordinal_likelihood.tilted, y=self._y, cuts=self.cuts)
        run = partial(
            propagate, matrix, mean, self._y, likelihood=likelihood, tolerance=1e-4, poll=self._poll
        )
        try:
            sites = run(start=self._sites)
        except np.linalg.LinAlgError:
            self._sites = None
            sites = run()
        self._sites = (sites.tau, sites.nu)
        self.by_cuts = ordinal_likelihood.by_cuts(*sites.cavity, self._y, self.cuts)
        by_l, by_v, by_w = self._differences.gradient(covariance, part, sites.curvature())
        return sites.log_evidence, 0.5 * by_l, 0.5 * by_v, 0.5 * by_w, 0.0, float(sites.weights.sum())


def fit(
    component: Component,
    x: Array,
    y: Array,
    start: Mapping[str, Any] | None = None,
    *,
    poll: Poll | None = None,
) -> dict[str, Any]:
    """Hyperparameters for inputs x (n, d) in unit space and outcomes y (n,) in 0 … K - 1, as plain data."""
    layout = _layout(component, x.shape[1])
    theta, search = layout.typical(), {}
    warm = _pack(layout, start)
    if len(y):
        chosen = inducing.thinned(len(y), FIT_LIMIT)
        evidence = OrdinalEvidence(layout, x[chosen], y[chosen], poll)
        found = maximise(layout, evidence, warm, start, component.keys, len(chosen))
        theta, search = found.theta, found.fields(warm is not None)
    return plain(layout, theta, {}) | search


def problem(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any],
    poll: Poll | None = None,
) -> tuple[OrdinalLayout, Evidence, Array]:
    """The layout of theta, the evidence as a function of it, and the theta of `hyperparameters`."""
    layout = _layout(component, x.shape[1])
    theta = _pack(layout, hyperparameters)
    if theta is None:
        raise ValueError(f"the hyperparameters are not those of a {NAME} in {layout.d} dimensions")
    return layout, OrdinalEvidence(layout, x, y, poll), theta


def plain(layout: OrdinalLayout, theta: Array, _hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters at a theta of the layout, as plain data."""
    covariance, mean, _ = layout.unpack(theta)
    return to_plain(NAME, covariance, mean) | {"cuts": [float(v) for v in layout.cuts(theta)]}


def posterior(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any],
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
        return OrdinalPosterior(
            covariance, mean, x, np.zeros(0), np.zeros((0, 0)), np.zeros(0), False, cuts=cuts
        )
    if len(y) > inducing.FROM:
        seen = inducing.places(covariance, x)
        sites = propagate(
            None,
            mean,
            y,
            root=seen.features,
            residual=seen.residual,
            likelihood=likelihood,
            tolerance=1e-4,
            poll=poll,
        )
        factor, weights = inducing.condensed(seen, sites.tau, sites.nu)
        root, evidence = np.ones(len(seen.z)), sites.log_evidence
        return OrdinalPosterior(
            covariance, mean, seen.z, root, factor, weights, False, log_evidence=evidence, cuts=cuts
        )
    matrix = covariance(x, x)
    start = None if near is None else near.sites()
    tolerance = 1e-5 if near is None else NEAR
    error: np.linalg.LinAlgError | None = None
    for jitter in (JITTER, 1e-6, 1e-4):
        prior = matrix + jitter * covariance.variance * np.eye(len(y))
        try:
            sites = propagate(
                prior, mean, y, likelihood=likelihood, start=start, tolerance=tolerance, poll=poll
            )
        except np.linalg.LinAlgError as fault:
            error, start = fault, None
            continue
        root, evidence = np.sqrt(sites.tau), sites.log_evidence
        factor = factorise(prior, root)
        return OrdinalPosterior(
            covariance, mean, x, root, factor, sites.weights, False, log_evidence=evidence, cuts=cuts
        )
    raise np.linalg.LinAlgError(str(error))


def _layout(component: Component, d: int) -> OrdinalLayout:
    priors, levels = classification_priors(component, d), n_levels(component)
    return OrdinalLayout(priors, d, levels, categories=counts_of(component))


def _pack(layout: OrdinalLayout, start: Mapping[str, Any] | None) -> Array | None:
    """theta of an earlier fit of the same model, dimension and number of levels, else None."""
    if start is None or start.get("model") != NAME or not layout.recalls(start):
        return None
    if len(start["cuts"]) != layout.n_levels - 1:
        return None
    covariance, mean = from_plain(start)
    return layout.pack_with(covariance, mean, np.array(start["cuts"], dtype=float))
