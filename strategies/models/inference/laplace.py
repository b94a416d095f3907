"""Laplace's approximation for f = exp(g) (x + o), where o and g are Gaussian processes of the context.

C. E. Rasmussen & C. K. I. Williams (2006), section 3.4 and eqs. 5.20 to 5.24 (evidence and its gradient), of
two functions and an f that is not linear in them. The curvature of the likelihood is that by f, carried over
by the Jacobian: f's own second derivatives are left out, as in Fisher scoring, since their weights, the
derivatives of log P(y | f), average out (generalised Gauss-Newton; A. Immer, M. Korzepa & M. Bauer 2021,
Improving predictions of Bayesian neural nets via local linearization, AISTATS). So the posterior is that of
the linear model f(u) + J (u' - u) at the mode u, and everything is of n by n matrices. With a guess or lapse
rate the curvature by f is the expected one, as P(y | f) is not log-concave there.

Notation, n trials: u = (o, g), m their prior means, K_o, K_g (n, n) prior covariances, K both; a = df/do =
exp(g), b = df/dg = f, J = (diag a, diag b); t = d log P / df, w (n,) minus its derivative (or the expected
one); Kf = J K J^T; S = diag(sqrt w), B = I + S Kf S, R = S B^-1 S. At the mode u = m + K J^T t, and
log P(y) ~ sum log P(y | f) - (u - m)^T J^T t / 2 - log |B| / 2.
H is the Hessian of log P(y | f(u)) by u, with what is left out above: since u depends on the hyperparameters,
d u = (I - K H)^-1 (dm + dK J^T t), and log |B| depends on u, the gradient needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.linalg import cholesky, lu_factor, lu_solve, solve_triangular

from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.normal import density, log_ndtr, ndtr

MOST_STEPS = 100
NEARLY = 1e-2  # change of f at which Newton's own steps take over
SETTLED = 1e-9
HALVINGS = 12
STEEPEST = 12.0  # |g| beyond which exp(g) is not followed


@dataclass(frozen=True)
class Slopes:
    """log P(y | f) and its derivatives by f, each (n,).

    Attributes:
        value: log P.
        first: t.
        second: the second derivative.
        curvature: w.
        curvature_slope: the derivative of w by f.
    """

    value: Array
    first: Array
    second: Array
    curvature: Array
    curvature_slope: Array


def likelihood(f: Array, y: Array, floor: float, lapse: float) -> Slopes:
    """Of P(y = 1 | f) = floor + (1 - floor - lapse) Phi(f) at f (n,)."""
    if floor == 0.0 and lapse == 0.0:
        sign = 2.0 * y - 1.0
        z = sign * f
        value = log_ndtr(z)
        ratio = np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - value)
        curvature = ratio * (ratio + z)
        slope = sign * (ratio - ratio * (z + ratio) * (2.0 * ratio + z))
        return Slopes(value, sign * ratio, -curvature, curvature, slope)
    rest = 1.0 - floor - lapse
    yes = np.maximum(floor + rest * ndtr(f), 1e-300)
    no = np.maximum(lapse + rest * ndtr(-f), 1e-300)
    steep = rest * density(f)
    said = np.where(y > 0.5, yes, no)
    first = np.where(y > 0.5, steep, -steep) / said
    second = -f * first - np.square(first)
    curvature = np.square(steep) / (yes * no)
    by_f = curvature * (-2.0 * f - steep * (no - yes) / (yes * no))
    return Slopes(np.log(said), first, second, curvature, by_f)


@dataclass(frozen=True)
class Mode:
    """The mode of u and what follows from it; symbols above.

    Attributes:
        alpha: (2, n) J^T t, so that u = m + K alpha.
        u: (2, n).
        f, a: (n,); b is f.
        at: the likelihood's derivatives there.
        factor: (n, n) the lower Cholesky factor of B.
        log_evidence: approximate log P(y).
    """

    alpha: Array
    u: Array
    f: Array
    a: Array
    at: Slopes
    factor: Array
    log_evidence: float


def find(
    covariances: tuple[Array, Array],
    means: tuple[float, float],
    x: Array,
    y: Array,
    floor: float,
    lapse: float,
    start: Array | None = None,
    poll: Poll | None = None,
) -> Mode:
    """The mode of u for intensities x (n,) and outcomes y (n,).

    Args:
        covariances: K_o and K_g, (n, n).
        means: m.
        x: as in the layout.
        y: 0.0 or 1.0.
        floor, lapse: guess and lapse rate.
        start: alpha (2, n) to begin from; zeros if None.
        poll: called between steps; may raise to cancel.

    Raises:
        numpy.linalg.LinAlgError: something doesn't stay finite.
    """
    n = len(y)
    kernels, base = np.stack(covariances), np.array(means)[:, None]
    state = partial(_state, kernels, base, x, partial(likelihood, y=y, floor=floor, lapse=lapse))
    alpha = np.zeros((2, n)) if start is None or start.shape != (2, n) else start.copy()
    here = state(alpha)
    if start is not None and not here.value >= state(np.zeros((2, n))).value:
        alpha = np.zeros((2, n))
        here = state(alpha)
    change = np.inf
    for _ in range(MOST_STEPS):
        if poll is not None:
            poll()
        step = _newton if change < NEARLY else _scoring
        direction = step(kernels, here.u - base, here.a, here.f, here.at) - alpha
        share, there, rose = _rise(state, alpha, direction, here.value)
        if not rose and change < NEARLY:  # uphill no more: as near as rounding allows
            break
        change = float(np.max(np.abs(there.f - here.f), initial=0.0))
        if not np.isfinite(change):
            raise np.linalg.LinAlgError("Laplace's approximation left the finite numbers")
        alpha, here = alpha + share * direction, there
        if change < SETTLED:
            break
    u, a, f, at, value = here
    root = np.sqrt(at.curvature)
    factor = _factor(kernels, a, f, root)
    half_log_det = float(np.sum(np.log(np.diag(factor))))
    return Mode(np.stack([a, f]) * at.first, u, f, a, at, factor, value - half_log_det)


class _State(NamedTuple):
    """What alpha stands for: u (2, n); a, f (n,); derivatives by f; log P(y, u) up to a constant."""

    u: Array
    a: Array
    f: Array
    at: Slopes
    value: float


def _state(kernels: Array, base: Array, x: Array, of: Callable[[Array], Slopes], alpha: Array) -> _State:
    away = np.einsum("kij,kj->ki", kernels, alpha)
    u = base + away
    a = np.exp(np.clip(u[1], -STEEPEST, STEEPEST))
    f = a * (x + u[0])
    at = of(f)
    return _State(u, a, f, at, float(at.value.sum()) - 0.5 * float(np.sum(alpha * away)))


def _rise(
    state: Callable[[Array], _State], alpha: Array, direction: Array, value: float
) -> tuple[float, _State, bool]:
    """The share of a step that leads no lower than rounding does, the last state, and if there is any."""
    share = 1.0
    for _ in range(HALVINGS):
        there = state(alpha + share * direction)
        if there.value >= value - 1e-9 * max(1.0, abs(value)):
            return share, there, True
        share /= 2
    return share, there, False


def gradient(mode: Mode, covariances: tuple[Array, Array]) -> tuple[tuple[Array, Array], tuple[float, float]]:
    """The gradient of the log evidence: (n, n) weights of dK_o and of dK_g, whose sum it is; by the means."""
    kernels = np.stack(covariances)
    jacobian = np.stack([mode.a, mode.f])
    root = np.sqrt(mode.at.curvature)
    half = solve_triangular(mode.factor, np.diag(root), lower=True, check_finite=False)
    inverse = half.T @ half  # R
    whole = np.einsum("ki,kij,kj->ij", jacobian, kernels, jacobian)
    seen = half @ whole
    variance = np.diag(whole) - np.einsum("ij,ij->j", seen, seen)
    # log |B| by u: through w, and through a and b
    by_f = variance * mode.at.curvature_slope
    by_jacobian = 2.0 * np.einsum("ij,kij,kj->ki", inverse, kernels, jacobian)
    by_o = by_f * mode.a + by_jacobian[1] * mode.a
    by_g = by_f * mode.f + by_jacobian[0] * mode.a + by_jacobian[1] * mode.f
    # (I - H K)^T^-1 of it
    moved = _solved(_hessian(mode.a, mode.f, mode.at), kernels, np.stack([by_o, by_g]))
    weights = []
    for k in range(2):
        fixed = np.outer(mode.alpha[k], mode.alpha[k]) - inverse * np.outer(jacobian[k], jacobian[k])
        shift = np.outer(moved[k], mode.alpha[k])
        weights.append(0.5 * fixed - 0.25 * (shift + shift.T))
    by_offset, by_slope = (mode.alpha - 0.5 * moved).sum(axis=1)
    return (weights[0], weights[1]), (float(by_offset), float(by_slope))


def _factor(kernels: Array, a: Array, b: Array, root: Array) -> Array:
    left, right = root * a, root * b
    inner = left[:, None] * kernels[0] * left + right[:, None] * kernels[1] * right
    inner[np.diag_indices_from(inner)] += 1.0
    if not np.all(np.isfinite(inner)):
        raise np.linalg.LinAlgError("Laplace's approximation left the finite numbers")
    out: Array = cholesky(inner, lower=True, check_finite=False, overwrite_a=True)
    return out


def _scoring(kernels: Array, away: Array, a: Array, b: Array, at: Slopes) -> Array:
    """alpha (2, n) of the linear model's mode: Fisher's step."""
    jacobian = np.stack([a, b])
    root = np.sqrt(at.curvature)
    factor = _factor(kernels, a, b, root)
    target = at.curvature * np.sum(jacobian * away, axis=0) + at.first
    seen = np.einsum("ki,kij,kj->i", jacobian, kernels, jacobian * target)
    inner = solve_triangular(factor, root * seen, lower=True, check_finite=False)
    gamma = target - root * solve_triangular(factor, inner, lower=True, trans="T", check_finite=False)
    out: Array = jacobian * gamma
    return out


def _hessian(a: Array, b: Array, at: Slopes) -> Array:
    """H as (2, 2, n): blocks are diagonal."""
    of_oo = at.second * a * a
    of_og = at.second * a * b + at.first * a
    of_gg = at.second * b * b + at.first * b
    return np.array([[of_oo, of_og], [of_og, of_gg]])


def _newton(kernels: Array, away: Array, a: Array, b: Array, at: Slopes) -> Array:
    """alpha (2, n) after Newton's step: (I - H K) alpha = J^T t - H (u - m)."""
    hessian = _hessian(a, b, at)
    return _solved(hessian, kernels, np.stack([a, b]) * at.first - np.einsum("rki,ki->ri", hessian, away))


def _solved(hessian: Array, kernels: Array, right: Array) -> Array:
    """(I - H K)^-1 of (2, n) numbers."""
    n = right.shape[1]
    matrix = np.eye(2 * n)
    for row in range(2):
        for column in range(2):
            block = hessian[row, column][:, None] * kernels[column]
            matrix[row * n : (row + 1) * n, column * n : (column + 1) * n] -= block
    factors = lu_factor(matrix, check_finite=False)
    out: Array = lu_solve(factors, right.reshape(-1), check_finite=False).reshape(2, n)
    return out
