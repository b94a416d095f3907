"""Normal probabilities: univariate, bivariate and the moments of a probability Phi(f).

Sources: A. Genz (2004), Numerical computation of rectangular bivariate and trivariate normal and t
probabilities, Statistics and Computing 14:251-260 (section 2.1: eq. 3 for |rho| < .925, eq. 6 beyond);
D. B. Owen (1956), Tables for computing bivariate normal probabilities (the T function).

Notation: Phi, phi distribution function and density of N(0, 1); h, k upper limits; rho correlation;
f ~ N(mu, s2) a latent value, p = Phi(f) its probability.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri, owens_t

from fechner.strategies.numerics.arrays import Array

LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)

__all__ = [
    "bivariate",
    "bivariate_excess",
    "bivariate_excess_slopes",
    "density",
    "excess_table",
    "gauss_legendre",
    "log_ndtr",
    "ndtr",
    "ndtri",
    "owens_t",
    "probability_moments",
    "table_nodes",
]


def density(z: Array) -> Array:
    """phi(z), elementwise."""
    out: Array = np.exp(-0.5 * z * z - LOG_SQRT_2PI)
    return out


@cache
def gauss_legendre(count: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1) / 2, weights / 2


def _excess_moderate(h: Array, k: Array, rho: Array, count: int) -> Array:
    """Genz 2004, eq. 3: the integral over theta in [0, asin rho]; for |rho| < .925."""
    nodes, weights = gauss_legendre(count)
    angle = np.arcsin(rho)
    hk = h * k
    half = 0.5 * (h * h + k * k)
    total = np.zeros_like(h)
    for node, weight in zip(nodes, weights, strict=True):
        sine = np.sin(angle * node)
        total += weight * np.exp((sine * hk - half) / (1 - sine * sine))
    return total * angle / (2 * np.pi)


def _bivariate_strong(h: Array, k: Array, rho: Array) -> Array:
    """Genz 2004, eq. 6: P(X <= h, Y <= k) for |rho| >= .925, a Taylor part plus a smooth remainder."""
    # by symmetry the lower-left probability is the upper-right one at (-h, -k)
    x, y = -h, -k
    negative = rho < 0
    y = np.where(negative, -y, y)
    xy = x * y
    one_minus = np.maximum((1 - rho) * (1 + rho), 0.0)
    root = np.sqrt(one_minus)
    safe_root = np.where(root > 0, root, 1.0)
    gap_squared = (x - y) ** 2
    gap = np.abs(x - y)
    c = (4 - xy) / 8
    d = (12 - xy) / 80
    with np.errstate(over="ignore", under="ignore"):
        exponent = -(gap_squared / np.where(one_minus > 0, one_minus, 1.0) + xy) / 2
        taylor = np.where(
            exponent > -100,
            root
            * np.exp(np.maximum(exponent, -100))
            * (1 - c * (gap_squared - one_minus) * (1 - d * gap_squared) / 3 + c * d * one_minus**2),
            0.0,
        )
        taylor -= np.where(
            xy > -100,
            np.exp(-np.maximum(xy, -100) / 2)
            * np.sqrt(2 * np.pi)
            * ndtr(-gap / safe_root)
            * gap
            * (1 - c * gap_squared * (1 - d * gap_squared) / 3),
            0.0,
        )
        nodes, weights = gauss_legendre(20)
        remainder = np.zeros_like(x)
        for node, weight in zip(nodes, weights, strict=True):
            squared = (root * node) ** 2
            safe = np.where(squared > 0, squared, 1.0)
            exponent = -(gap_squared / safe + xy) / 2
            series = 1 + c * squared * (1 + 5 * d * squared)
            cosine = np.sqrt(1 - squared)
            exact = np.exp(-(xy / 2) * squared / (1 + cosine) ** 2) / cosine
            remainder += np.where(
                exponent > -100, weight * np.exp(np.maximum(exponent, -100)) * (series - exact), 0.0
            )
        part = np.where(root > 0, (root * remainder - taylor) / (2 * np.pi), 0.0)
    positive_answer = part + ndtr(-np.maximum(x, y))
    width = np.where(x < 0, ndtr(y) - ndtr(x), ndtr(-x) - ndtr(-y))
    negative_answer = np.where(x >= y, -part, width - part)
    return np.clip(np.where(negative, negative_answer, positive_answer), 0.0, 1.0)


def bivariate_excess(h: Array, k: Array, rho: Array) -> Array:
    """P(X <= h, Y <= k) - Phi(h) Phi(k) for standard normals of correlation rho, elementwise.

    The arrays are broadcast against each other. The excess is computed directly where |rho| < .925, so
    that small dependences don't drown in rounding.
    """
    h, k, rho = np.broadcast_arrays(
        np.asarray(h, dtype=float), np.asarray(k, dtype=float), np.asarray(rho, dtype=float)
    )
    shape = h.shape
    h, k = (np.clip(v.ravel(), -40.0, 40.0) for v in (h, k))
    rho = np.clip(rho.ravel(), -1.0, 1.0)
    size = np.abs(rho)
    out = np.zeros_like(h)
    edges = ((0.0, 0.3, 6), (0.3, 0.75, 12), (0.75, 0.925, 20))
    for low, high, count in edges:
        chosen = np.flatnonzero((size >= low) & (size < high))
        if chosen.size:
            out[chosen] = _excess_moderate(h[chosen], k[chosen], rho[chosen], count)
    chosen = np.flatnonzero(size >= 0.925)
    if chosen.size:
        a, b = h[chosen], k[chosen]
        out[chosen] = _bivariate_strong(a, b, rho[chosen]) - ndtr(a) * ndtr(b)
    return out.reshape(shape)


#: Up to which |rho| so many nodes give the excess within 1e-8.
_TABLE_NODES = ((0.3, 4), (0.5, 5), (0.7, 7), (0.8, 10), (0.925, 16))


def table_nodes(largest: float) -> int:
    """Nodes with which `excess_table` integrates where no |rho| is beyond `largest`, or beyond .925."""
    return next((count for most, count in _TABLE_NODES if largest <= most), 16)


def excess_table(h: Array, k: Array, rho: Array) -> Array:
    """P(X <= h, Y <= k) - Phi(h) Phi(k) within 1e-8, for h (m, 1) and k (n,) or the like and rho (m, n).

    The integral over the correlation (Genz 2004, eq. 2) with as many nodes as the largest |rho| needs, in
    passes over the whole table; what lies beyond .925 is computed by `bivariate_excess`.
    """
    largest = float(np.max(np.abs(rho), initial=0.0))
    strong: np.ndarray[Any, np.dtype[np.bool_]] | None = None
    if largest > 0.925:
        strong = np.abs(rho) > 0.925
        mild = np.where(strong, 0.0, rho)
    else:
        mild = rho
    nodes, weights = gauss_legendre(table_nodes(largest))
    product, half = h * k, 0.5 * (h * h + k * k)
    out = np.zeros_like(rho)
    for node, weight in zip(nodes, weights / (2 * np.pi), strict=True):
        part = mild * node
        left = 1.0 - part * part
        part *= product
        part -= half
        part /= left
        np.exp(part, out=part)
        np.sqrt(left, out=left)
        part /= left
        part *= weight
        out += part
    out *= mild
    if strong is not None:
        wide_h, wide_k = np.broadcast_to(h, rho.shape), np.broadcast_to(k, rho.shape)
        out[strong] = bivariate_excess(wide_h[strong], wide_k[strong], rho[strong])
    return out


def bivariate_excess_slopes(h: Array, k: Array, rho: Array) -> tuple[Array, Array]:
    """Derivatives of P(X <= h, Y <= k) - Phi(h) Phi(k) by k and by rho, elementwise, for |rho| < 1.

    By k: phi(k) (Phi((h - rho k) / sqrt(1 - rho^2)) - Phi(h)); by rho: the bivariate density.
    """
    left = np.maximum(1.0 - rho * rho, 1e-12)
    root = np.sqrt(left)
    by_k = density(k) * (ndtr((h - rho * k) / root) - ndtr(h))
    by_rho = np.exp(-(h * h + k * k - 2.0 * rho * h * k) / (2.0 * left)) / (2 * np.pi * root)
    return by_k, by_rho


def bivariate(h: Array, k: Array, rho: Array) -> Array:
    """P(X <= h, Y <= k) for standard normals of correlation rho, elementwise, any -1 <= rho <= 1."""
    out: Array = np.clip(bivariate_excess(h, k, rho) + ndtr(h) * ndtr(k), 0.0, 1.0)
    return out


def probability_moments(mean: Array, variance: Array) -> tuple[Array, Array]:
    """Mean and variance of Phi(f), f ~ N(mean, variance), elementwise.

    E = Phi(h) with h = mean / sqrt(1 + s2); E[Phi(f)^2] = Phi_2(h, h; s2 / (1 + s2))
    = Phi(h) - 2 T(h, 1 / sqrt(1 + 2 s2)) with Owen's T.
    """
    h = mean / np.sqrt(1 + variance)
    first = ndtr(h)
    spread = first * ndtr(-h) - 2 * owens_t(h, 1 / np.sqrt(1 + 2 * variance))
    return first, np.maximum(spread, 0.0)
