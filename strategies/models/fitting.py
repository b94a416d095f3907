"""Maximum a posteriori hyperparameters: one vector, one objective, L-BFGS, and a budget instead of a clock.

Notation: theta = (log l (d), log v, log w (d), log noise, c), where each of v, w, noise and c is there only
    if the
priors leave it free.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from fechner.strategies.models.covariance import Covariance
from fechner.strategies.models.normal import Array
from fechner.strategies.models.priors import Priors
from scipy.optimize import minimize

# (value, gradient by log l, by log v, by log w, by log noise, by c) of the log evidence
Evidence = Callable[[Covariance, float, float], tuple[float, Array, float, Array, float, float]]

LOG_LENGTHSCALE_RANGE = (float(np.log(0.01)), float(np.log(100.0)))
LOG_VARIANCE_RANGE = (float(np.log(1e-3)), float(np.log(1e4)))
LOG_NOISE_RANGE = (float(np.log(1e-6)), float(np.log(10.0)))
MEAN_RANGE = (-10.0, 10.0)


@dataclass(frozen=True)
class Layout:
    """Where each hyperparameter sits in theta."""

    priors: Priors
    d: int

    @property
    def size(self) -> int:
        p = self.priors
        return (
            self.d
            + (p.variance is not None)
            + (self.d if p.slope is not None else 0)
            + (p.noise is not None)
            + p.free_mean
        )

    def typical(self) -> Array:
        """Where a cold fit begins."""
        p = self.priors
        parts = [np.full(self.d, p.lengthscale.typical)]
        if p.variance is not None:
            parts.append(np.array([p.variance.typical]))
        if p.slope is not None:
            parts.append(np.full(self.d, p.slope.typical))
        if p.noise is not None:
            parts.append(np.array([p.noise.typical]))
        if p.free_mean:
            parts.append(np.zeros(1))
        return self.inside(np.concatenate(parts))

    def bounds(self) -> list[tuple[float, float]]:
        p = self.priors
        out = [LOG_LENGTHSCALE_RANGE] * self.d
        if p.variance is not None:
            out.append(LOG_VARIANCE_RANGE)
        if p.slope is not None:
            out += [LOG_VARIANCE_RANGE] * self.d
        if p.noise is not None:
            out.append(LOG_NOISE_RANGE)
        if p.free_mean:
            out.append(MEAN_RANGE)
        return out

    def inside(self, theta: Array) -> Array:
        """theta moved inside the bounds."""
        lower, upper = np.array(self.bounds()).T
        out: Array = np.clip(theta, lower, upper)
        return out

    def unpack(self, theta: Array) -> tuple[Covariance, float, float]:
        """The covariance function, the prior mean and the noise variance."""
        p, i = self.priors, self.d
        lengthscales = np.exp(theta[:i])
        variance, slopes, noise, mean = 1.0, None, 0.0, 0.0
        if p.variance is not None:
            variance = float(np.exp(theta[i]))
            i += 1
        if p.slope is not None:
            slopes = np.exp(theta[i : i + self.d])
            i += self.d
        if p.noise is not None:
            noise = float(np.exp(theta[i]))
            i += 1
        if p.free_mean:
            mean = float(theta[i])
        return Covariance(variance, lengthscales, p.constant, slopes), mean, noise

    def pack(self, covariance: Covariance, mean: float, noise: float) -> Array:
        """The inverse of `unpack`, inside the bounds."""
        p = self.priors
        parts = [np.log(covariance.lengthscales)]
        if p.variance is not None:
            parts.append(np.array([np.log(covariance.variance)]))
        if p.slope is not None:
            slopes = covariance.slopes
            parts.append(np.full(self.d, p.slope.typical) if slopes is None else np.log(slopes))
        if p.noise is not None:
            parts.append(np.array([np.log(max(noise, 1e-12))]))
        if p.free_mean:
            parts.append(np.array([mean]))
        return self.inside(np.concatenate(parts))

    def log_prior(self, theta: Array) -> float:
        """The log prior density of theta, up to a constant."""
        nothing = (0.0, np.zeros(self.d), 0.0, np.zeros(self.d), 0.0, 0.0)
        return -self.objective(theta, lambda *_: nothing)[0]

    def objective(self, theta: Array, evidence: Evidence) -> tuple[float, Array]:
        """Minus the log posterior density of theta, and its gradient."""
        p, d = self.priors, self.d
        value, by_lengthscale, by_variance, by_slope, by_noise, by_mean = evidence(*self.unpack(theta))
        log_prior, slope = p.lengthscale.log_density(theta[:d])
        gradient = np.zeros(self.size)
        gradient[:d] = by_lengthscale + slope
        value += log_prior
        i = d
        if p.variance is not None:
            log_prior, slope = p.variance.log_density(theta[i : i + 1])
            gradient[i] = by_variance + slope[0]
            value += log_prior
            i += 1
        if p.slope is not None:
            log_prior, slope = p.slope.log_density(theta[i : i + d])
            gradient[i : i + d] = by_slope + slope
            value += log_prior
            i += d
        if p.noise is not None:
            log_prior, slope = p.noise.log_density(theta[i : i + 1])
            gradient[i] = by_noise + slope[0]
            value += log_prior
            i += 1
        if p.free_mean:
            gradient[i] = by_mean
        return -value, -gradient


def evaluation_budget(keys: Mapping[str, Any], n: int) -> int:
    """How many evaluations of the evidence a fit may take (maxfun, and max_fit_time at a nominal rate).

    The nominal rate stands for a slow machine; a clock would make two machines fit differently.
    """
    budget = int(keys.get("maxfun") or 200)
    seconds = keys.get("max_fit_time")
    if seconds is not None:
        budget = min(budget, max(3, int(float(seconds) / nominal_seconds(n))))
    return budget


def nominal_seconds(n: int) -> float:
    """The time one evaluation of the evidence at n trials is taken to need, in seconds."""
    return 2e-3 + 5e-8 * float(n**2.5)


class _Spent(Exception):
    """The budget of evaluations is used up."""


def maximise(
    layout: Layout, evidence: Evidence, start: Array | None, keys: Mapping[str, Any], n: int
) -> tuple[Array, float, int, str]:
    """The maximum of the log posterior density of theta.

    Begins at the better one of `start` (the last fit) and the priors' typical values.

    Returns:
        theta, its log posterior density, the number of evaluations, and a warning ("" if all went well).
    """
    best: dict[str, Any] = {"value": np.inf, "theta": layout.typical(), "count": 0, "failed": ""}
    budget = evaluation_budget(keys, n)

    def evaluate(theta: Array) -> tuple[float, Array]:
        if best["count"] >= budget:
            raise _Spent
        best["count"] += 1
        try:
            value, gradient = layout.objective(theta, evidence)
        except np.linalg.LinAlgError as error:
            best["failed"] = str(error)
            return 1e10, np.zeros_like(theta)
        if not (np.isfinite(value) and np.all(np.isfinite(gradient))):
            best["failed"] = "the evidence is not finite"
            return 1e10, np.zeros_like(theta)
        if value < best["value"]:
            best["value"], best["theta"] = value, theta.copy()
        return value, gradient

    candidates = [layout.typical()] if start is None else [start, layout.typical()]
    values = [evaluate(theta)[0] for theta in candidates]
    if min(values) >= 1e10:
        return candidates[0], -np.inf, best["count"], best["failed"]
    first = candidates[int(np.argmin(values))]
    options = {
        "maxiter": int(keys.get("maxiter") or 100),
        "maxfun": budget,
        "maxcor": int(keys.get("maxcor") or 10),
        "ftol": float(keys.get("ftol") or 1e-7),
        "gtol": float(keys.get("gtol") or 1e-3),
        "maxls": int(keys.get("maxls") or 15),
    }
    with suppress(_Spent):
        minimize(evaluate, first, jac=True, method="L-BFGS-B", bounds=layout.bounds(), options=options)
    return best["theta"], -float(best["value"]), best["count"], ""
