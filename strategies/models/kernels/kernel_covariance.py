"""The covariance function of a model whose kernel is another than the squared exponential (kernels.py).

k(x, x') = v kernel(x, x') + a + sum_j w_j (x_j - 1/2)(x'_j - 1/2), symbols as in covariance.py, whose
interface this is: what is called `exponential` there is v kernel(x, x') here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fechner.strategies.models.kernels.categories import Counts
from fechner.strategies.models.kernels.covariance import Covariance, Differences
from fechner.strategies.models.kernels.kernels import Kernel, Leaf
from fechner.strategies.numerics.arrays import Array

LONGEST = 10.0  # along a parameter that the kernel doesn't see, for those who search in length scales


@dataclass(frozen=True)
class KernelCovariance(Covariance):
    """The function's parameters; `lengthscales` are those that the kernel comes near to."""

    kernel: Kernel = field(default_factory=lambda: Leaf("RBFKernel", (), np.zeros(0)))

    @classmethod
    def of(
        cls, kernel: Kernel, d: int, variance: float, constant: float, slopes: Array | None
    ) -> KernelCovariance:
        """The covariance function of a kernel over d dimensions."""
        lengthscales = np.clip(kernel.lengthscales(d), 1e-3, LONGEST)
        return cls(variance, lengthscales, constant, slopes, kernel)

    @property
    def plain(self) -> bool:
        return False

    def exponential(self, a: Array, b: Array) -> Array:
        out = self.kernel.matrix(a, b)
        out *= self.variance
        return out

    def pulled_back(self, a: Array, b: Array, exponential: Array, weights: Array) -> Array:
        out = self.variance * self.kernel.pulled_back(a, b, weights)
        if self.slopes is not None:
            out += self.slopes * (weights @ (b - 0.5))
        return out

    def diagonal_slopes(self, a: Array) -> Array:
        return super().diagonal_slopes(a) + self.variance * self.kernel.diagonal_slopes(a)

    def diagonal(self, a: Array) -> Array:
        return super().diagonal(a) + self.variance * (self.kernel.diagonal(a) - 1.0)


@dataclass(frozen=True)
class KernelDifferences:
    """What the gradient of the evidence needs of the training inputs; as covariance.Differences.

    Attributes:
        x: (n, d) inputs.
        products: (d, n * n) products of centred coordinates.
    """

    x: Array
    products: Array

    def matrices(self, covariance: Covariance) -> tuple[Array, Array]:
        """The covariance matrix (n, n) and the kernel's part alone."""
        part = covariance.exponential(self.x, self.x)
        whole = part + covariance.constant
        if covariance.slopes is not None:
            whole = whole + (covariance.slopes @ self.products).reshape(part.shape)
        return whole, part

    def gradient(self, covariance: Covariance, part: Array, weights: Array) -> tuple[Array, float, Array]:
        """Derivatives of sum(weights * K) by the kernel's theta, log v, log w (d,), for symmetric weights."""
        assert isinstance(covariance, KernelCovariance)
        by_theta = covariance.variance * covariance.kernel.gradient(self.x, weights)
        by_slope = np.zeros(0)
        if covariance.slopes is not None:
            by_slope = covariance.slopes * (self.products @ weights.ravel())
        return by_theta, float((weights * part).sum()), by_slope


def differences_of(
    x: Array, trends: bool, kernel: Kernel | None, categories: Counts = ()
) -> Differences | KernelDifferences:
    """For training inputs x (n, d); a kernel that was named sees categories as levels."""
    if kernel is None:
        return Differences.of(x, trends, categories)
    n, d = x.shape
    centred = x.T - 0.5
    products = (
        (centred[:, :, None] * centred[:, None, :]).reshape(d, n * n) if trends else np.zeros((0, n * n))
    )
    return KernelDifferences(x, products)
