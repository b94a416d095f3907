"""The Gaussian posterior that every model with Gaussian sites ends in, in numpy.

Rasmussen & Williams 2006, eqs. 3.60 and 3.61: with sites of precision tau at the training inputs,
mean(x) = c + k(x)^T b and cov(x, x') = k(x, x') - k(x)^T S B^-1 S k(x').

Notation as in inference/expectation_propagation.py; m points asked about. A Gaussian outcome is a site with
tau = 1 / noise, so exact regression is the same object.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cholesky
from scipy.linalg.lapack import dtrtrs

from fechner.strategies.models.inference.binary_likelihood import expected_information
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.posteriors.latent import Draw
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import ndtr, ndtri, probability_moments

SMALLEST_VARIANCE = 1e-12


@dataclass(frozen=True)
class Posterior:
    """The posterior of the latent function.

    Attributes:
        covariance: the prior covariance function.
        mean: c, the prior mean.
        x: (n, d) training inputs in unit space; with many trials the places that stand for them
            (inference/inducing.py).
        root: (n,) square roots of the sites' precisions.
        factor: (n, n) L, the lower Cholesky factor of B.
        weights: (n,) b.
        binary: whether the outcome is y ~ Bernoulli(floor + (1 - floor - lapse) Phi(f)); else y ~ N(f,
            noise).
        floor, lapse, noise: of the likelihood.
        log_evidence: log P(y), approximate for binary outcomes.
    """

    covariance: Covariance
    mean: float
    x: Array
    root: Array
    factor: Array
    weights: Array
    binary: bool
    floor: float = 0.0
    lapse: float = 0.0
    noise: float = 0.0
    log_evidence: float = 0.0

    @property
    def rates(self) -> tuple[float, float]:
        """Guess and lapse rate."""
        return self.floor, self.lapse

    @property
    def gaussian(self) -> bool:
        """Whether f is taken for Gaussian."""
        return True

    @property
    def sloped(self) -> bool:
        """Whether it has derivatives by a place: `mean_with_slopes` and the covariance's `pulled_back`."""
        return True

    def space_named(self, named: str | None) -> str | None:
        """The space that a request means by `named`, or by none: of binary outcomes that of probabilities."""
        return "probability" if self.binary and named != "latent" else "latent"

    @property
    def places(self) -> Array:
        """The places (n, d) among `x` at which f itself is seen."""
        return self.x

    @property
    def smallest_variance(self) -> float:
        """The least that a variance is; outcomes that are not binary have units of their own."""
        return SMALLEST_VARIANCE * (1.0 if self.binary else self.covariance.variance)

    def sites(self) -> tuple[Array, Array]:
        """tau and nu (n,) of the sites, from which a nearby posterior may begin."""
        tau = np.square(self.root)
        return tau, self.weights + tau * (self.covariance(self.x, self.x) @ self.weights)

    def _half(self, cross: Array) -> Array:
        """L^-1 S k, (n, m), for a cross covariance k (m, n), which is overwritten."""
        cross *= self.root
        half, _ = dtrtrs(self.factor, cross.T, lower=1, overwrite_b=1)
        out: Array = half
        return out

    def latent(self, x: Array) -> tuple[Array, Array]:
        """Mean and variance of f at the rows of `x` (m, d), each (m,)."""
        mean, variance, _ = self.reduced(x)
        return mean, variance

    def joint(self, x: Array) -> tuple[Array, Array]:
        """Mean (m,) and covariance (m, m) of f at the rows of `x` (m, d)."""
        prior = self.covariance(x, x)
        if not len(self.x):
            return np.full(len(x), self.mean), prior
        cross = self.covariance(x, self.x)
        mean = self.mean + cross @ self.weights
        half = self._half(cross)
        return mean, prior - half.T @ half

    def samples(self, x: Array, draw: Draw) -> Array:
        """Joint samples (count, m) of f at the rows of `x` (m, d)."""
        return gaussian_samples(*self.joint(x), draw)

    def reduced(self, x: Array) -> tuple[Array, Array, Array]:
        """Mean (m,), variance (m,) and L^-1 S k(x) (n, m), from which covariances between sets follow."""
        if not len(self.x):
            return np.full(len(x), self.mean), self.covariance.diagonal(x), np.zeros((0, len(x)))
        cross = self.covariance(x, self.x)
        mean = self.mean + cross @ self.weights
        half = self._half(cross)
        variance = self.covariance.diagonal(x) - np.einsum("ij,ij->j", half, half)
        return mean, np.maximum(variance, self.smallest_variance), half

    def mean_with_slopes(self, x: Array, exponential: Array, cross: Array) -> tuple[Array, Array]:
        """Mean (m,) and its derivatives (m, d) at the rows of `x`, from k(x, X) and its exponential part."""
        weights = np.broadcast_to(self.weights, cross.shape)
        slopes = self.covariance.pulled_back(x, self.x, exponential, weights)
        return self.mean + cross @ self.weights, slopes

    def probability(self, latent: Array) -> Array:
        """The likelihood's P(y = 1 | f), elementwise."""
        out: Array = self.floor + (1.0 - self.floor - self.lapse) * ndtr(latent)
        return out

    def valued(self, latent: Array, space: str) -> Array:
        """The value of `latent` f in `space` (as in `moments`), elementwise; it never decreases."""
        return self.probability(latent) if self.binary and space != "latent" else latent

    def range(self) -> tuple[float, float]:
        """The values between which curves run in ``"outcome"`` space."""
        return (self.floor, 1.0 - self.lapse) if self.binary else (-np.inf, np.inf)

    def expected_precision(self, mean: Array, variance: Array) -> Array:
        """What an outcome where f has `mean` and `variance` (m,) brings, before it is seen."""
        if self.binary:
            return expected_information(mean, variance, self.floor, self.lapse)
        return np.array([1.0 / max(self.noise, 1e-9)])

    def latent_of(self, probability: float) -> float:
        """The f at which P(y = 1 | f) is `probability`; infinite outside the likelihood's range."""
        share = (probability - self.floor) / (1.0 - self.floor - self.lapse)
        return float(ndtri(min(max(share, 0.0), 1.0)))

    def moments(self, x: Array, space: str) -> tuple[Array, Array]:
        """Mean and sd (m,) at the rows of `x` in ``"latent"``, ``"probability"`` or ``"outcome"`` space."""
        return self.moments_of(*self.latent(x), space)

    def moments_of(self, mean: Array, variance: Array, space: str) -> tuple[Array, Array]:
        """Mean and sd in `space` where f has `mean` and `variance`, elementwise."""
        if not self.binary or space == "latent":
            return mean, np.sqrt(variance)
        first, second = probability_moments(mean, variance)
        rest = 1.0 - self.floor - self.lapse
        return self.floor + rest * first, rest * np.sqrt(second)

    def value_moments(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Mean and variance in ``"outcome"`` space where f has `mean` and `variance`, elementwise."""
        if not self.binary:
            return mean, variance
        first, second = probability_moments(mean, variance)
        rest = 1.0 - self.floor - self.lapse
        return self.floor + rest * first, rest * rest * second

    def outcome_probabilities(self, mean: Array, variance: Array) -> Array | None:
        """The probabilities (m, 2) of 0 and 1 where f has these; None if outcomes are not binary."""
        if not self.binary:
            return None
        yes, _ = self.moments_of(mean, variance, "probability")
        return np.stack([1.0 - yes, yes], axis=1)

    def predict(self, x: Array, space: str, interval: float = 0.95) -> tuple[Array, Array, Array, Array]:
        """Mean, sd and the central interval's lower and upper end (each (m,)) at the rows of `x` (m, d)."""
        mean, variance = self.latent(x)
        reach = float(ndtri(0.5 + interval / 2)) * np.sqrt(variance)
        lower, upper = mean - reach, mean + reach
        middle, sd = self.moments_of(mean, variance, space)
        return middle, sd, self.valued(lower, space), self.valued(upper, space)

    def expecting(self, x: Array) -> Posterior:
        """As it will be when outcomes at the rows of `x` (k, d) have come: variance less, mean unchanged.

        The points are taken one after the other, each with the information it brings in expectation.
        """
        out = self
        for row in np.asarray(x, dtype=float).reshape(-1, x.shape[-1]):
            point = row[None, :]
            mean, variance = out.latent(point)
            tau = out.expected_precision(mean, variance)
            root = float(np.sqrt(tau[0]))
            n = len(out.x)
            factor = np.zeros((n + 1, n + 1))
            factor[:n, :n] = out.factor
            if n:
                factor[n, :n] = root * out._half(out.covariance(point, out.x))[:, 0]
            factor[n, n] = np.sqrt(1.0 + root * root * variance[0])
            out = replace(
                out,
                x=np.vstack([out.x, point]),
                root=np.append(out.root, root),
                factor=factor,
                weights=np.append(out.weights, 0.0),
            )
        return out


def factorise(covariance: Array, root: Array) -> Array:
    """The lower Cholesky factor of B = I + S K S, from K (n, n) and the diagonal of S (n,)."""
    inner = root[:, None] * covariance * root[None, :]
    inner[np.diag_indices_from(inner)] += 1.0
    out: Array = cholesky(inner, lower=True, check_finite=False, overwrite_a=True)
    return out


def gaussian_samples(mean: Array, covariance: Array, draw: Draw) -> Array:
    """Samples (count, m) of N(mean, covariance)."""
    out: Array = mean + draw.normal(len(mean)) @ root_of(covariance).T
    return out


def root_of(covariance: Array) -> Array:
    """A square root (m, m) of a covariance of a smooth function, which is singular but for rounding."""
    size = float(np.max(np.diag(covariance)))
    for jitter in (1e-9, 1e-7):
        try:
            out: Array = cholesky(covariance + jitter * size * np.eye(len(covariance)), lower=True)
        except np.linalg.LinAlgError:
            continue
        return out
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
