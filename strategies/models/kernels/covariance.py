"""The covariance function: squared exponential with one length scale per dimension, plus broad trends.

k(x, x') = v exp(-1/2 sum_j (x_j - x'_j)^2 / l_j^2) + a + sum_j w_j (x_j - 1/2)(x'_j - 1/2)

Notation: v variance (output scale); l (d,) length scales in unit space; a variance of the constant;
w (d,) variances of the slopes over the unit box; of categorical parameters, whose x_j are categories, see
categories.py: there (x_j - x'_j)^2 is 0 or 1, and slopes are constants of categories. Rasmussen & Williams
2006, eq. 4.31 and section 2.7 (explicit basis functions: a constant and slopes with a normal prior,
integrated out).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fechner.strategies.models.kernels.categories import (
    Counts,
    centred,
    coded,
    differ,
    flattened,
    gathered,
    spread,
)
from fechner.strategies.numerics.arrays import Array


@dataclass(frozen=True)
class Covariance:
    """The function's parameters (symbols above)."""

    variance: float
    lengthscales: Array
    constant: float = 0.0
    slopes: Array | None = None
    categories: Counts = field(default=(), kw_only=True)

    @property
    def plain(self) -> bool:
        """Whether it is the function above, of numbers alone: the one that a scan on a GPU knows."""
        return not self.categories

    def __call__(self, a: Array, b: Array) -> Array:
        """The (n, m) matrix between the rows of `a` (n, d) and `b` (m, d)."""
        out = self.exponential(a, b)
        if self.slopes is not None or self.constant:
            out += self.trends(a, b)
        return out

    def exponential(self, a: Array, b: Array) -> Array:
        """The squared exponential part alone, (n, m)."""
        scales = self.lengthscales
        if self.categories:
            a, b = coded(a, self.categories), coded(b, self.categories)
            scales = spread(scales, self.categories)
        scaled_a, scaled_b = a / scales, b / scales
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
        slopes = spread(self.slopes, self.categories) if self.categories else self.slopes
        out: Array = (centred(a, self.categories) * slopes) @ centred(b, self.categories).T + self.constant
        return out

    def pulled_back(self, a: Array, b: Array, exponential: Array, weights: Array) -> Array:
        """sum over b of weights (n, m) times the derivative of k(a, b) by a, (n, d)."""
        part = weights * exponential
        out: Array = (part @ b - part.sum(axis=1)[:, None] * a) / np.square(self.lengthscales)
        if self.slopes is not None:
            out += self.slopes * (weights @ (b - 0.5))
        return flattened(out, self.categories)

    def diagonal_slopes(self, a: Array) -> Array:
        """The derivative of k(a, a) by a, (n, d)."""
        if self.slopes is None:
            return np.zeros_like(a)
        return flattened(2.0 * self.slopes * (a - 0.5), self.categories)

    def diagonal(self, a: Array) -> Array:
        """k(x, x) for the rows of `a` (n, d), shape (n,)."""
        out = np.full(len(a), self.variance + self.constant)
        if self.slopes is not None:
            slopes = spread(self.slopes, self.categories) if self.categories else self.slopes
            out += np.square(centred(a, self.categories)) @ slopes
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
    def of(cls, x: Array, trends: bool, categories: Counts = ()) -> Differences:
        """For training inputs x (n, d)."""
        n, d = x.shape
        squared = differ(x, x, categories).reshape(d, n * n)
        products = np.zeros((0, n * n))
        if trends:
            products = outer(centred(x, categories), categories).reshape(d, n * n)
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


def outer(basis: Array, categories: Counts) -> Array:
    """Products (d, n, n) of the columns of a basis (n, D) with themselves, summed over each parameter's."""
    columns = basis.T
    out: Array = columns[:, :, None] * columns[:, None, :]
    return gathered(out, categories) if categories else out


def smooth_part(covariance: Covariance, a: Array, b: Array) -> Array:
    """The squared exponential part alone (n, m), between the rows of a (n, d) and b (m, d)."""
    return Covariance(covariance.variance, covariance.lengthscales, categories=covariance.categories)(a, b)


def pulled(covariance: Covariance, z: Array, x: Array, u: Array, smooth: Array) -> Array:
    """The gradient (m, d) of sum_i u_i k(z_i, x) by the rows of x (m, d).

    Args:
        covariance: k.
        z: (n, d).
        x: (m, d).
        u: (n, m), held.
        smooth: (n, m) the squared exponential part of k(z, x).
    """
    weighted = u * smooth
    out: Array = weighted.T @ z - weighted.sum(axis=0)[:, None] * x
    out /= np.square(covariance.lengthscales)
    if covariance.slopes is not None:
        out += (u.T @ (z - 0.5)) * covariance.slopes
    return flattened(out, covariance.categories)
