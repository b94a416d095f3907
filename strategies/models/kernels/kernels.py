"""Covariance functions other than the squared exponential; combined_kernels.py scales, adds, multiplies them.

Formulas and names are GPyTorch's (J. Gardner, G. Pleiss, D. Bindel, K. Weinberger & A. G. Wilson 2018,
NeurIPS), so that a configuration means the same; see Rasmussen & Williams 2006, chapter 4. Every parameter
has a length scale of its own. With D_j = x_j - x'_j and s = sum_j D_j^2 / l_j^2, r = sqrt(s):

RBFKernel exp(-s / 2); MaternKernel exp(-r), (1 + sqrt3 r) exp(-sqrt3 r) or (1 + sqrt5 r + 5 s / 3) exp(-sqrt5
r) for nu = 1/2, 3/2, 5/2; RQKernel (1 + s / (2 alpha))^-alpha; PeriodicKernel exp(-2 sum_j sin^2(pi D_j /
p_j) / w_j), w_j a width; CosineKernel cos(pi D / p), of one parameter, where alone it is positive
semidefinite; LinearKernel v x . x'; PolynomialKernel (x . x' + c)^power. x counts from the lower end of the
unit box.

Notation: a (n, d), b (m, d) places; theta (k,) the logarithms of a kernel's own hyperparameters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from fechner.strategies.numerics.arrays import Array

RADIAL = ("RBFKernel", "MaternKernel", "RQKernel")
SMALLEST_R = 1e-10


class Kernel(Protocol):
    """A covariance function of unit amplitude, or with amplitudes of its own."""

    @property
    def theta(self) -> Array: ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each of theta is: lengthscale, alpha, width, period, variance or offset."""

    def at(self, theta: Array) -> Kernel:
        """The same kernel with other hyperparameters."""

    def matrix(self, a: Array, b: Array) -> Array:
        """k(a, b), (n, m)."""

    def diagonal(self, a: Array) -> Array:
        """k(x, x) at the rows of a, (n,)."""

    def pulled_back(self, a: Array, b: Array, weights: Array) -> Array:
        """sum over b of weights (n, m) times the derivative of k(a, b) by a, (n, d)."""

    def diagonal_slopes(self, a: Array) -> Array:
        """The derivative of k(a, a) by a, (n, d)."""

    def gradient(self, x: Array, weights: Array) -> Array:
        """Derivatives (k,) of sum(weights * k(x, x)) by theta, for symmetric weights (n, n)."""

    def lengthscales(self, d: int) -> Array:
        """How far one goes for about one unit of r, (d,); infinite along a parameter it doesn't see."""

    def plain(self) -> dict[str, Any]:
        """As JSON-able values."""


