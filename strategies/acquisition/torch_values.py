"""Values of acquisition functions in torch, float64, for scans too large for one core (accelerated.py).

The same formulas as look_ahead.py and posterior.py, which give the sources and the notation: m candidates x
(m, d), k reference points q (k, d), n training inputs. What depends on mean and variance at a point alone is
computed by the processor from the device's moments.

The bivariate normal excess takes its nodes as `normal.excess_table` does, as many as the largest |rho| of the
processor's chunk needs. Beyond .925 the integral goes on in c = sqrt(1 - rho^2) (Genz 2004, section 2.1,
before the expansion of eq. 6): E(rho) = E(.925) + 1/(2 pi) integral over c from sqrt(1 - rho^2) to sqrt(1 -
.925^2) of exp(-(h - k)^2 / (2 c^2) - h k / (1 + s)) / s, s = sqrt(1 - c^2); 24 nodes give it within 1e-9 up
to .9999. The few beyond that are the processor's.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from fechner.strategies.acquisition.acquisition import Parts
from fechner.strategies.acquisition.look_ahead import LIMIT, outcome_noise, yes_probability
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import bivariate_excess, gauss_legendre, table_nodes
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.plugins import resolve

TABLES = 12  # of rows x (k + n) numbers that a chunk holds at a time, at most
MOST = 2**22  # numbers in such a table: enough to keep a device busy, and polls come soon
STRONG = 0.925
STRONGEST = 0.9999
STRONG_NODES = 24

Moments = Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]
#: E (m, k), h (m, 1), u and pi (k,) to values (m,).
Score = Callable[[Tensor, Tensor, float, Tensor], Tensor]


def rows(parts: Parts, chunk: int, on: str, memory: int | None = None) -> int:
    """Candidates in a chunk, whole chunks of the processor's, so that a device's memory suffices."""
    if memory is None:
        memory = torch.cuda.mem_get_info()[0] // 2 if on == "cuda" else 2**31
    numbers = min(MOST, memory // (8 * TABLES))
    width = parts.count + len(parts.posterior.x)
    return max(1, numbers // max(1, width) // chunk) * chunk


def function(parts: Parts, chunk: int, on: str) -> Callable[[Array], Array]:
    """A function of (m, d) candidates to their values (m,), computed on the torch device `on`."""
    device = torch.device(on)
    found: Callable[[Array], Array]
    found = resolve.function(parts.component, "on_device")(
        parts, reduced(parts.posterior, device), chunk, device
    )
    return found


def _tensor(values: Array, device: torch.device) -> Tensor:
    return torch.tensor(np.ascontiguousarray(values), dtype=torch.float64, device=device)


def _array(values: Tensor) -> Array:
    out: Array = values.cpu().numpy()
    return out


def covariance(kernel: Covariance, a: Tensor, b: Tensor) -> Tensor:
    """The (n, m) covariances between the rows of `a` (n, d) and `b` (m, d)."""
    lengthscales = _tensor(kernel.lengthscales, a.device)
    scaled_a, scaled_b = a / lengthscales, b / lengthscales
    out = scaled_a @ scaled_b.T
    out.mul_(-2.0).add_(scaled_a.square().sum(1)[:, None]).add_(scaled_b.square().sum(1))
    out.clamp_(min=0.0).mul_(-0.5).exp_().mul_(kernel.variance).add_(kernel.constant)
    if kernel.slopes is not None:
        out.addmm_((a - 0.5) * _tensor(kernel.slopes, a.device), (b - 0.5).T)
    return out


def reduced(posterior: Posterior, device: torch.device) -> Moments:
    """`Posterior.reduced` as a function of points (m, d) on the device."""
    kernel = posterior.covariance
    x = _tensor(posterior.x, device)
    root, factor = _tensor(posterior.root, device)[:, None], _tensor(posterior.factor, device)
    weights = _tensor(posterior.weights, device)

    def moments(points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        prior = torch.full_like(points[:, 0], kernel.variance + kernel.constant)
        if kernel.slopes is not None:
            prior += (points - 0.5).square() @ _tensor(kernel.slopes, device)
        if not len(x):
            return torch.full_like(prior, posterior.mean), prior, points.new_zeros((0, len(points)))
        cross = covariance(kernel, x, points)
        mean = posterior.mean + cross.T @ weights
        half = torch.linalg.solve_triangular(factor, cross.mul_(root), upper=False)
        return mean, (prior - half.square().sum(0)).clamp_(min=posterior.smallest_variance), half

    return moments


def at_a_point(parts: Parts, moments: Moments, chunk: int, device: torch.device) -> Callable[[Array], Array]:
    """A function of mean and variance at a point."""
    of_moments = parts.of_moments
    assert of_moments is not None

    def values(x: Array) -> Array:
        mean, variance, _ = moments(_tensor(x, device))
        return of_moments(_array(mean), _array(variance))

    return values


def volume_change(
    parts: Parts, moments: Moments, chunk: int, device: torch.device
) -> Callable[[Array], Array]:
    """EAVC."""

    def score(excess: Tensor, h: Tensor, share: float, pi: Tensor) -> Tensor:
        return 2.0 * share * excess.mean(dim=1).abs()

    return _looking_ahead(parts, moments, chunk, device, score)


def information(parts: Parts, moments: Moments, chunk: int, device: torch.device) -> Callable[[Array], Array]:
    """GlobalMI."""

    def entropy(p: Tensor) -> Tensor:
        return torch.special.entr(p).add_(torch.special.entr(1.0 - p))

    return _looking_ahead(parts, moments, chunk, device, _reduction(parts, entropy, device))


def misclassified(
    parts: Parts, moments: Moments, chunk: int, device: torch.device
) -> Callable[[Array], Array]:
    """GlobalSUR."""

    def least(p: Tensor) -> Tensor:
        return torch.minimum(p, 1.0 - p)

    return _looking_ahead(parts, moments, chunk, device, _reduction(parts, least, device))


def _reference(parts: Parts, device: torch.device) -> Tensor:
    return _tensor(sobol(parts.seed, parts.posterior.x.shape[1], 0, parts.count), device)


def _looking_ahead(
    parts: Parts, moments: Moments, chunk: int, device: torch.device, score: Score
) -> Callable[[Array], Array]:
    posterior = parts.posterior
    q = _reference(parts, device)
    mean_q, variance_q, half_q = moments(q)
    sd_q = variance_q.sqrt()
    b = ((posterior.latent_of(parts.target) - mean_q) / sd_q).clamp_(-LIMIT, LIMIT)
    pi = torch.special.ndtr(b)
    share = 1.0 - posterior.floor - posterior.lapse

    def values(x: Array) -> Array:
        points = _tensor(x, device)
        mean, variance, half = moments(points)
        noisy_sd = (1.0 + variance).sqrt()[:, None]
        rho = covariance(posterior.covariance, points, q).addmm_(half.T, half_q, alpha=-1.0)
        rho.div_(noisy_sd).div_(sd_q).neg_().clamp_(-1.0, 1.0)
        h = mean[:, None] / noisy_sd
        excess = excess_table(b, h, rho, chunk)
        return _array(score(excess, h, share, pi))

    return values


def _reduction(parts: Parts, uncertainty: Callable[[Tensor], Tensor], device: torch.device) -> Score:
    """mean_q [U(pi) - P_1 U(pi_1) - P_0 U(pi_0)] from E (m, k), h (m, 1), u and pi (k,)."""

    def score(excess: Tensor, h: Tensor, share: float, pi: Tensor) -> Tensor:
        yes = _tensor(yes_probability(parts.posterior, _array(h)), device)
        change = excess.mul_(share)
        after = uncertainty((pi + change / yes).clamp_(0.0, 1.0)).mul_(yes)
        after += uncertainty((pi - change / (1.0 - yes)).clamp_(0.0, 1.0)).mul_(1.0 - yes)
        return uncertainty(pi).mean() - after.mean(dim=1)

    return score


def approximate_sur(
    parts: Parts, moments: Moments, chunk: int, device: torch.device
) -> Callable[[Array], Array]:
    """ApproxGlobalSUR."""
    posterior = parts.posterior
    q = _reference(parts, device)
    mean_q, variance_q, half_q = moments(q)
    gap = torch.minimum((posterior.latent_of(parts.target) - mean_q).abs(), LIMIT * variance_q.sqrt())
    now = torch.special.ndtr(-gap / variance_q.sqrt()).mean()

    def values(x: Array) -> Array:
        points = _tensor(x, device)
        mean, variance, half = moments(points)
        noise = _tensor(outcome_noise(posterior, _array(mean), _array(variance)), device)
        cross = covariance(posterior.covariance, points, q).addmm_(half.T, half_q, alpha=-1.0)
        left = cross.square_().div_((variance + noise)[:, None]).neg_().add_(variance_q)
        left = torch.maximum(left, 1e-9 * variance_q)
        return _array(now - torch.special.ndtr(left.rsqrt_().mul_(-gap)).mean(dim=1))

    return values


def excess_table(h: Tensor, k: Tensor, rho: Tensor, chunk: int) -> Tensor:
    """P(X <= h, Y <= k) - Phi(h) Phi(k), (m, n), within 1e-8, for h (n,), k (m, 1) and rho (m, n).

    Every `chunk` rows have as many nodes as the largest |rho| among them needs.
    """
    largest = _array(torch.linalg.vector_norm(rho, ord=float("inf"), dim=1))
    starts = np.arange(0, len(rho), chunk)
    tops = np.maximum.reduceat(largest, starts)
    counts = np.repeat([table_nodes(float(top)) for top in tops], chunk)[: len(rho)]
    strong = bool(tops.max() > STRONG)
    if np.all(counts == counts[0]):
        return _excess(h, k, rho, int(counts[0]), strong)
    out = torch.empty_like(rho)
    for count in np.unique(counts):
        chosen = torch.tensor(np.flatnonzero(counts == count), device=rho.device)
        out[chosen] = _excess(h, k[chosen], rho[chosen], int(count), strong and count == counts.max())
    return out


def _excess(h: Tensor, k: Tensor, rho: Tensor, count: int, strong: bool) -> Tensor:
    """The table with so many nodes, and again where |rho| is beyond .925 if it is anywhere (`strong`)."""
    beyond = (rho.abs() > STRONG).nonzero(as_tuple=True) if strong else None
    mild = rho
    if beyond is not None:
        mild = rho.clone()
        mild[beyond] = 0.0
    product, half = h * k, (h.square() + k.square()).mul_(0.5)
    out = torch.zeros_like(rho)
    nodes, weights = gauss_legendre(count)
    for node, weight in zip(nodes.tolist(), (weights / (2 * np.pi)).tolist(), strict=True):
        part = mild * node
        left = part.square().neg_().add_(1.0)
        part.mul_(product).sub_(half).div_(left).exp_().div_(left.sqrt_())
        out.add_(part, alpha=weight)
    out.mul_(mild)
    if beyond is not None:
        row, column = beyond
        out[beyond] = strong_excess(h[column], k[row, 0], rho[beyond])
    return out


def strong_excess(h: Tensor, k: Tensor, rho: Tensor) -> Tensor:
    """P(X <= h, Y <= k) - Phi(h) Phi(k), elementwise, for (m,) h, k and |rho| > .925."""
    sign = rho.sign()
    k = k * sign  # E(h, k, rho) = -E(h, -k, -rho)
    product, half = h * k, (h.square() + k.square()).mul_(0.5)
    out = torch.zeros_like(rho)
    nodes, weights = gauss_legendre(20)
    angle = float(np.arcsin(STRONG))
    for node, weight in zip(nodes.tolist(), (weights * angle).tolist(), strict=True):
        sine = float(np.sin(angle * node))
        out.add_((sine * product).sub_(half).div_(1.0 - sine * sine).exp_(), alpha=weight)
    gap = (h - k).square_().mul_(-0.5)
    lower = ((1.0 - rho) * (1.0 + rho)).clamp_(min=0.0).sqrt_()
    width = float(np.sqrt(1.0 - STRONG * STRONG)) - lower
    rest = torch.zeros_like(rho)
    nodes, weights = gauss_legendre(STRONG_NODES)
    for node, weight in zip(nodes.tolist(), weights.tolist(), strict=True):
        squared = (lower + width * node).square_()
        s = (1.0 - squared).sqrt_()
        rest.add_((gap / squared).sub_(product / (1.0 + s)).exp_().div_(s), alpha=weight)
    out.add_(rest.mul_(width)).mul_(sign).div_(2 * np.pi)
    few = (rho.abs() > STRONGEST).nonzero(as_tuple=True)
    if len(few[0]):
        at = (h[few], (k * sign)[few], rho[few])
        out[few] = _tensor(bivariate_excess(*map(_array, at)), rho.device)
    return out
