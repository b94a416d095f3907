"""The posterior of a utility f from comparisons of two stimuli, in numpy.

W. Chu & Z. Ghahramani (2005), Preference learning with Gaussian processes, ICML: P(second preferred) =
Phi((f(b) - f(a)) / sqrt 2), each utility seen with unit noise. With w = (f(b) - f(a)) / sqrt 2 this is a
probit in w, whose prior covariance follows from that of f, so Gaussian sites of w (Rasmussen & Williams 2006,
eqs. 3.60 and 3.61) give the posterior of f through the covariance of f(x) and w.

Notation: n comparisons; a, b (n, d) their first and second stimuli; c(x) (n,) = (k(x, b) - k(x, a)) / sqrt 2,
the prior covariance of f(x) and w; K (n, n) the one of w; tau, nu (n,) the sites, S^2 = diag(tau);
mean(x) = c(x)^T beta with beta (n,) the weights; cov(x, x') = k(x, x') - c(x)^T A c(x') with A (n, n) =
(K + S^-2)^-1. m points or pairs are asked about.

Comparisons tell f up to a constant only. What is reported of a single stimulus is therefore f(x) less its
average over the unit box, g(x) = f(x) - int f, in closed form: cov(g(x), g(x')) = k(x, x') - r(x) - r(x') + q
with r(x) = int k(x, u) du and q = int r. Differences, and where a maximum lies, are the same of f and g.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fechner.strategies.models.inference.binary_likelihood import expected_information
from fechner.strategies.models.kernels.averages import box_average, box_variance
from fechner.strategies.models.kernels.categories import centred, coded, flattened, spread
from fechner.strategies.models.kernels.covariance import Covariance, pulled, smooth_part
from fechner.strategies.models.posteriors.latent import Draw
from fechner.strategies.models.posteriors.posterior import gaussian_samples
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import ndtr, ndtri, probability_moments

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
    """Derivatives of `PairMoments` by the coordinates of the pairs.

    Attributes:
        mean, variance: (m, 2, d), of each stimulus by its own coordinates.
        covariance: (m, 2, d), by the coordinates of either.
    """

    mean: Array
    variance: Array
    covariance: Array


@dataclass(frozen=True)
class PairwisePosterior:
    """The posterior of the utility f.

    A single stimulus' probability is that of being preferred to one of average utility, Phi(g / sqrt 2).

    Attributes:
        covariance: the prior covariance function.
        x: (2n, d) stimuli in unit space: the n first ones, then the n second ones.
        tau, nu: (n,) natural parameters of the sites of w.
        weights: (n,) beta.
        reduction: (n, n) A.
        log_evidence: approximate log P(y).
    """

    covariance: Covariance
    x: Array
    tau: Array
    nu: Array
    weights: Array
    reduction: Array
    log_evidence: float = 0.0

    @property
    def rates(self) -> tuple[float, float]:
        """Comparisons are neither guessed nor missed."""
        return 0.0, 0.0

    @property
    def gaussian(self) -> bool:
        """Whether f is taken for Gaussian."""
        return True

    def space_named(self, named: str | None) -> str | None:
        """The space that a request means by `named`, or by none: the utility's."""
        return "latent" if named in (None, "latent") else "probability"

    def sites(self) -> tuple[Array, Array]:
        """tau and nu (n,) of the sites of w, from which a nearby posterior may begin."""
        return self.tau, self.nu

    def cross(self, x: Array) -> Array:
        """c (n, m) at the rows of `x` (m, d)."""
        return self._cross(x, smooth_part(self.covariance, self.x, x))

    def _cross(self, x: Array, both: Array) -> Array:
        """c (n, m) from the squared exponential part between the stimuli and `x`, (2n, m)."""
        n = len(self.tau)
        out: Array = both[n:] - both[:n]
        if self.covariance.slopes is not None:
            categories = self.covariance.categories
            if not categories:
                out += ((self.x[n:] - self.x[:n]) * self.covariance.slopes) @ (x - 0.5).T
            else:
                gap = centred(self.x[n:], categories) - centred(self.x[:n], categories)
                out += (gap * spread(self.covariance.slopes, categories)) @ centred(x, categories).T
        out *= SQRT_HALF
        return out

    def latent(self, x: Array) -> tuple[Array, Array]:
        """Mean and variance of g at the rows of `x` (m, d), each (m,)."""
        cross = self._centred(x)
        variance = self.covariance.diagonal(x) - self.covariance.constant
        variance += self._average[1] - 2.0 * box_average(self.covariance, x)
        variance -= np.einsum("ij,ij->j", cross, self.reduction @ cross)
        return cross.T @ self.weights, np.maximum(variance, SMALLEST_VARIANCE)

    def joint(self, x: Array) -> tuple[Array, Array]:
        """Mean (m,) and covariance (m, m) of g at the rows of `x` (m, d)."""
        cross = self._centred(x)
        average = box_average(self.covariance, x)
        prior = self.covariance(x, x) - self.covariance.constant
        prior += self._average[1] - average[:, None] - average[None, :]
        return cross.T @ self.weights, prior - cross.T @ (self.reduction @ cross)

    def samples(self, x: Array, draw: Draw) -> Array:
        """Joint samples (count, m) of g at the rows of `x` (m, d)."""
        return gaussian_samples(*self.joint(x), draw)

    def outcome_probabilities(self, mean: Array, variance: Array) -> Array | None:
        """None: a single stimulus has no outcome."""
        return None

    def _centred(self, x: Array) -> Array:
        """The prior covariance (n, m) of w and g at the rows of `x` (m, d)."""
        return self.cross(x) - self._average[0][:, None]

    @cached_property
    def _average(self) -> tuple[Array, float]:
        """The prior covariance of w and int f (n,), and q, both less the covariance's constant."""
        n = len(self.tau)
        average = box_average(self.covariance, self.x)
        return SQRT_HALF * (average[n:] - average[:n]), box_variance(self.covariance)

    def probability(self, latent: Array) -> Array:
        """The probability of being preferred to average utility at g, elementwise."""
        out: Array = ndtr(SQRT_HALF * latent)
        return out

    def valued(self, latent: Array, space: str) -> Array:
        """The value of `latent` f in `space`, elementwise."""
        return latent if space == "latent" else self.probability(latent)

    def range(self) -> tuple[float, float]:
        """The probabilities between which curves run."""
        return 0.0, 1.0

    def latent_of(self, probability: float) -> float:
        """The g at which `probability` returns this; infinite at 0 and 1."""
        return float(ndtri(min(max(probability, 0.0), 1.0))) / SQRT_HALF

    def moments(self, x: Array, space: str) -> tuple[Array, Array]:
        """Mean and sd (m,) at the rows of `x` in ``"latent"``, ``"probability"`` or ``"outcome"`` space."""
        return self.moments_of(*self.latent(x), space)

    def moments_of(self, mean: Array, variance: Array, space: str) -> tuple[Array, Array]:
        """Mean and sd in `space` where f has `mean` and `variance`, elementwise."""
        if space == "latent":
            return mean, np.sqrt(variance)
        first, second = probability_moments(SQRT_HALF * mean, 0.5 * variance)
        return first, np.sqrt(second)

    def predict(self, x: Array, space: str, interval: float = 0.95) -> tuple[Array, Array, Array, Array]:
        """Mean, sd and the central interval's lower and upper end (each (m,)) at the rows of `x` (m, d)."""
        mean, variance = self.latent(x)
        reach = float(ndtri(0.5 + interval / 2)) * np.sqrt(variance)
        if space == "latent":
            return mean, np.sqrt(variance), mean - reach, mean + reach
        middle, sd = self.moments(x, space)
        return middle, sd, self.probability(mean - reach), self.probability(mean + reach)

    def pair_moments(self, pairs: Array) -> PairMoments:
        """The posterior of f at both stimuli of `pairs` (m, 2, d)."""
        stimuli, _, cross, between = self._at(pairs)
        return self._pair_moments(stimuli, cross, self.reduction @ cross, between)

    def pair_slopes(self, pairs: Array) -> tuple[PairMoments, PairSlopes]:
        """`pair_moments`, and the derivatives by the coordinates of `pairs` (m, 2, d)."""
        shape = pairs.shape
        stimuli, both, cross, between = self._at(pairs)
        reduced = self.reduction @ cross
        moments = self._pair_moments(stimuli, cross, reduced, between)
        opposite = reduced.reshape(-1, shape[0], 2)[:, :, ::-1].reshape(reduced.shape)
        weights = np.broadcast_to(self.weights[:, None], cross.shape)
        by_mean = self._pulled(weights, both, stimuli).reshape(shape)
        by_variance = self._pulled(-2.0 * reduced, both, stimuli).reshape(shape)
        by_covariance = self._pulled(-opposite, both, stimuli).reshape(shape)
        other = pairs[:, ::-1]
        near = self._smooth_between(pairs)[:, None, None]
        by_covariance += near * (other - pairs) / np.square(self.covariance.lengthscales)
        categories = self.covariance.categories
        if self.covariance.slopes is not None:
            by_variance += 2.0 * self.covariance.slopes * (pairs - 0.5)
            by_covariance += self.covariance.slopes * (other - 0.5)
        along = (flattened(by, categories) for by in (by_mean, by_variance, by_covariance))
        return moments, PairSlopes(*along)

    def preference(self, pairs: Array) -> tuple[Array, Array]:
        """Mean and variance (m,) of w = (f(second) - f(first)) / sqrt 2 at `pairs` (m, 2, d)."""
        mean, variance = self.pair_moments(pairs).difference()
        return SQRT_HALF * mean, 0.5 * variance

    def preferred(self, pairs: Array) -> tuple[Array, Array]:
        """Mean and sd (m,) of the probability that the second stimulus of `pairs` (m, 2, d) is preferred."""
        first, second = probability_moments(*self.preference(pairs))
        return first, np.sqrt(second)

    def expecting(self, pairs: Array) -> PairwisePosterior:
        """As it will be when outcomes of `pairs` (k, 2, d) have come: variance less, mean unchanged.

        The pairs are taken one after the other, each with the information it brings in expectation.
        """
        out = self
        for pair in pairs:
            mean, variance = out.preference(pair[None])
            tau = expected_information(mean, variance, 0.0, 0.0)
            cross = out.cross(pair)
            gain = out.reduction @ (SQRT_HALF * (cross[:, 1] - cross[:, 0]))
            size = float(1.0 / tau[0] + variance[0])
            n = len(out.tau)
            reduction = np.empty((n + 1, n + 1))  # the inverse of a matrix with one more row and column
            reduction[:n, :n] = out.reduction + np.outer(gain, gain) / size
            reduction[n, :n] = reduction[:n, n] = -gain / size
            reduction[n, n] = 1.0 / size
            out = replace(
                out,
                x=np.concatenate([out.x[:n], pair[:1], out.x[n:], pair[1:]]),
                tau=np.append(out.tau, tau),
                nu=np.append(out.nu, 0.0),
                weights=np.append(out.weights, 0.0),
                reduction=reduction,
            )
        return out

    def _at(self, pairs: Array) -> tuple[Array, Array, Array, Array]:
        """The stimuli (2m, d), pair after pair; between them and those told the squared exponential part
        (2n, 2m) and c (n, 2m); k between the two of each pair (m,)."""
        between = self._smooth_between(pairs) + self.covariance.constant
        if self.covariance.slopes is not None:
            categories, slopes = self.covariance.categories, self.covariance.slopes
            first, second = centred(pairs[:, 0], categories), centred(pairs[:, 1], categories)
            between = between + (first * second) @ (spread(slopes, categories) if categories else slopes)
        stimuli = pairs.reshape(-1, pairs.shape[-1])
        both = smooth_part(self.covariance, self.x, stimuli)
        return stimuli, both, self._cross(stimuli, both), between

    def _smooth_between(self, pairs: Array) -> Array:
        """The squared exponential part between the two of each pair (m,)."""
        gap, scales = pairs[:, 1] - pairs[:, 0], self.covariance.lengthscales
        categories = self.covariance.categories
        if categories:
            gap = coded(pairs[:, 1], categories) - coded(pairs[:, 0], categories)
            scales = spread(scales, categories)
        gap = gap / scales
        return np.asarray(self.covariance.variance * np.exp(-0.5 * np.einsum("ij,ij->i", gap, gap)))

    def _pair_moments(self, stimuli: Array, cross: Array, reduced: Array, between: Array) -> PairMoments:
        m = len(between)
        variance = self.covariance.diagonal(stimuli) - np.einsum("ij,ij->j", cross, reduced)
        covariance = between - np.einsum("ij,ij->j", cross[:, ::2], reduced[:, 1::2])
        mean = (cross.T @ self.weights).reshape(m, 2)
        return PairMoments(mean, np.maximum(variance, SMALLEST_VARIANCE).reshape(m, 2), covariance)

    def _pulled(self, u: Array, both: Array, x: Array) -> Array:
        """The gradient (m, d) of u^T c(x) by the rows of x (m, d), u (n, m) held; both is k(stimuli, x)."""
        signed = SQRT_HALF * np.concatenate([-u, u])
        return pulled(self.covariance, self.x, x, signed, both)
