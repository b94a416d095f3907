"""Noisy expected improvement of a utility: the two stimuli of a pair, one after the other.

B. Letham, B. Karrer, G. Ottoni & E. Bakshy (2019), Constrained Bayesian optimization with noisy experiments,
Bayesian Analysis 14:495-519 (section 3: the expectation over the utilities at the stimuli seen, the rest in
closed form); S. Ament et al. (2023), Unexpected improvements to expected improvement, NeurIPS (its
logarithm). For a pair the improvement of the better stimulus counts: the first is the best alone, the second
the best once the first belongs to the stimuli to be improved on, the sequential maximum of
qNoisyExpectedImprovement.

Notation: Z (k, d) stimuli that may be the best one; F (S, k) joint posterior samples of f there, of
covariance C = R R^T; best_s = max_j F_sj; f(x) given F_s ~ N(m_s(x), v(x)); h(r) = phi(r) + r Phi(r);
EI_s(x) = sqrt(v) h(r_s) with r_s = (m_s - best_s) / sqrt(v); the value is log mean_s EI_s. c(x), A and beta
as in posteriors/pairwise.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.special import erfcx

from fechner.strategies.models.kernels.categories import flattened
from fechner.strategies.models.kernels.covariance import pulled, smooth_part
from fechner.strategies.models.posteriors.pairwise import SQRT_HALF, PairwisePosterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import LOG_SQRT_2PI, density, log_ndtr, ndtr
from fechner.strategies.numerics.randomness import rng

SAMPLES = 64
CONTESTS = 256
MOST_CONTENDERS = 12
APART = 0.5  # length scales; of nearer stimuli one stands for all


def contenders(posterior: PairwisePosterior, pending: Array, seed: int) -> Array:
    """The stimuli (k, d), told or `pending` (j, d), that win most often among 256 joint samples of f.

    At most 12, half a length scale or more apart: given the utility at many near ones f is known so well that
    64 samples would decide about everything. The middle of the box where there are no stimuli at all.
    """
    x = np.unique(np.concatenate([posterior.x, pending]), axis=0)
    if not len(x):
        return np.full((1, posterior.x.shape[1]), 0.5)
    mean, covariance = posterior.joint(x)
    normal = rng(seed, "contenders").standard_normal((CONTESTS, len(x)))
    samples = mean + normal @ _root(covariance).T
    wins = np.bincount(samples.argmax(axis=1), minlength=len(x))
    scaled = x / posterior.covariance.lengthscales
    chosen: list[int] = []
    for index in np.argsort(-wins, kind="stable"):
        if wins[index] == 0 or len(chosen) == MOST_CONTENDERS:
            break
        if all(np.sum(np.square(scaled[index] - scaled[other])) >= APART**2 for other in chosen):
            chosen.append(int(index))
    out: Array = x[chosen]
    return out


def log_expected_improvement(
    posterior: PairwisePosterior, baseline: Array, seed: int
) -> tuple[Callable[[Array], Array], Callable[[Array], tuple[Array, Array]]]:
    """log EI over `baseline` (k, d), as functions of (m, d): values (m,), and with gradients (m, d)."""
    covariance = posterior.covariance
    cross_z = posterior.cross(baseline)
    reduced_z = posterior.reduction @ cross_z
    mean_z = cross_z.T @ posterior.weights
    root = _root(covariance(baseline, baseline) - cross_z.T @ reduced_z)
    half_normal = rng(seed, "utilities").standard_normal((SAMPLES // 2, len(baseline)))
    normal = np.concatenate([half_normal, -half_normal])  # antithetic
    best = (mean_z + normal @ root.T).max(axis=1)
    alpha = solve_triangular(root, normal.T, lower=True, trans=1, check_finite=False)  # (k, S)
    along = posterior.weights[:, None] - reduced_z @ alpha  # (n, S)
    least = 1e-10 * covariance.variance

    def parts(x: Array) -> tuple[Array, ...]:
        cross = posterior.cross(x)
        to_z = covariance(baseline, x)
        reduced = posterior.reduction @ cross
        half = solve_triangular(root, to_z - reduced_z.T @ cross, lower=True, check_finite=False)
        variance = covariance.diagonal(x) - np.einsum("ij,ij->j", cross, reduced)
        sd = np.sqrt(np.maximum(variance - np.einsum("ij,ij->j", half, half), least))
        r = (to_z.T @ alpha + cross.T @ along - best) / sd[:, None]
        log_h = log_improvement(r)
        top = log_h.max(axis=1)
        total = np.exp(log_h - top[:, None]).sum(axis=1)
        value = np.log(sd) + top + np.log(total / SAMPLES)
        return value, sd, r, top + np.log(total), half, reduced

    def values(x: Array) -> Array:
        return parts(x)[0]

    def gradients(x: Array) -> tuple[Array, Array]:
        value, sd, r, log_total, half, reduced = parts(x)
        # p_s Phi / h and p_s phi / h, p_s the share of sample s, in which h cancels
        by_mean = np.exp(log_ndtr(r) - log_total[:, None]) / sd[:, None]
        by_variance = np.exp(-0.5 * r * r - LOG_SQRT_2PI - log_total[:, None]).sum(axis=1) / (2.0 * sd**2)
        back = solve_triangular(root, half, lower=True, trans=1, check_finite=False)
        on_z = alpha @ by_mean.T - 2.0 * by_variance * back
        on_c = along @ by_mean.T + 2.0 * by_variance * (reduced_z @ back - reduced)
        signed = SQRT_HALF * np.concatenate([-on_c, on_c])
        slope = pulled(covariance, posterior.x, x, signed, smooth_part(covariance, posterior.x, x))
        slope += pulled(covariance, baseline, x, on_z, smooth_part(covariance, baseline, x))
        if covariance.slopes is not None:
            slope += by_variance[:, None] * 2.0 * covariance.slopes * (x - 0.5)
        return value, flattened(slope, covariance.categories)

    return values, gradients


def log_improvement(r: Array) -> Array:
    """log(phi(r) + r Phi(r)), elementwise, accurate far below zero (there it is phi(r) / r^2 or so)."""
    out = np.empty_like(r)
    high, low = r > -1.0, r < -100.0
    middle = ~(high | low)
    near = r[high]
    out[high] = np.log(density(near) + near * ndtr(near))
    far = r[middle]
    mills = np.sqrt(0.5 * np.pi) * erfcx(-np.sqrt(0.5) * far)  # Phi / phi
    out[middle] = np.log1p(far * mills) - 0.5 * far * far - LOG_SQRT_2PI
    square = np.square(r[low])
    out[low] = np.log1p(-3.0 / square) - np.log(square) - 0.5 * square - LOG_SQRT_2PI
    return out


def _root(covariance: Array) -> Array:
    """A lower triangular root of a joint posterior covariance (k, k), which may be nearly singular."""
    size = float(np.max(np.diag(covariance)))
    for jitter in (1e-9, 1e-7, 1e-5):
        try:
            out: Array = cholesky(
                covariance + jitter * size * np.eye(len(covariance)), lower=True, check_finite=False
            )
        except np.linalg.LinAlgError:
            continue
        return out
    raise np.linalg.LinAlgError("the posterior covariance of the stimuli is not positive definite")
