"""Continuous outcomes: y = f(x) + noise, f a Gaussian process, Gaussian noise; exact.

Evidence and gradient: Rasmussen & Williams 2006, eqs. 5.8 and 5.9. Outcomes are centred and scaled
to unit variance for the fit; the hyperparameters that it returns are in the outcome's own units.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from fechner.strategies.models.families._base import Family
from fechner.strategies.models.fitting.latent import LatentPrior, gradients
from fechner.strategies.models.fitting.plain import Hyperparameters, from_plain, to_plain
from fechner.strategies.models.fitting.priors import regression_priors
from fechner.strategies.models.fitting.theta import Evidence, Layout, LogEvidence, Parts
from fechner.strategies.models.inference import inducing
from fechner.strategies.models.kernels.categories import counts_of
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.kernels.kernel_covariance import differences_of
from fechner.strategies.models.posteriors.posterior import Posterior, factorise
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

NAME = "GPRegressionModel"


@dataclass(frozen=True)
class _Task:
    """In units in which outcomes have mean 0 and unit variance."""

    latent: LatentPrior
    layout: Layout
    known: float | None
    offset: float
    scale: float

    def evidence(self, x: Array, y: Array, poll: Poll | None) -> Evidence:
        known = None if self.known is None else self.known / self.scale**2
        return _evidence(self.latent, x, (y - self.offset) / self.scale, poll, known)

    def theta(self, hyperparameters: Hyperparameters) -> Array | None:
        if not self.latent.recalls(hyperparameters):
            return None
        covariance, mean = from_plain(hyperparameters)
        noise = float(hyperparameters["noise"]) / self.scale**2
        parts = self.latent.write(
            _scaled(covariance, 1 / self.scale), (mean - self.offset) / self.scale, noise
        )
        return self.layout.join(parts)

    def plain(self, theta: Array) -> dict[str, Any]:
        covariance, mean, noise = self.latent.read(self.layout.split(theta))
        out = to_plain(_scaled(covariance, self.scale), self.offset + self.scale * mean)
        out["noise"] = noise * self.scale**2 if self.known is None else self.known
        return out | {"offset": self.offset, "scale": self.scale}


def _task(component: Component, d: int, given: Hyperparameters) -> _Task:
    latent = LatentPrior(regression_priors(component, d), d, counts_of(component))
    known = known_noise(component)
    return _Task(latent, Layout(latent.blocks()), known, float(given["offset"]), float(given["scale"]))


def _given(component: Component, x: Array, y: Array) -> Hyperparameters:
    offset, scale = units(y)
    return {"offset": offset, "scale": scale}


def known_noise(component: Component) -> float | None:
    """The noise variance that a FixedNoiseGaussianLikelihood names, in the outcome's units squared."""
    likelihood = component.keys.get("likelihood")
    return float(likelihood.keys["noise"]) if likelihood is not None and "noise" in likelihood.keys else None


def units(y: Array) -> tuple[float, float]:
    """Offset and scale in which the outcomes y (n,) have mean 0 and unit variance."""
    offset = float(y.mean()) if len(y) else 0.0
    scale = float(y.std()) if len(y) > 1 else 1.0
    # equal but for rounding, or so small that a square is none: no scale
    return offset, scale if scale > max(1e-12 * abs(offset), 1e-140) else 1.0


def posterior(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Hyperparameters,
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


def _evidence(
    latent: LatentPrior, x: Array, y: Array, poll: Poll | None, known: float | None = None
) -> Evidence:
    """The log evidence and its gradient as a function of the hyperparameters; `known` noise is none."""
    differences = differences_of(x, latent.priors.slope is not None, latent.priors.kernel, latent.categories)
    identity = np.eye(len(y))

    def evaluate(parts: Parts) -> LogEvidence:
        if poll is not None:
            poll()
        covariance, mean, noise = latent.read(parts)
        if known is not None:
            noise = known
        matrix, part = differences.matrices(covariance)
        factor = cholesky(matrix + noise * identity, lower=True, check_finite=False)
        inverse_factor = solve_triangular(factor, identity, lower=True, check_finite=False)
        inverse = inverse_factor.T @ inverse_factor
        weights = inverse @ (y - mean)
        value = -0.5 * float((y - mean) @ weights) - float(np.sum(np.log(np.diag(factor))))
        curvature = np.outer(weights, weights) - inverse
        by_covariance = differences.gradient(covariance, part, curvature)
        by_noise = 0.5 * noise * float(np.trace(curvature))
        return LogEvidence(value, gradients(by_covariance, float(weights.sum()), by_noise))

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


FAMILY = Family(NAME, _task, posterior, _given)
fit, problem = FAMILY.fit, FAMILY.problem
