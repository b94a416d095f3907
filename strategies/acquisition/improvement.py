"""Noisy expected improvement for finding the best point (qLogNoisyExpectedImprovement), without torch.

S. Ament et al. (2023), Unexpected improvements to expected improvement for Bayesian optimization, NeurIPS
(eq. 9 and appendix A.1: log h); B. Letham, B. Karrer, G. Ottoni & E. Bakshy (2019), Constrained Bayesian
optimization with noisy experiments, Bayesian Analysis 14:495-519 (eq. 5). What is maximised is
log E[max(f(x) - max_b f(b), 0)] over the joint posterior of f at x and at the baseline. The expectation over
f(x) given f at the baseline has a closed form, so that only the baseline is sampled: the same function as
with samples of both, with less noise.

Notation: b (k, d) the baseline: the inputs so far that may be the best one, and those whose outcomes are not
known yet; S samples f_s = mu_b + R z_s (k,), R R^T their posterior covariance C; c(x) = cov(b, x) (k,);
f(x) | f_s ~ N(m_s, v): m_s = mu(x) + c^T C^-1 (f_s - mu_b), v = var(x) - c^T C^-1 c; u_s = (m_s - max f_s) /
sqrt v; h(u) = phi(u) + u Phi(u).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.special import erfcx

from fechner.strategies.acquisition.acquisition import SAMPLED, Acquisition, made
from fechner.strategies.acquisition.slopes import Climbing, Gradients, Values
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import log_ndtr, ndtr, ndtri
from fechner.strategies.numerics.randomness import key, rng
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

SAMPLES = 128
MOST_CONTENDERS = 64
JITTER = 1e-6  # of the baseline's largest variance
LOG_SQRT_2PI = 0.5 * float(np.log(2 * np.pi))


def contenders(posterior: Posterior, seed: int) -> Array:
    """The training inputs (k, d) that win at least one of 1,024 joint samples of f, at most 64 of them."""
    x = np.unique(posterior.places, axis=0)
    if not len(x):
        return np.full((1, x.shape[1]), 0.5)
    mean, covariance = posterior.joint(x)
    values, vectors = np.linalg.eigh(covariance)
    normal = rng(seed, "baseline").standard_normal((1024, len(x)))
    samples = mean + (normal * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    wins = np.bincount(samples.argmax(axis=1), minlength=len(x))
    best = np.sort(np.argsort(-wins, kind="stable")[:MOST_CONTENDERS])
    out: Array = x[best[wins[best] > 0]]
    return out


def log_h(u: Array) -> Array:
    """log(phi(u) + u Phi(u)), elementwise, accurate far below zero too (Ament et al. 2023, eq. 14)."""
    out = np.empty_like(u)
    high = u > -1.0
    some = u[high]
    out[high] = np.log(np.exp(-0.5 * some * some - LOG_SQRT_2PI) + some * ndtr(some))
    low = -u[~high]
    # 1 - |u| Phi(u) / phi(u), which goes like 1 / u^2
    rest = 1.0 - low * np.sqrt(np.pi / 2) * erfcx(low / np.sqrt(2.0))
    log_rest = np.where(low < 1e4, np.log(np.maximum(rest, 1e-300)), -2.0 * np.log(low))
    out[~high] = -0.5 * low * low - LOG_SQRT_2PI + log_rest
    return out


def build(
    component: Component, posterior: Posterior, *, seed: int, pending: Array, around: object
) -> Acquisition:
    """(q)(Log)NoisyExpectedImprovement."""
    return made(log_noisy_expected_improvement(posterior, pending, key(seed, "samples")), SAMPLED)


def log_noisy_expected_improvement(
    posterior: Posterior, pending: Array, seed: int
) -> tuple[Values, Gradients]:
    """Values of (m, d) points, and their values with gradients, as functions; `pending` is (p, d)."""
    baseline = np.vstack([contenders(posterior, seed), pending])
    mean_b, covariance_b = posterior.joint(baseline)
    largest = float(np.max(np.diag(covariance_b)))
    root = cholesky(covariance_b + JITTER * largest * np.eye(len(baseline)), lower=True)
    cube = sobol(key(seed, "normal"), len(baseline), 0, SAMPLES)
    normal = ndtri(np.clip(cube, 1e-9, 1.0 - 1e-9)).T  # (k, S)
    best = (mean_b[:, None] + root @ normal).max(axis=0)
    solved = solve_triangular(root, normal, lower=True, trans="T")  # C^-1 (f_s - mu_b)
    least = 1e-6 * np.sqrt(float(np.max(posterior.covariance.diagonal(baseline))))
    prepared: list[Climbing] = []
    _, _, half_b = posterior.reduced(baseline)

    def inner(mean: Array, variance: Array, cross: Array) -> tuple[Array, Array, Array]:
        """log EI (m, S) given each sample, u (m, S) and sd (m, 1)."""
        share = solve_triangular(root, cross.T, lower=True)
        left = variance - np.einsum("ij,ij->j", share, share)
        sd = np.sqrt(np.maximum(left, least**2))[:, None]
        u = (mean[:, None] + cross @ solved - best) / sd
        return np.log(sd) + log_h(u), u, sd

    def log_mean(logs: Array) -> tuple[Array, Array]:
        """log of the mean over samples, and each sample's share in it."""
        top = logs.max(axis=1, keepdims=True)
        shares = np.exp(logs - top)
        total = shares.sum(axis=1, keepdims=True)
        return (top + np.log(total / SAMPLES))[:, 0], shares / total

    def values(x: Array) -> Array:
        mean, variance, half = posterior.reduced(x)
        cross = posterior.covariance(x, baseline) - half.T @ half_b
        return log_mean(inner(mean, variance, cross)[0])[0]

    def gradients(x: Array) -> tuple[Array, Array]:
        if not prepared:
            prepared.append(Climbing(posterior, baseline))
        at = prepared[0].moments(x)
        cross, pulled = prepared[0].covariance(at)
        logs, u, sd = inner(at.mean, at.variance, cross)
        value, shares = log_mean(logs)
        log_level = logs - np.log(sd)  # log h(u)
        by_means = shares * np.exp(log_ndtr(u) - log_level) / sd
        by_sd = (shares * np.exp(-0.5 * u * u - LOG_SQRT_2PI - log_level)).sum(axis=1) / sd[:, 0]
        by_left = np.where(sd[:, 0] > least, by_sd / (2.0 * sd[:, 0]), 0.0)
        whole = solve_triangular(root, solve_triangular(root, cross.T, lower=True), lower=True, trans="T").T
        by_cross = by_means @ solved.T - 2.0 * by_left[:, None] * whole
        return value, at.pulled(by_means.sum(axis=1), by_left) + pulled(by_cross)

    return values, gradients
