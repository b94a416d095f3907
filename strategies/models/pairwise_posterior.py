"""The posterior of a utility f from comparisons of two stimuli, in numpy.

W. Chu & Z. Ghahramani (2005), Preference learning with Gaussian processes, ICML: P(second preferred) =
Phi((f(b) - f(a)) / sqrt 2), each utility seen with unit noise. With w = (f(b) - f(a)) / sqrt 2 this is a probit
in w, whose prior covariance follows from that of f, so the Gaussian sites of w (Rasmussen & Williams 2006, eqs.
3.60 and 3.61) give the posterior of f through the cross covariance of f(x) and w.

Notation: n comparisons; a, b (n, d) their first and second stimuli; c(x) (n,) = (k(x, b) - k(x, a)) / sqrt 2, the
prior covariance of f(x) and w; K (n, n) the one of w; S = diag(sqrt tau) of the sites; L the Cholesky factor of
B = I + S K S; mean(x) = c(x)^T beta with beta (n,) the weights; cov(x, x') = k(x, x') - c(x)^T A c(x') with
A (n, n) = S B^-1 S. f is known up to a constant only; its prior mean is 0. m points or pairs are asked about.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from fechner.strategies.models.covariance import Covariance
from fechner.strategies.models.inference.expectation_propagation import expected_information
from fechner.strategies.models.normal import Array, ndtr, ndtri, probability_moments
from fechner.strategies.models.posterior import Posterior
from scipy.linalg import cholesky, solve_triangular

SQRT_HALF = float(np.sqrt(0.5))
SMALLEST_VARIANCE = 1e-12


@dataclass(frozen=True)
class PairMoments:
    """The posterior of f at both stimuli of m pairs.

    Attributes:
        mean, variance: (m, 2).
        covariance: (m,) of the two.
    """

    mean: Array
    variance: Array
    covariance: Array

    def difference(self) -> tuple[Array, Array]:
        """Mean and variance (m,) of f(second) - f(first)."""
        variance = self.variance.sum(axis=1) - 2.0 * self.covariance
        return self.mean[:, 1] - self.mean[:, 0], np.maximum(variance, SMALLEST_VARIANCE)


@dataclass(frozen=True)
class PairSlopes:
    """Derivatives of `PairMoments` by the pairs' coordinates, each (m, 2, d); each moment's own stimulus only
    for mean and variance."""

    mean: Array
    variance: Array
    covariance: Array


@dataclass(frozen=True)
class PairwisePosterior(Posterior):
    """The posterior of the utility f.

    Attributes:
        x: (2n, d) stimuli, the n first ones, then the n second ones.
        root, factor, weights: of the sites of w (n,), (n, n), (n,).

    The probability of one stimulus is that of being preferred to one of utility 0, Phi(f / sqrt 2).
    """

    def sites(self) -> tuple[Array, Array]:
        """tau and nu (n,) of the sites of w."""
        tau = np.square(self.root)
        return tau, self.weights + tau * (self._prior() @ self.weights)

    @property
    def pairs(self) -> Array:
        """(n, 2, d) the comparisons."""
        n = len(self.root)
        return np.stack([self.x[:n], self.x[n:]], axis=1)

    def _prior(self) -> Array:
        """K (n, n)."""
        n = len(self.root)
        cross = self.cross(self.x)
        return SQRT_HALF * (cross[:, n:] - cross[:, :n])

    def cross(self, x: Array) -> Array:
        """c (n, m) at the rows of `x` (m, d)."""
        n = len(self.root)
        both = self.covariance(self.x, x)
        return SQRT_HALF * (both[n:] - both[:n])

    @cached_property
    def reduction(self) -> Array:
        """A (n, n)."""
        half = solve_triangular(self.factor, np.diag(self.root), lower=True, check_finite=False)
        out: Array = half.T @ half
        return out

    def latent(self, x: Array) -> tuple[Array, Array]:
        prior = self.covariance.diagonal(x)
        cross = self.cross(x)
        variance = prior - np.einsum("ij,ij->j", cross, self.reduction @ cross)
        return cross.T @ self.weights, np.maximum(variance, SMALLEST_VARIANCE)

    def joint(self, x: Array) -> tuple[Array, Array]:
        cross = self.cross(x)
        half = self._half(cross)
        return cross.T @ self.weights, self.covariance(x, x) - half.T @ half

    def reduced(self, x: Array) -> tuple[Array, Array, Array]:
        cross = self.cross(x)
        half = self._half(cross)
        variance = self.covariance.diagonal(x) - np.einsum("ij,ij->j", half, half)
        return cross.T @ self.weights, np.maximum(variance, SMALLEST_VARIANCE), half

    def _half(self, cross: Array) -> Array:
        out: Array = solve_triangular(self.factor, self.root[:, None] * cross, lower=True, check_finite=False)
        return out

    def probability(self, latent: Array) -> Array:
        out: Array = ndtr(SQRT_HALF * latent)
        return out

    def latent_of(self, probability: float) -> float:
        return float(ndtri(min(max(probability, 0.0), 1.0))) / SQRT_HALF

    def moments(self, x: Array, space: str) -> tuple[Array, Array]:
        mean, variance = self.latent(x)
        if space == "latent":
            return mean, np.sqrt(variance)
        first, second = probability_moments(SQRT_HALF * mean, 0.5 * variance)
        return first, np.sqrt(second)

    def pair_moments(self, pairs: Array) -> PairMoments:
        """The posterior of f at both stimuli of `pairs` (m, 2, d)."""
        return self._pair_moments(*self._at(pairs))

    def pair_slopes(self, pairs: Array) -> tuple[PairMoments, PairSlopes]:
        """`pair_moments` and the derivatives by the coordinates of `pairs` (m, 2, d)."""
        m, _, d = pairs.shape
        stimuli, cross, between = self._at(pairs)
        reduced = self.reduction @ cross
        twisted = reduced.reshape(-1, m, 2)[:, :, ::-1].reshape(-1, 2 * m)  # of the other stimulus
        moments = self._pair_moments(stimuli, cross, between, reduced)
        slopes = np.empty((3, 2 * m, d))
        both = squared_exponential(self.covariance, self.x, stimuli)
        weights = np.broadcast_to(self.weights[:, None], cross.shape)
        for place, u in enumerate((weights, -2.0 * reduced, -twisted)):
            slopes[place] = self._pulled(u, both, stimuli)
        mean, variance, covariance = slopes.reshape(3, m, 2, d)
        other = stimuli.reshape(m, 2, d)[:, ::-1].reshape(-1, d)
        smooth = squared_exponential(self.covariance, stimuli.reshape(m, 2, d)[:, 0], None, pairs[:, 1])
        rest = (other - stimuli) / np.square(self.covariance.lengthscales) * np.repeat(smooth, 2)[:, None]
        covariance += rest.reshape(m, 2, d)
        if self.covariance.slopes is not None:
            linear = self.covariance.slopes
            variance += (2.0 * linear * (stimuli - 0.5)).reshape(m, 2, d)
            covariance += (linear * (other - 0.5)).reshape(m, 2, d)
        return moments, PairSlopes(mean, variance, covariance)

    def preference(self, pairs: Array) -> tuple[Array, Array]:
        """Mean and variance (m,) of w = (f(second) - f(first)) / sqrt 2 at `pairs` (m, 2, d)."""
        mean, variance = self.pair_moments(pairs).difference()
        return SQRT_HALF * mean, 0.5 * variance

    def preferred(self, pairs: Array) -> tuple[Array, Array]:
        """Mean and sd (m,) of the probability that the second of each of `pairs` (m, 2, d) is preferred."""
        first, second = probability_moments(*self.preference(pairs))
        return first, np.sqrt(second)

    def _at(self, pairs: Array) -> tuple[Array, Array, Array]:
        """The stimuli (2m, d), pair after pair, c there (n, 2m), and k between the two of each (m,)."""
        stimuli = pairs.reshape(-1, pairs.shape[-1])
        covariance = self.covariance
        between = squared_exponential(covariance, pairs[:, 0], None, pairs[:, 1]) + covariance.constant
        if covariance.slopes is not None:
            between = between + ((pairs[:, 0] - 0.5) * (pairs[:, 1] - 0.5)) @ covariance.slopes
        return stimuli, self.cross(stimuli), between

    def _pair_moments(
        self, stimuli: Array, cross: Array, between: Array, reduced: Array | None = None
    ) -> PairMoments:
        m = len(between)
        if reduced is None:
            reduced = self.reduction @ cross
        variance = self.covariance.diagonal(stimuli) - np.einsum("ij,ij->j", cross, reduced)
        covariance = between - np.einsum("ij,ij->j", cross[:, ::2], reduced[:, 1::2])
        mean = cross.T @ self.weights
        return PairMoments(
            mean.reshape(m, 2), np.maximum(variance, SMALLEST_VARIANCE).reshape(m, 2), covariance
        )

    def _pulled(self, u: Array, both: Array, x: Array) -> Array:
        """The gradient (m, d) of u^T c(x) by x (m, d) for u (n, m) held; `both` is k(stimuli, x) (2n, m)."""
        signed = SQRT_HALF * np.concatenate([-u, u])
        weighted = signed * both
        out: Array = weighted.T @ self.x - weighted.sum(axis=0)[:, None] * x
        out /= np.square(self.covariance.lengthscales)
        if self.covariance.slopes is not None:
            out += (signed.T @ (self.x - 0.5)) * self.covariance.slopes
        return out

    def expecting(self, x: Array) -> PairwisePosterior:
        """As it will be when comparisons `x` (k, 2, d) have come: variance less, mean unchanged."""
        out = self
        for pair in np.asarray(x, dtype=float).reshape(-1, 2, self.x.shape[1]):
            tau = expected_information(*out.preference(pair[None]), 0.0, 0.0)
            n = len(out.root)
            stimuli = np.concatenate([out.x[:n], pair[:1], out.x[n:], pair[1:]])
            root = np.append(out.root, np.sqrt(tau))
            out = replace(out, x=stimuli, root=root, weights=np.append(out.weights, 0.0))
            inner = root[:, None] * out._prior() * root[None, :]
            inner[np.diag_indices_from(inner)] += 1.0
            out = replace(out, factor=cholesky(inner, lower=True, check_finite=False, overwrite_a=True))
        return out


def squared_exponential(
    covariance: Covariance, a: Array, b: Array | None, paired: Array | None = None
) -> Array:
    """The squared exponential part between the rows of a (n, d) and b (m, d), (n, m); or row by row, (n,)."""
    scaled = a / covariance.lengthscales
    if b is None:
        assert paired is not None
        gap = scaled - paired / covariance.lengthscales
        return np.asarray(covariance.variance * np.exp(-0.5 * np.einsum("ij,ij->i", gap, gap)))
    return Covariance(covariance.variance, covariance.lengthscales)(a, b)
