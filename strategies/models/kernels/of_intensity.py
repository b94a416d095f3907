"""The covariance functions of f = s(c) (x + o(c)): of the linear model at Laplace's mode, and of the product.

- *Linearised*, with s = m exp(g): cov(f, f') = A A' k_o(c, c') + B B' k_g(c, c') with A = s(c) and B = f at
  the mode (delta method), which is also the mean; but B = 3 tanh(f / 3). A slope never changes its sign, so
  that where f is far from 0 it is so whatever the slope, and a normal distribution as wide as that of f would
  say that such trials might tell something. With `BEND` = 3 the standard deviation of a probability and what
  an outcome tells (BALD) err a third as much as without, by long Markov chains.
- *Product*, with s = m (1 + r): cov(f, f') = m^2 (k_r (x x' + k_o) + k_o), the covariance of s (x + o) for
  independent r and o, E[f] = m x; f itself is not Gaussian, but has these moments.

Notation as in semi_parametric_layout.py; m' places are asked about, n are those of the trials.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.numerics.arrays import Array

BEND = 3.0


@dataclass(frozen=True)
class Pair:
    """Covariance functions of the offset and of the slope's deviations, over the context, and log m."""

    offset: Covariance
    slope: Covariance
    log_slope: float


def split(x: Array, place: int) -> tuple[Array, Array]:
    """Intensity (n,) less one half and context (n, d - 1) of x (n, d)."""
    return x[:, place] - 0.5, np.delete(x, place, axis=1)


_NONE = Covariance(0.0, np.zeros(0))


@dataclass(frozen=True)
class OfIntensity(Covariance):
    """A covariance function of f; `lengthscales` are what a search for a maximum steps by.

    Attributes:
        pair: k_o, and k_g or k_r.
        place: of the intensity among the coordinates.
    """

    pair: Pair = field(default_factory=lambda: Pair(_NONE, _NONE, 0.0))
    place: int = 0

    @property
    def plain(self) -> bool:
        return False

    def __call__(self, a: Array, b: Array) -> Array:
        return self.exponential(a, b)

    def trends(self, a: Array, b: Array) -> Array | float:
        """Nothing: `exponential` is the whole."""
        return 0.0

    def _widened(self, by_intensity: Array, by_context: Array) -> Array:
        """Derivatives (m', d) from those by x (m',) and by c (m', d - 1)."""
        return np.insert(by_context, self.place, by_intensity, axis=1)


@dataclass(frozen=True)
class Product(OfIntensity):
    """Of the product."""

    @property
    def m(self) -> float:
        """The slope's prior mean."""
        return float(np.exp(self.pair.log_slope))

    def exponential(self, a: Array, b: Array) -> Array:
        """The whole, (n, m)."""
        (x, c), (z, e) = split(a, self.place), split(b, self.place)
        offset = self.pair.offset(c, e)
        out: Array = self.pair.slope(c, e) * (np.outer(x, z) + offset)
        out += offset
        out *= self.m**2
        return out

    def pulled_back(self, a: Array, b: Array, exponential: Array, weights: Array) -> Array:
        """sum over b of weights (n, m) times the derivative of k(a, b) by a, (n, d)."""
        (x, c), (z, e) = split(a, self.place), split(b, self.place)
        of, steep = self.pair.offset, self.pair.slope
        smooth, steep_smooth = of.exponential(c, e), steep.exponential(c, e)
        offset, slope = smooth + of.trends(c, e), steep_smooth + steep.trends(c, e)
        weights = self.m**2 * weights
        by_context = of.pulled_back(c, e, smooth, weights * (1.0 + slope))
        by_context += steep.pulled_back(c, e, steep_smooth, weights * (np.outer(x, z) + offset))
        return self._widened((weights * slope) @ z, by_context)

    def diagonal(self, a: Array) -> Array:
        """k(x, x) for the rows of `a` (n, d), shape (n,)."""
        x, c = split(a, self.place)
        offset = self.pair.offset.diagonal(c)
        out: Array = self.m**2 * (self.pair.slope.diagonal(c) * (np.square(x) + offset) + offset)
        return out

    def diagonal_slopes(self, a: Array) -> Array:
        """The derivative of k(a, a) by a, (n, d)."""
        x, c = split(a, self.place)
        offset, slope = self.pair.offset, self.pair.slope
        by_context = (slope.diagonal(c) + 1.0)[:, None] * offset.diagonal_slopes(c)
        by_context += (np.square(x) + offset.diagonal(c))[:, None] * slope.diagonal_slopes(c)
        return self.m**2 * self._widened(2.0 * slope.diagonal(c) * x, by_context)