@dataclass(frozen=True)
class Leaf:
    """One kernel of the list above.

    Attributes:
        name: of GPyTorch's class.
        dims: places of the parameters that it sees.
        theta: logarithms of l (or w, then p; p alone for the cosine; v; c), then of alpha.
        option: nu, or the power.
    """

    name: str
    dims: tuple[int, ...]
    theta: Array
    option: float = 0.0

    @property
    def kinds(self) -> tuple[str, ...]:
        count = len(self.dims)
        if self.name in RADIAL:
            return ("lengthscale",) * count + (("alpha",) if self.name == "RQKernel" else ())
        if self.name == "PeriodicKernel":
            return ("width",) * count + ("period",) * count
        return (
            {"CosineKernel": "period", "LinearKernel": "variance", "PolynomialKernel": "offset"}[self.name],
        )

    def at(self, theta: Array) -> Leaf:
        return replace(self, theta=theta)

    def _away(self, a: Array, b: Array) -> Array:
        """D (n, m, dims)."""
        out: Array = a[:, None, self.dims] - b[None, :, self.dims]
        return out

    def _radial(self, s: Array) -> tuple[Array, Array]:
        """k and dk/ds, elementwise."""
        if self.name == "RBFKernel":
            k = np.exp(-0.5 * s)
            return k, -0.5 * k
        if self.name == "RQKernel":
            alpha = float(np.exp(self.theta[-1]))
            u = 1.0 + s / (2.0 * alpha)
            k = u**-alpha
            return k, -0.5 * k / u
        r = np.sqrt(s)
        if self.option == 0.5:
            k = np.exp(-r)
            return k, -0.5 * k / np.maximum(r, SMALLEST_R)
        e = np.exp(-np.sqrt(2.0 * self.option) * r)
        if self.option == 1.5:
            return (1.0 + np.sqrt(3.0) * r) * e, -1.5 * e
        rise = 1.0 + np.sqrt(5.0) * r
        return (rise + 5.0 / 3.0 * s) * e, -5.0 / 6.0 * rise * e

    def _squares(self, away: Array) -> Array:
        out: Array = np.square(away) @ np.exp(-2.0 * self.theta[: len(self.dims)])
        return out

    def _waves(self) -> tuple[Array, Array]:
        """w and p of the periodic kernel."""
        w, p = np.exp(self.theta).reshape(2, -1)
        return w, p

    def matrix(self, a: Array, b: Array) -> Array:
        if self.name in RADIAL:
            return self._radial(self._squares(self._away(a, b)))[0]
        if self.name == "PeriodicKernel":
            w, p = self._waves()
            return np.asarray(np.exp(-2.0 * np.square(np.sin(np.pi * self._away(a, b) / p)) @ (1.0 / w)))
        if self.name == "CosineKernel":
            return np.asarray(np.cos(np.pi * self._away(a, b)[:, :, 0] * np.exp(-self.theta[0])))
        product = a[:, self.dims] @ b[:, self.dims].T
        value = float(np.exp(self.theta[0]))
        return np.asarray(
            value * product if self.name == "LinearKernel" else (product + value) ** self.option
        )

    def diagonal(self, a: Array) -> Array:
        if self.name not in ("LinearKernel", "PolynomialKernel"):
            return np.ones(len(a))
        squares, value = np.square(a[:, self.dims]).sum(axis=1), float(np.exp(self.theta[0]))
        return np.asarray(
            value * squares if self.name == "LinearKernel" else (squares + value) ** self.option
        )

    def pulled_back(self, a: Array, b: Array, weights: Array) -> Array:
        out = np.zeros_like(a)
        if self.name in ("LinearKernel", "PolynomialKernel"):
            value = float(np.exp(self.theta[0]))
            if self.name == "LinearKernel":
                weights = weights * value
            else:
                product = a[:, self.dims] @ b[:, self.dims].T + value
                weights = weights * self.option * product ** (self.option - 1.0)
            out[:, self.dims] = weights @ b[:, self.dims]
            return out
        away = self._away(a, b)
        if self.name in RADIAL:
            part = weights * self._radial(self._squares(away))[1]
            slopes = np.einsum("nm,nmj->nj", part, away) * (2.0 * np.exp(-2.0 * self.theta[: len(self.dims)]))
        elif self.name == "PeriodicKernel":
            w, p = self._waves()
            waves = np.sin(2.0 * np.pi * away / p) * (-2.0 * np.pi / (w * p))
            slopes = np.einsum("nm,nmj->nj", weights * self.matrix(a, b), waves)
        else:
            rate = np.pi * float(np.exp(-self.theta[0]))
            slopes = np.einsum("nm,nmj->nj", weights, -rate * np.sin(rate * away))
        out[:, self.dims] = slopes
        return out

    def diagonal_slopes(self, a: Array) -> Array:
        out, value = np.zeros_like(a), float(np.exp(self.theta[0])) if len(self.theta) else 0.0
        seen = a[:, self.dims]
        if self.name == "LinearKernel":
            out[:, self.dims] = 2.0 * value * seen
        elif self.name == "PolynomialKernel":
            steep = self.option * (np.square(seen).sum(axis=1) + value) ** (self.option - 1.0)
            out[:, self.dims] = 2.0 * steep[:, None] * seen
        return out

    def gradient(self, x: Array, weights: Array) -> Array:
        if self.name == "LinearKernel":
            return np.array([float((weights * self.matrix(x, x)).sum())])
        if self.name == "PolynomialKernel":
            value = float(np.exp(self.theta[0]))
            product = x[:, self.dims] @ x[:, self.dims].T + value
            return np.array([float((weights * self.option * value * product ** (self.option - 1.0)).sum())])
        away = self._away(x, x)
        if self.name == "CosineKernel":
            turned = np.pi * away[:, :, 0] * float(np.exp(-self.theta[0]))
            return np.array([float((weights * np.sin(turned) * turned).sum())])
        if self.name == "PeriodicKernel":
            w, p = self._waves()
            whole, turned = weights * self.matrix(x, x), np.pi * away / p
            by_width = np.einsum("nm,nmj->j", whole, 2.0 * np.square(np.sin(turned)) / w)
            by_period = np.einsum("nm,nmj->j", whole, 2.0 / w * np.sin(2.0 * turned) * turned)
            return np.concatenate([by_width, by_period])
        s = self._squares(away)
        k, by_s = self._radial(s)
        scales = np.exp(-2.0 * self.theta[: len(self.dims)])
        out = -2.0 * scales * np.einsum("nm,nmj->j", weights * by_s, np.square(away))
        if self.name != "RQKernel":
            return np.asarray(out)
        alpha = float(np.exp(self.theta[-1]))
        u = 1.0 + s / (2.0 * alpha)
        return np.append(out, alpha * float((weights * k * (1.0 - 1.0 / u - np.log(u))).sum()))

    def lengthscales(self, d: int) -> Array:
        out, values = np.full(d, np.inf), np.exp(self.theta)
        count = len(self.dims)
        if self.name in RADIAL:
            out[list(self.dims)] = values[:count]
        elif self.name == "PeriodicKernel":
            out[list(self.dims)] = values[count:] * np.sqrt(values[:count]) / (2.0 * np.pi)
        else:
            out[list(self.dims)] = values[0] / np.pi if self.name == "CosineKernel" else 1.0
        return out

    def plain(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "dims": list(self.dims),
            "values": [float(v) for v in np.exp(self.theta)],
            "option": self.option,
        }
