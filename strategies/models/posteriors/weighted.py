"""A weighted sum of independent latent functions, as one posterior.

Notation: m functions f_i with posteriors at the same inputs; w (m,) weights; g = sum_i w_i f_i. Being
independent, they have cov(g, g') = sum_i w_i^2 cov(f_i, f_i'), and so the reductions of the covariances by
the data, L_i^-1 S_i k_i scaled by w_i, are stacked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array


@dataclass(frozen=True)
class SummedCovariance(Covariance):
    """The prior covariance of g; `lengthscales` are the shortest ones of all parts."""

    parts: tuple[Covariance, ...] = ()
    squares: tuple[float, ...] = ()

    @property
    def plain(self) -> bool:
        return False

    def __call__(self, a: Array, b: Array) -> Array:
        out: Array = sum(
            (square * part(a, b) for part, square in zip(self.parts, self.squares, strict=True)),
            np.zeros((len(a), len(b))),
        )
        return out

    def diagonal(self, a: Array) -> Array:
        out: Array = sum(
            (square * part.diagonal(a) for part, square in zip(self.parts, self.squares, strict=True)),
            np.zeros(len(a)),
        )
        return out


@dataclass(frozen=True)
class WeightedPosterior(Posterior):
    """The posterior of g; its sites are those of the parts.

    Attributes:
        parts: of the functions.
        shares: (m,) their weights.
    """

    parts: tuple[Posterior, ...] = ()
    shares: tuple[float, ...] = ()

    @property
    def sloped(self) -> bool:
        return False

    @classmethod
    def of(cls, parts: Sequence[Posterior], weights: Array) -> WeightedPosterior:
        """From posteriors at the same inputs and weights (m,)."""
        covariances = [part.covariance for part in parts]
        squares = tuple(float(w) ** 2 for w in weights)
        covariance = SummedCovariance(
            variance=float(sum(s * c.variance for s, c in zip(squares, covariances, strict=True))),
            lengthscales=np.min([c.lengthscales for c in covariances], axis=0),
            parts=tuple(covariances),
            squares=squares,
        )
        mean = float(sum(w * part.mean for w, part in zip(weights, parts, strict=True)))
        none = np.zeros(0)
        return cls(
            covariance,
            mean,
            max((part.x for part in parts), key=len),
            none,
            np.zeros((0, 0)),
            none,
            False,
            parts=tuple(parts),
            shares=tuple(float(w) for w in weights),
        )

    def joint(self, x: Array) -> tuple[Array, Array]:
        """Mean (m,) and covariance (m, m) of g at the rows of `x` (m, d)."""
        mean, covariance = np.zeros(len(x)), np.zeros((len(x), len(x)))
        for part, share in zip(self.parts, self.shares, strict=True):
            one, spread = part.joint(x)
            mean, covariance = mean + share * one, covariance + share**2 * spread
        return mean, covariance

    def reduced(self, x: Array) -> tuple[Array, Array, Array]:
        """Mean (m,), variance (m,) and the stacked reductions at the rows of `x` (m, d)."""
        mean, variance, halves = np.zeros(len(x)), np.zeros(len(x)), []
        for part, share in zip(self.parts, self.shares, strict=True):
            one, spread, half = part.reduced(x)
            mean, variance = mean + share * one, variance + share**2 * spread
            halves.append(share * half)
        return mean, variance, np.vstack(halves)

    def expecting(self, x: Array) -> WeightedPosterior:
        """As it will be when the outcomes at the rows of `x` (k, d) have come."""
        parts = [part.expecting(x) for part in self.parts]
        return WeightedPosterior.of(parts, np.array(self.shares))
