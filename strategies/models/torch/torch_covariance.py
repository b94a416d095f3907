"""The house covariance function (covariance.py) of torch tensors, with gradients; float64.

Shapes follow botorch: a `... x n x d`, b `... x m x d`.
"""

from __future__ import annotations

import torch

from fechner.strategies.models.kernels.categories import Counts, categorical, spread
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.numerics.arrays import Array


def kernel(covariance: Covariance, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """k between a and b: `... x n x m`."""
    counts = covariance.categories
    difference = _scaled(covariance, a).unsqueeze(-2) - _scaled(covariance, b).unsqueeze(-3)
    out = covariance.variance * torch.exp(-0.5 * difference.square().sum(-1)) + covariance.constant
    if covariance.slopes is not None:
        slopes = _tensor(spread(covariance.slopes, counts) if counts else covariance.slopes)
        out = out + (_centred(a, counts) * slopes) @ _centred(b, counts).transpose(-1, -2)
    return out


def _scaled(covariance: Covariance, x: torch.Tensor) -> torch.Tensor:
    """Coded coordinates (categories.py) in length scales."""
    counts, lengthscales = covariance.categories, covariance.lengthscales
    if not counts:
        return x / _tensor(lengthscales)
    blocks = [0.5**0.5 * _hot(x, counts, place) for place in categorical(counts)]
    return torch.cat([_held(x, counts), *blocks], dim=-1) / _tensor(spread(lengthscales, counts))


def _centred(x: torch.Tensor, counts: Counts) -> torch.Tensor:
    """Coded coordinates for trends."""
    if not counts:
        return x - 0.5
    blocks = [_hot(x, counts, place) - 1.0 / counts[place] for place in categorical(counts)]
    return torch.cat([_held(x - 0.5, counts), *blocks], dim=-1)


def _held(x: torch.Tensor, counts: Counts) -> torch.Tensor:
    """x with 0 for categories."""
    return x * torch.tensor([float(not count) for count in counts], dtype=torch.float64)


def _hot(x: torch.Tensor, counts: Counts, place: int) -> torch.Tensor:
    """1 in the column of the category, `... x n x K`."""
    count = counts[place]
    which = torch.floor(x[..., place] * count).clamp(0, count - 1)
    return (which.unsqueeze(-1) == torch.arange(count)).to(torch.float64)


def _tensor(values: Array) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)
