"""Continuous outcomes: y = f(x) + noise, f a Gaussian process, Gaussian noise; exact.

Evidence and gradient: Rasmussen & Williams 2006, eqs. 5.8 and 5.9. Outcomes are centred and scaled
to unit variance for the fit; the hyperparameters that it returns are in the outcome's own units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from fechner.strategies.models.families.gp_classification import FIT_LIMIT, from_plain, to_plain
from fechner.strategies.models.fitting.fitting import maximise
from fechner.strategies.models.fitting.priors import regression_priors
from fechner.strategies.models.fitting.theta import Evidence, Layout
from fechner.strategies.models.inference import inducing
from fechner.strategies.models.kernels.categories import counts_of
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.kernels.kernel_covariance import differences_of
from fechner.strategies.models.posteriors.posterior import Posterior, factorise
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

NAME = "GPRegressionModel"


def fit(
    component: Component,
    x: Array,
    y: Array,
    start: Mapping[str, Any] | None = None,
    *,
    poll: Poll | None = None,
) -> dict[str, Any]:
    """Hyperparameters for inputs x (n, d) in unit space and outcomes y (n,), as plain data."""
    d = x.shape[1]
    layout = Layout(regression_priors(component, d), d, categories=counts_of(component))
    theta, search = layout.typical(), {}
    offset, scale = units(y)
    known = known_noise(component)
    warm = _pack(layout, start, offset, scale)
    if len(y):
        chosen = inducing.thinned(len(y), FIT_LIMIT)
        scaled = (y[chosen] - offset) / scale
        evidence = _evidence(layout, x[chosen], scaled, poll, _in_units(known, scale))
        found = maximise(layout, evidence, warm, start, component.keys, len(chosen))
        theta, search = found.theta, found.fields(warm is not None)
    covariance, mean, noise = layout.unpack(theta)
    out = to_plain(NAME, _scaled(covariance, scale), offset + scale * mean)
    out |= {"noise": noise * scale**2 if known is None else known, "offset": offset, "scale": scale}
    return out | search


def known_noise(component: Component) -> float | None:
    """The noise variance that a FixedNoiseGaussianLikelihood names, in the outcome's units squared."""
    likelihood = component.keys.get("likelihood")
    return float(likelihood.keys["noise"]) if likelihood is not None and "noise" in likelihood.keys else None


def _in_units(known: float | None, scale: float) -> float | None:
    return None if known is None else known / scale**2


def units(y: Array) -> tuple[float, float]:
    """Offset and scale in which the outcomes y (n,) have mean 0 and unit variance."""
    offset = float(y.mean()) if len(y) else 0.0
    scale = float(y.std()) if len(y) > 1 else 1.0
    # equal but for rounding, or so small that a square is none: no scale
    return offset, scale if scale > max(1e-12 * abs(offset), 1e-140) else 1.0


def problem(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any],
    poll: Poll | None = None,
) -> tuple[Layout, Evidence, Array]:
    """The layout of theta, the evidence as a function of it, and the theta of `hyperparameters`."""
    d = x.shape[1]
    layout = Layout(regression_priors(component, d), d, categories=counts_of(component))
    offset, scale = float(hyperparameters["offset"]), float(hyperparameters["scale"])
    theta = _pack(layout, hyperparameters, offset, scale)
    if theta is None:
        raise ValueError(f"the hyperparameters are not those of a {NAME} in {layout.d} dimensions")
    known = _in_units(known_noise(component), scale)
    return layout, _evidence(layout, x, (y - offset) / scale, poll, known), theta


def plain(layout: Layout, theta: Array, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters at another theta of the same `problem`."""
    covariance, mean, noise = layout.unpack(theta)
    offset, scale = float(hyperparameters["offset"]), float(hyperparameters["scale"])
    out = to_plain(NAME, _scaled(covariance, scale), offset + scale * mean)
    noise = float(hyperparameters["noise"]) if layout.priors.noise is None else noise * scale**2
    return out | {"noise": noise, "offset": offset, "scale": scale}


def posterior(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any],
    *,
    near: Posterior | None = None,
    poll: Poll | None = None,
) -> Posterior:
    """The posterior of f given inputs x (n, d), outcomes y (n,) and `hyperparameters`."""
    covariance, mean = from_plain(hyperparameters)
    noise = float(hyperparameters["noise"])
    root = np.full(len(y), 1.0 / np.sqrt(noise))
    if not len(y):
        return Posterior(covariance, mean, x, root, np.zeros((0, 0)), np.zeros(0), False, noise=noise)
    if poll is not None:
        poll()
    if len(y) > inducing.FROM:
        seen = inducing.places(covariance, x)
        tau = 1.0 / (noise + seen.residual)
        factor, weights = inducing.condensed(seen, tau, tau * (y - mean))
        return Posterior(covariance, mean, seen.z, np.ones(len(seen.z)), factor, weights, False, noise=noise)
    factor = factorise(covariance(x, x), root)
    weights = root * cho_solve((factor, True), root * (y - mean), check_finite=False)
    evidence = -0.5 * float((y - mean) @ weights) - float(np.sum(np.log(np.diag(factor))))
    evidence -= 0.5 * len(y) * float(np.log(2 * np.pi * noise))
    return Posterior(covariance, mean, x, root, factor, weights, False, noise=noise, log_evidence=evidence)


def _evidence(layout: Layout, x: Array, y: Array, poll: Poll | None, known: float | None = None) -> Evidence:
    """The log evidence and its gradient as a function of the hyperparameters; `known` noise is none."""
    differences = differences_of(x, layout.priors.slope is not None, layout.priors.kernel, layout.categories)
    identity = np.eye(len(y))

    def evaluate(
        covariance: Covariance, mean: float, noise: float
    ) -> tuple[float, Array, float, Array, float, float]:
        if poll is not None:
            poll()
        if known is not None:
            noise = known
        matrix, part = differences.matrices(covariance)
        factor = cholesky(matrix + noise * identity, lower=True, check_finite=False)
        inverse_factor = solve_triangular(factor, identity, lower=True, check_finite=False)
        inverse = inverse_factor.T @ inverse_factor
        weights = inverse @ (y - mean)
        value = -0.5 * float((y - mean) @ weights) - float(np.sum(np.log(np.diag(factor))))
        curvature = np.outer(weights, weights) - inverse
        by_l, by_v, by_w = differences.gradient(covariance, part, curvature)
        by_noise = 0.5 * noise * float(np.trace(curvature))
        return value, 0.5 * by_l, 0.5 * by_v, 0.5 * by_w, by_noise, float(weights.sum())

    return evaluate


def _scaled(covariance: Covariance, scale: float) -> Covariance:
    """The covariance of scale * f."""
    slopes = covariance.slopes
    return replace(
        covariance,
        variance=covariance.variance * scale**2,
        constant=covariance.constant * scale**2,
        slopes=None if slopes is None else slopes * scale**2,
    )


def _pack(layout: Layout, start: Mapping[str, Any] | None, offset: float, scale: float) -> Array | None:
    """theta of an earlier fit of the same model and dimension, in today's units, else None."""
    if start is None or start.get("model") != NAME or not layout.recalls(start):
        return None
    covariance, mean = from_plain(start)
    return layout.pack(
        _scaled(covariance, 1 / scale), (mean - offset) / scale, float(start["noise"]) / scale**2
    )
