"""The kernels of kernels.py in torch, so that botorch's acquisition functions have gradients by place."""

from __future__ import annotations

import torch

from fechner.strategies.models.kernels.combined_kernels import Combined
from fechner.strategies.models.kernels.kernels import RADIAL, Kernel, Leaf


def kernel_matrix(kernel: Kernel, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """k between a `... x n x d` and b `... x m x d`: `... x n x m`."""
    if isinstance(kernel, Combined):
        variances = iter(kernel.variances)
        out: torch.Tensor | None = None
        for part, scaled in zip(kernel.parts, kernel.scaled, strict=True):
            one = kernel_matrix(part, a, b)
            if scaled:
                one = one * float(torch.tensor(next(variances)).exp())
            if out is None:
                out = one
            else:
                out = out + one if kernel.name == "AdditiveKernel" else out * one
        assert out is not None
        return out
    assert isinstance(kernel, Leaf)
    dims = list(kernel.dims)
    a, b = a[..., dims], b[..., dims]
    values = torch.tensor(kernel.theta, dtype=torch.float64).exp()
    if kernel.name == "LinearKernel":
        return values[0] * (a @ b.transpose(-1, -2))
    if kernel.name == "PolynomialKernel":
        return (a @ b.transpose(-1, -2) + values[0]) ** kernel.option
    away = a.unsqueeze(-2) - b.unsqueeze(-3)
    count = len(dims)
    if kernel.name == "PeriodicKernel":
        return torch.exp(-2.0 * ((torch.pi * away / values[count:]).sin().square() / values[:count]).sum(-1))
    if kernel.name == "CosineKernel":
        return torch.cos(torch.pi * away.squeeze(-1) / values[0])
    assert kernel.name in RADIAL
    s = (away / values[:count]).square().sum(-1)
    if kernel.name == "RBFKernel":
        return torch.exp(-0.5 * s)
    if kernel.name == "RQKernel":
        return (1.0 + s / (2.0 * values[-1])) ** -values[-1]
    r = (s + 1e-20).sqrt()
    if kernel.option == 0.5:
        return torch.exp(-r)
    root = (2.0 * kernel.option) ** 0.5
    rise = 1.0 + root * r if kernel.option == 1.5 else 1.0 + root * r + 5.0 / 3.0 * s
    return rise * torch.exp(-root * r)
