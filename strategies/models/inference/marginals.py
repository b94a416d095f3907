"""The posterior's marginals from a prior covariance and Gaussian sites, which every sweep needs.

C. E. Rasmussen & C. K. I. Williams (2006), Gaussian Processes for Machine Learning, eqs. 3.53 and 3.68.

Notation, n trials: K (n, n) prior covariance; tau, nu (n,) natural parameters of the sites; B = I + S K S
with S = diag(sqrt tau), L its Cholesky factor; mu, sigma2 (n,) posterior mean and variance of h ~ N(0, K).
Where K is nearly of rank r < n / 2 (many trials in few dimensions), K = V V^T with V (n, r) from a pivoted
Cholesky factorisation, and A = I + V^T S^2 V takes the place of B.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dpstrf, dtrtrs

from fechner.strategies.numerics.arrays import Array

LOW_RANK_FROM = 80  # trials from which a low rank is looked for
RANK_TOLERANCE = 1e-8  # of the largest prior variance; what a pivoted factorisation may leave out


@dataclass(frozen=True)
class Marginals:
    """What a sweep needs of the posterior: mu, sigma2 (n,), log |B| / 2 and S B^-1 S, (n, n), on demand."""

    mu: Array
    sigma2: Array
    half_log_det: float
    precision: Callable[[], Array]


class Prior(Protocol):
    """The prior covariance, in the form that makes the posterior's marginals cheap."""

    def marginals(self, tau: Array, nu: Array) -> Marginals:
        """The marginals given the sites (R&W eqs. 3.53, 3.68)."""


class Full:
    """K as it is."""

    def __init__(self, covariance: Array) -> None:
        self.covariance = covariance
        self.diagonal = covariance.diagonal().copy()

    def marginals(self, tau: Array, nu: Array) -> Marginals:
        root = np.sqrt(tau)
        scaled = root[:, None] * self.covariance
        inner = scaled * root
        inner.flat[:: len(tau) + 1] += 1.0
        factor = _cholesky(inner)
        half, _ = dtrtrs(factor, scaled, lower=1)  # L^-1 S K
        sigma2 = np.maximum(self.diagonal - np.einsum("ij,ij->j", half, half), 1e-12)
        mu = self.covariance @ nu - half.T @ (half @ nu)

        def precision() -> Array:
            lower, _ = dpotri(factor, lower=1)
            inverse = np.tril(lower)
            inverse += np.tril(inverse, -1).T
            out: Array = root[:, None] * inverse * root
            return out

        return Marginals(mu, sigma2, float(np.sum(np.log(factor.diagonal()))), precision)


class LowRank:
    """K = V V^T."""

    def __init__(self, root: Array) -> None:
        self.root = root

    def marginals(self, tau: Array, nu: Array) -> Marginals:
        scaled = np.sqrt(tau)[:, None] * self.root
        inner = scaled.T @ scaled
        inner.flat[:: len(inner) + 1] += 1.0
        factor = _cholesky(inner)
        half, _ = dtrtrs(factor, self.root.T, lower=1)  # a root of the posterior covariance
        sigma2 = np.maximum(np.einsum("ij,ij->j", half, half), 1e-12)

        def precision() -> Array:
            weighted = half * tau
            out: Array = -(weighted.T @ weighted)
            out.flat[:: len(tau) + 1] += tau
            return out

        return Marginals(half.T @ (half @ nu), sigma2, float(np.sum(np.log(factor.diagonal()))), precision)


def _cholesky(matrix: Array) -> Array:
    """The lower Cholesky factor of a symmetric matrix, which is overwritten."""
    factor, info = dpotrf(matrix, lower=1, overwrite_a=1)
    if info != 0 or not np.isfinite(factor[-1, -1]):
        raise np.linalg.LinAlgError("the sites' covariance is not positive definite")
    out: Array = factor
    return out


def prior_of(covariance: Array) -> Prior:
    """K (n, n) as it is, or of low rank where that saves much."""
    n = len(covariance)
    if n >= LOW_RANK_FROM:
        largest = float(covariance.diagonal().max())
        factor, pivots, rank, _ = dpstrf(covariance, tol=RANK_TOLERANCE * largest, lower=1)
        if 0 < rank < n // 2:
            root = np.empty((n, rank))
            root[pivots - 1] = np.tril(factor)[:, :rank]
            return LowRank(root)
    return Full(covariance)
