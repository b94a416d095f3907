"""The covariance function: squared exponential with one length scale per dimension, plus broad trends.

k(x, x') = v exp(-1/2 sum_j (x_j - x'_j)^2 / l_j^2) + a + sum_j w_j (x_j - 1/2)(x'_j - 1/2)

Notation: v variance (output scale); l (d,) length scales in unit space; a variance of the constant;
w (d,) variances of the slopes over the unit box. Rasmussen & Williams 2006, eq. 4.31 and section 2.7
(explicit basis functions: a constant and slopes with a normal prior, integrated out).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from fechner.strategies.models.normal import Array


@dataclass(frozen=True)
class Covariance:
    """The function's parameters (symbols above)."""

    variance: float
    lengthscales: Array
    constant: float = 0.0
    slopes: Array | None = None

    def __call__(self, a: Array, b: Array) -> Array:
        """The (n, m) matrix between the rows of `a` (n, d) and `b` (m, d)."""
        out = self.exponential(a, b)
        if self.slopes is not None or self.constant:
            out += self.trends(a, b)
        return out

    def exponential(self, a: Array, b: Array) -> Array:
        """The squared exponential part alone, (n, m)."""
        scaled_a, scaled_b = a / self.lengthscales, b / self.lengthscales
        half_a = -0.5 * np.einsum("ij,ij->i", scaled_a, scaled_a)[:, None]
        half_b = -0.5 * np.einsum("ij,ij->i", scaled_b, scaled_b)[:, None]
        # one product gives the whole exponent: passes over the matrix are what costs
        left = np.hstack([scaled_a, half_a, np.ones_like(half_a)])
        out: Array = left @ np.hstack([scaled_b, np.ones_like(half_b), half_b]).T
        np.minimum(out, 0.0, out=out)
        np.exp(out, out=out)
        out *= self.variance
        return out

    def trends(self, a: Array, b: Array) -> Array | float:
        """The rest: constant and slopes, (n, m) or a number."""
        if self.slopes is None:
            return self.constant
        out: Array = ((a - 0.5) * self.slopes) @ (b - 0.5).T + self.constant
        return out

    def pulled_back(self, a: Array, b: Array, exponential: Array, weights: Array) -> Array:
        """sum over b of weights (n, m) times the derivative of k(a, b) by a, (n, d)."""
        part = weights * exponential
        out: Array = (part @ b - part.sum(axis=1)[:, None] * a) / np.square(self.lengthscales)
        if self.slopes is not None:
            out += self.slopes * (weights @ (b - 0.5))
        return out

    def diagonal_slopes(self, a: Array) -> Array:
        """The derivative of k(a, a) by a, (n, d)."""
        return np.zeros_like(a) if self.slopes is None else 2.0 * self.slopes * (a - 0.5)

    def diagonal(self, a: Array) -> Array:
        """k(x, x) for the rows of `a` (n, d), shape (n,)."""
        out = np.full(len(a), self.variance + self.constant)
        if self.slopes is not None:
            out += np.square(a - 0.5) @ self.slopes
        return out


@dataclass(frozen=True)
class Differences:
    """What the gradient needs of the training inputs, computed once a fit.

    Attributes:
        squared: (d, n * n) squared coordinate differences.
        products: (d, n * n) products of centred coordinates.
        n: number of inputs.
    """

    squared: Array
    products: Array
    n: int

    @classmethod
    def of(cls, x: Array, trends: bool) -> Differences:
        """For training inputs x (n, d)."""
        n, d = x.shape
        squared = np.square(x.T[:, :, None] - x.T[:, None, :]).reshape(d, n * n)
        centred = x.T - 0.5
        products = np.zeros((0, n * n))
        if trends:
            products = (centred[:, :, None] * centred[:, None, :]).reshape(d, n * n)
        return cls(squared, products, n)

    def matrices(self, covariance: Covariance) -> tuple[Array, Array]:
        """The covariance matrix (n, n) and its squared exponential part alone."""
        exponent = (-0.5 / np.square(covariance.lengthscales)) @ self.squared
        part = covariance.variance * np.exp(exponent)
        whole = part + covariance.constant
        if covariance.slopes is not None:
            whole = whole + covariance.slopes @ self.products
        return whole.reshape(self.n, self.n), part.reshape(self.n, self.n)

    def gradient(self, covariance: Covariance, part: Array, weights: Array) -> tuple[Array, float, Array]:
        """Derivatives of sum(weights * K) by log l (d,), log v, log w (d,), for symmetric weights (n, n)."""
        weighted = (weights * part).ravel()
        by_lengthscale = (self.squared @ weighted) / np.square(covariance.lengthscales)
        by_slope = np.zeros(0)
        if covariance.slopes is not None:
            by_slope = covariance.slopes * (self.products @ weights.ravel())
        return by_lengthscale, float(weighted.sum()), by_slope
