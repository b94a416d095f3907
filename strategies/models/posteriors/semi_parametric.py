"""The posteriors of f = s(c) (x + o(c)): of the linear model at Laplace's mode, and of the product's process.

Both are Gaussian processes with Gaussian sites at the trials, as posterior.py has them, with covariance
functions of their own (of_intensity.py) and a mean that is linear in x at every context.

Notation as in semi_parametric_layout.py; m' places are asked about, n are those of the trials.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg.lapack import dtrtrs

from fechner.strategies.models.inference.laplace import likelihood
from fechner.strategies.models.kernels.of_intensity import Linearised, Product, split
from fechner.strategies.models.posteriors.latent import Draw
from fechner.strategies.models.posteriors.posterior import Posterior, root_of
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.randomness import rng

PROPOSALS = 8  # drawn for each sample that is kept


@dataclass(frozen=True)
class ProductPosterior(Posterior):
    """The posterior of the product's Gaussian process; `mean` is 0, the prior mean is m x."""

    def prior_mean(self, x: Array) -> Array:
        """m x at the rows of `x` (m', d), (m',)."""
        covariance = self.covariance
        assert isinstance(covariance, Product)
        return covariance.m * (x[:, covariance.place] - 0.5)

    def joint(self, x: Array) -> tuple[Array, Array]:
        mean, covariance = super().joint(x)
        return mean + self.prior_mean(x), covariance

    def reduced(self, x: Array) -> tuple[Array, Array, Array]:
        mean, variance, half = super().reduced(x)
        return mean + self.prior_mean(x), variance, half

    def mean_with_slopes(self, x: Array, exponential: Array, cross: Array) -> tuple[Array, Array]:
        mean, slopes = super().mean_with_slopes(x, exponential, cross)
        covariance = self.covariance
        assert isinstance(covariance, Product)
        slopes[:, covariance.place] += covariance.m
        return mean + self.prior_mean(x), slopes


@dataclass(frozen=True)
class LinearisedPosterior(Posterior):
    """The posterior of the linear model at the mode; the mean is not that of the sites, but the mode's f.

    Attributes:
        outcomes: (n,) of the trials.
        seen: (n, n) the factor of B as it is, without the bend; what o and g are drawn with.
    """

    outcomes: Array = field(default_factory=lambda: np.zeros(0))
    seen: Array = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def gaussian(self) -> bool:
        """It isn't: o and log s are, and f bends."""
        return False

    def samples(self, x: Array, draw: Draw) -> Array:
        return self.drawn(x, draw.count, draw.seed)

    def joint(self, x: Array) -> tuple[Array, Array]:
        return self._mode(x), super().joint(x)[1]

    def reduced(self, x: Array) -> tuple[Array, Array, Array]:
        _, variance, half = super().reduced(x)
        return self._mode(x), variance, half

    def mean_with_slopes(self, x: Array, exponential: Array, cross: Array) -> tuple[Array, Array]:
        return self._mode(x), self._linear.slopes_at(x)[1]

    @property
    def _linear(self) -> Linearised:
        assert isinstance(self.covariance, Linearised)
        return self.covariance

    def _mode(self, x: Array) -> Array:
        return self._linear.at(x)[1]

    def functions(self, c: Array) -> tuple[Array, Array]:
        """Mean (2 k,) and covariance (2 k, 2 k) of o, then log s, at contexts c (k, d - 1)."""
        linear, k = self._linear, len(c)
        mean, out = np.concatenate(linear.mode(c)), np.zeros((2 * k, 2 * k))
        out[:k, :k], out[k:, k:] = linear.pair.offset(c, c), linear.pair.slope(c, c)
        if not len(self.outcomes):
            return mean, out
        x = self.x[: len(self.outcomes)]
        _, e = split(x, linear.place)
        a, b = linear.at(x)
        cross = np.vstack([linear.pair.offset(c, e) * a, linear.pair.slope(c, e) * b])
        half, _ = dtrtrs(self.seen, (cross * self.root[: len(x)]).T, lower=1)
        return mean, out - half.T @ half

    def drawn(self, x: Array, count: int, seed: int) -> Array:
        """`count` joint samples (count, m') of f at the rows of `x`.

        o and log s are drawn from the linear model's posterior, `PROPOSALS` times as many as are wanted, and
        those that are kept are chosen by the ratio of the true posterior's density to that one's: sampling
        importance resampling (systematic, with large ratios cut off: E. L. Ionides 2008, Truncated importance
        sampling, JCGS 17:295-311). So samples rise with x, and are as wide and as skew as the posterior, of
        which Laplace's approximation is too narrow with few trials.
        """
        linear, n = self._linear, len(self.outcomes)
        intensity, c = split(x, linear.place)
        asked, which = np.unique(c, axis=0, return_inverse=True)
        trials, told = split(self.x[:n], linear.place)
        mean, covariance = self.functions(np.vstack([told, asked]))
        normal = rng(seed, "functions").standard_normal((PROPOSALS * count, len(mean)))
        away = normal @ root_of(covariance).T
        both = (mean + away).reshape(len(normal), 2, -1)
        away = away.reshape(both.shape)[:, :, :n]
        f = np.exp(both[:, 1, :n]) * (trials + both[:, 0, :n])
        a, b = linear.at(self.x[:n])
        along = a * away[:, 0] + b * away[:, 1]
        logs = likelihood(f, self.outcomes, self.floor, self.lapse).value.sum(axis=1)
        logs += 0.5 * np.square(along * self.root[:n]).sum(axis=1)
        logs -= np.einsum("skn,kn->s", away, linear.alpha)
        ratios = np.exp(logs - logs.max())
        ratios = np.minimum(ratios, ratios.mean() * np.sqrt(len(ratios)))
        places = (np.arange(count) + 0.5) / count * ratios.sum()
        kept = both[np.minimum(np.searchsorted(np.cumsum(ratios), places), len(ratios) - 1)]
        offset, log_slope = kept[:, :, n:][:, 0, which.ravel()], kept[:, :, n:][:, 1, which.ravel()]
        out: Array = np.exp(log_slope) * (intensity + offset)
        return out