@dataclass(frozen=True)
class Linearised(OfIntensity):
    """Of the linear model at the mode.

    Attributes:
        contexts: (n, d - 1) of the trials.
        alpha: (2, n), so that o(c) = k_o(c, contexts) alpha_o, and g likewise (inference/laplace.py).
    """

    contexts: Array = field(default_factory=lambda: np.zeros((0, 0)))
    alpha: Array = field(default_factory=lambda: np.zeros((2, 0)))

    def mode(self, c: Array) -> tuple[Array, Array]:
        """o and log s at contexts (m', d - 1), each (m',)."""
        offset = self.pair.offset(c, self.contexts) @ self.alpha[0]
        return offset, self.pair.log_slope + self.pair.slope(c, self.contexts) @ self.alpha[1]

    def at(self, a: Array) -> tuple[Array, Array]:
        """A and the mean of f at the rows of `a` (m', d), each (m',)."""
        x, c = split(a, self.place)
        offset, log_slope = self.mode(c)
        slope = np.exp(log_slope)
        return slope, slope * (x + offset)

    def jacobian(self, a: Array) -> tuple[Array, Array]:
        """A and B at the rows of `a` (m', d), each (m',)."""
        slope, value = self.at(a)
        return slope, BEND * np.tanh(value / BEND)

    def jacobian_slopes(self, a: Array) -> tuple[Array, Array]:
        """The derivatives of A and of B by the rows of `a`, each (m', d)."""
        by_slope, by_value = self.slopes_at(a)
        return by_slope, by_value / np.square(np.cosh(self.at(a)[1] / BEND))[:, None]

    def slopes_at(self, a: Array) -> tuple[Array, Array]:
        """The derivatives of A and of the mean of f by the rows of `a`, each (m', d)."""
        _, c = split(a, self.place)
        slope, value = self.at(a)
        parts = []
        for covariance, alpha in zip((self.pair.offset, self.pair.slope), self.alpha, strict=True):
            smooth = covariance.exponential(c, self.contexts)
            weights = np.broadcast_to(alpha, smooth.shape)
            parts.append(covariance.pulled_back(c, self.contexts, smooth, weights))
        of_offset, of_log = parts
        by_slope = self._widened(np.zeros_like(slope), slope[:, None] * of_log)
        by_value = self._widened(slope, slope[:, None] * of_offset + value[:, None] * of_log)
        return by_slope, by_value

    def exponential(self, a: Array, b: Array) -> Array:
        """The whole, (n, m)."""
        (_, c), (_, e) = split(a, self.place), split(b, self.place)
        (left_a, left_b), (right_a, right_b) = self.jacobian(a), self.jacobian(b)
        out = self.pair.offset(c, e)
        out *= np.outer(left_a, right_a)
        rest = self.pair.slope(c, e)
        rest *= np.outer(left_b, right_b)
        out += rest
        return out

    def pulled_back(self, a: Array, b: Array, exponential: Array, weights: Array) -> Array:
        """sum over b of weights (n, m) times the derivative of k(a, b) by a, (n, d)."""
        (_, c), (_, e) = split(a, self.place), split(b, self.place)
        out = np.zeros_like(a)
        by_context = np.zeros_like(c)
        slopes = self.jacobian_slopes(a)
        for k, covariance in enumerate((self.pair.offset, self.pair.slope)):
            left, right = self.jacobian(a)[k], self.jacobian(b)[k]
            smooth = covariance.exponential(c, e)
            whole = smooth + covariance.trends(c, e)
            out += slopes[k] * ((weights * whole) @ right)[:, None]
            by_context += covariance.pulled_back(c, e, smooth, weights * np.outer(left, right))
        return out + self._widened(np.zeros(len(a)), by_context)

    def diagonal(self, a: Array) -> Array:
        """k(x, x) for the rows of `a` (n, d), shape (n,)."""
        _, c = split(a, self.place)
        slope, value = self.jacobian(a)
        out: Array = np.square(slope) * self.pair.offset.diagonal(c)
        out += np.square(value) * self.pair.slope.diagonal(c)
        return out

    def diagonal_slopes(self, a: Array) -> Array:
        """The derivative of k(a, a) by a, (n, d)."""
        _, c = split(a, self.place)
        out, by_context = np.zeros_like(a), np.zeros_like(c)
        slopes, values = self.jacobian_slopes(a), self.jacobian(a)
        for k, covariance in enumerate((self.pair.offset, self.pair.slope)):
            out += 2.0 * (values[k] * covariance.diagonal(c))[:, None] * slopes[k]
            by_context += np.square(values[k])[:, None] * covariance.diagonal_slopes(c)
        return out + self._widened(np.zeros(len(a)), by_context)
