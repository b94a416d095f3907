"""The posterior's moments with their derivatives by the place, from which acquisition functions climb.

With sites at the inputs X (n, d) and P = S B^-1 S (n, n) (Rasmussen & Williams 2006, eq. 3.61):
mean(x) = c + k(x, X) b, var(x) = k(x, x) - k(x, X) P k(X, x), cov(x, q) = k(x, q) - k(x, X) P k(X, q), so
every derivative is a weighted sum of derivatives of k by its first argument (`Covariance.pulled_back`).

Notation: m places x (m, d); k reference points q (k, d).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array

OfMoments = Callable[[Array, Array], Array]
Values = Callable[[Array], Array]
Gradients = Callable[[Array], tuple[Array, Array]]

STEP = 1e-5  # of differences by mu and s2, in sd and shares of s2: cheap, as these are two numbers a point


@dataclass(frozen=True)
class Moments:
    """Mean and variance (m,) of f at m places, what they were computed from, and their derivatives."""

    mean: Array
    variance: Array
    x: Array
    exponential: Array
    solved: Array
    mean_slopes: Array
    variance_slopes: Array

    def pulled(self, by_mean: Array, by_variance: Array) -> Array:
        """Derivatives (m, d) of a function of mean and variance, from its derivatives (m,) by them."""
        out: Array = by_mean[:, None] * self.mean_slopes + by_variance[:, None] * self.variance_slopes
        return out


class Climbing:
    """A posterior prepared for derivatives."""

    def __init__(self, posterior: Posterior, reference: Array | None = None) -> None:
        """Prepare moments at places and, if there are reference points (k, d), covariances with them."""
        self.posterior = posterior
        n = len(posterior.x)
        half = (
            solve_triangular(posterior.factor, np.diag(posterior.root), lower=True) if n else np.zeros((0, 0))
        )
        self._precision = half.T @ half
        self._reference = np.zeros((0, posterior.x.shape[1])) if reference is None else reference
        self._solved_reference = self._precision @ posterior.covariance(posterior.x, self._reference)

    def moments(self, x: Array) -> Moments:
        """At the rows of `x` (m, d)."""
        core, kernel = self.posterior, self.posterior.covariance
        exponential = kernel.exponential(x, core.x)
        cross = exponential + kernel.trends(x, core.x)
        solved = cross @ self._precision
        variance = kernel.diagonal(x) - np.einsum("ij,ij->i", cross, solved)
        mean, mean_slopes = core.mean_with_slopes(x, exponential, cross)
        return Moments(
            mean,
            np.maximum(variance, core.smallest_variance),
            x,
            exponential,
            solved,
            mean_slopes,
            kernel.diagonal_slopes(x) - 2.0 * kernel.pulled_back(x, core.x, exponential, solved),
        )

    def covariance(self, at: Moments) -> tuple[Array, Callable[[Array], Array]]:
        """cov(x, q), (m, k), and a function from weights (m, k) to their sum with its derivatives, (m, d)."""
        core, kernel = self.posterior, self.posterior.covariance
        exponential = kernel.exponential(at.x, self._reference)
        whole = exponential + kernel.trends(at.x, self._reference)
        cross = at.exponential + kernel.trends(at.x, core.x)

        def pulled(weights: Array) -> Array:
            direct = kernel.pulled_back(at.x, self._reference, exponential, weights)
            return direct - kernel.pulled_back(
                at.x, core.x, at.exponential, weights @ self._solved_reference.T
            )

        return whole - cross @ self._solved_reference, pulled


def climbing(posterior: Posterior, function: OfMoments) -> tuple[Values, Gradients]:
    """A function of mean and variance as a function of (m, d) points, and the same with its gradients."""
    prepared: list[Climbing] = []

    def values(x: Array) -> Array:
        return function(*posterior.latent(x))

    def gradients(x: Array) -> tuple[Array, Array]:
        if not prepared:
            prepared.append(Climbing(posterior))
        at = prepared[0].moments(x)
        mean, variance = at.mean, at.variance
        step = STEP * np.sqrt(variance)
        by_mean = (function(mean + step, variance) - function(mean - step, variance)) / (2 * step)
        more, less = variance * (1 + STEP), variance * (1 - STEP)
        by_variance = (function(mean, more) - function(mean, less)) / (more - less)
        return function(mean, variance), at.pulled(by_mean, by_variance)

    return values, gradients
