"""The covariance function where derivatives of f are observed beside its values.

E. Solak, R. Murray-Smith, W. E. Leithead, D. J. Leith & C. E. Rasmussen (2003), Derivative observations in
Gaussian process models of dynamic systems, NIPS: cov(f(a), f_j(b)) and cov(f_i(a), f_j(b)) are derivatives of
k(a, b), f_j the derivative of f by x_j.

Notation as in covariance.py. A *row* is a place (d,), or a place and one number more that says what is meant
there: 0 the value f, j > 0 the derivative by the j-th coordinate over `scale`. D_j = a_j - b_j and e = v
exp(-1/2 sum_j D_j^2 / l_j^2); the squared exponential part between two rows is e (L R + [i = j] / l_i^2) with
L = -D_i / l_i^2 if the row of a means a derivative by a_i, else 1, and R = D_j / l_j^2 if that of b does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fechner.strategies.models.kernels.categories import Counts, centred, differ, flattened, spread
from fechner.strategies.models.kernels.covariance import Covariance, outer
from fechner.strategies.numerics.arrays import Array


@dataclass(frozen=True)
class Functionals(Covariance):
    """A covariance function of rows; `scale` is what derivatives are divided by."""

    scale: float = 1.0

    def _split(self, rows: Array) -> tuple[Array, Array]:
        """Places (n, d) and what is meant there (n,)."""
        d = len(self.lengthscales)
        return rows[:, :d], (rows[:, d] if rows.shape[1] > d else np.zeros(len(rows))).astype(int)

    def exponential(self, a: Array, b: Array) -> Array:
        """The squared exponential part alone, (n, m)."""
        (a, of_a), (b, of_b) = self._split(a), self._split(b)
        out = super().exponential(a, b)
        if of_a.any() or of_b.any():
            left, right, same = factors(a, of_a, b, of_b, self)
            out *= left * right + same
        return out

    def trends(self, a: Array, b: Array) -> Array | float:
        """The rest: constant and slopes, (n, m)."""
        left, right = self._basis(a), self._basis(b)
        out: Array = (left * self._weights()) @ right.T
        return out

    def _weights(self) -> Array:
        """Variances (D + 1,) of the constant and the slopes (categories.py; D = d without categories)."""
        slopes = np.zeros_like(self.lengthscales) if self.slopes is None else self.slopes
        if self.categories:
            slopes = spread(slopes, self.categories)
        return np.concatenate([[self.constant], slopes])

    def _basis(self, rows: Array) -> Array:
        """Constant and centred coordinates (n, D + 1) at values, their derivatives at derivatives."""
        return basis(*self._split(rows), self.scale, self.categories)

    def pulled_back(self, a: Array, b: Array, exponential: Array, weights: Array) -> Array:
        """sum over b of weights (n, m) times the derivative of k(a, b) by a, (n, d); `a` are places."""
        b, of_b = self._split(b)
        part = weights * exponential
        out: Array = (part @ b - part.sum(axis=1)[:, None] * a) / np.square(self.lengthscales)
        if self.slopes is not None:
            centre = basis(b, of_b, self.scale, self.categories)
            out += self.slopes * (weights @ centre[:, 1 : 1 + len(self.slopes)])
        for j in np.unique(of_b[of_b > 0]):
            those = of_b == j
            plain = super().exponential(a, b[those])
            total = np.einsum("ij,ij->i", weights[:, those], plain)
            out[:, j - 1] += total / (np.square(self.lengthscales[j - 1]) * self.scale)
        return flattened(out, self.categories)

    def diagonal(self, a: Array) -> Array:
        """The variance of what each row means, (n,)."""
        places, of_a = self._split(a)
        out = super().diagonal(places)
        steep = of_a > 0
        at = of_a[steep] - 1
        out[steep] = self.variance / np.square(self.lengthscales[at]) + self._weights()[1:][at]
        out[steep] /= self.scale**2
        return out


def basis(places: Array, of: Array, scale: float, categories: Counts = ()) -> Array:
    """Constant and centred coordinates (n, D + 1) at values, their derivatives at derivatives."""
    out = np.hstack([np.ones((len(places), 1)), centred(places, categories)])
    steep = np.flatnonzero(of)
    out[steep] = 0.0
    out[steep, of[steep]] = 1.0 / scale
    return out


def factors(
    a: Array, of_a: Array, b: Array, of_b: Array, covariance: Functionals
) -> tuple[Array, Array, Array]:
    """L (n, m), R (n, m) and [i = j] / l_i^2 (n, m), all over `scale` for each derivative."""
    inverse = 1.0 / np.square(covariance.lengthscales)
    scale = covariance.scale
    left, right = np.ones((len(a), 1)), np.ones((1, len(b)))
    same = np.zeros((1, 1))
    if of_a.any():
        left = np.ones((len(a), len(b)))
        for i in np.unique(of_a[of_a > 0]):
            those = of_a == i
            left[those] = (b[:, i - 1] - a[those, i - 1, None]) * (inverse[i - 1] / scale)
    if of_b.any():
        right = np.ones((len(a), len(b)))
        for j in np.unique(of_b[of_b > 0]):
            those = of_b == j
            right[:, those] = (a[:, j - 1, None] - b[those, j - 1]) * (inverse[j - 1] / scale)
    if of_a.any() and of_b.any():
        both = (of_a[:, None] == of_b) & (of_a[:, None] > 0)
        same = both * (np.concatenate([[0.0], inverse])[of_a][:, None] / scale**2)
    return left, right, same


@dataclass(frozen=True)
class RowDifferences:
    """What the gradient of the evidence needs of rows, computed once a fit; as covariance.Differences.

    Attributes:
        places: (n, d); of: (n,), what is meant there.
        squared: (d, n * n) squared coordinate differences.
        products: (d, n * n) products of the slopes' basis.
        ones: (n,) 1 for values, 0 for derivatives.
    """

    places: Array
    of: Array
    squared: Array
    products: Array
    ones: Array

    @classmethod
    def of_rows(cls, rows: Array, scale: float, categories: Counts = ()) -> RowDifferences:
        """For rows (n, d + 1)."""
        places, of = rows[:, :-1], rows[:, -1].astype(int)
        n, d = places.shape
        squared = differ(places, places, categories).reshape(d, n * n)
        products = outer(basis(places, of, scale, categories)[:, 1:], categories).reshape(d, n * n)
        return cls(places, of, squared, products, (of == 0).astype(float))

    def matrices(self, covariance: Functionals) -> tuple[Array, tuple[Array, Array, Array]]:
        """The covariance matrix (n, n), and e, e L R and e [i = j] / l_i^2, each (n, n)."""
        n = len(self.of)
        e = covariance.variance * np.exp((-0.5 / np.square(covariance.lengthscales)) @ self.squared)
        e = e.reshape(n, n)
        left, right, same = factors(self.places, self.of, self.places, self.of, covariance)
        crossed, equal = e * (left * right), e * same
        whole = crossed + equal + covariance.constant * np.outer(self.ones, self.ones)
        if covariance.slopes is not None:
            whole += (covariance.slopes @ self.products).reshape(n, n)
        return whole, (e, crossed, equal)

    def gradient(
        self, covariance: Functionals, part: tuple[Array, Array, Array], weights: Array
    ) -> tuple[Array, float, Array]:
        """Derivatives of sum(weights * K) by log l (d,), log v, log w (d,), for symmetric weights (n, n)."""
        _, crossed, equal = part
        of_crossed, of_equal = weights * crossed, weights * equal
        whole = of_crossed + of_equal
        by_lengthscale = (self.squared @ whole.ravel()) / np.square(covariance.lengthscales)
        # every derivative by x_j brings 1 / l_j^2
        share = of_crossed.sum(axis=0) + of_crossed.sum(axis=1) + of_equal.sum(axis=1)
        for j in np.unique(self.of[self.of > 0]):
            by_lengthscale[j - 1] -= 2.0 * float(share[self.of == j].sum())
        by_slope = np.zeros(0)
        if covariance.slopes is not None:
            by_slope = covariance.slopes * (self.products @ weights.ravel())
        return by_lengthscale, float(whole.sum()), by_slope
