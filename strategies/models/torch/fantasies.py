"""A botorch model told outcomes that were drawn from it, for acquisition functions that look ahead.

Shapes follow botorch: X is `batch_shape x q x d`; F the number of draws. Outcomes are draws of f with
Gaussian noise, and the model is conditioned on them as it is (Rasmussen & Williams 2006, eq. 2.25): nothing
is fitted again. The noise of a binary or ordinal outcome is what brings as much information as the outcome
does in expectation, as with pending trials (Posterior.expecting).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from botorch.posteriors.gpytorch import GPyTorchPosterior
from botorch.posteriors.posterior import Posterior as BotorchPosterior
from gpytorch.distributions import MultivariateNormal

from fechner.strategies.models.posteriors.posterior import Posterior

if TYPE_CHECKING:
    Model = object  # botorch carries no types
else:
    from botorch.models.model import Model

STEP = 1e-5  # of differences by mean and variance, in sd and shares of the variance


class Fantasy(Model):
    """A model told Y `F x batch_shape x q` at X `batch_shape x q x d`, with noise `batch_shape x q`."""

    def __init__(self, told: Any, X: torch.Tensor, Y: torch.Tensor, noise: torch.Tensor) -> None:
        super().__init__()
        self._told, self._x, self._y, self._noise = told, X, Y, noise

    @property
    def num_outputs(self) -> int:
        return 1

    @property
    def batch_shape(self) -> torch.Size:
        return self._y.shape[:-1]

    def posterior(
        self,
        X: torch.Tensor,
        output_indices: list[int] | None = None,
        observation_noise: bool | torch.Tensor = False,
        posterior_transform: Any = None,
    ) -> BotorchPosterior:
        """The joint posterior of f over the points X `... x q' x d`, broadcast with `F x batch_shape`."""
        q = self._x.shape[-2]
        batch = torch.broadcast_shapes(X.shape[:-2], self._x.shape[:-2])
        both = torch.cat([self._x.expand(*batch, -1, -1), X.expand(*batch, -1, -1)], dim=-2)
        joint = self._told.posterior(both)
        mean, covariance = joint.mean.squeeze(-1), joint.distribution.covariance_matrix
        seen = covariance[..., :q, :q] + torch.diag_embed(self._noise)
        root = torch.linalg.cholesky(seen)
        cross = covariance[..., :q, q:]
        solved = torch.cholesky_solve(cross, root)
        away = (self._y - mean[..., :q]).unsqueeze(-2)
        mean = mean[..., q:] + (away @ solved).squeeze(-2)
        covariance = covariance[..., q:, q:] - cross.transpose(-1, -2) @ solved
        covariance = covariance.expand(*mean.shape[:-1], *covariance.shape[-2:])
        if observation_noise is not False:
            noise = self._told.noise(mean, covariance.diagonal(dim1=-2, dim2=-1))
            covariance = covariance + torch.diag_embed(noise)
        out: BotorchPosterior = GPyTorchPosterior(MultivariateNormal(mean, covariance))
        return out if posterior_transform is None else posterior_transform(out)


def outcome_noise(core: Posterior, mean: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
    """1 / tau where f ~ N(mean, variance), elementwise, with gradients by differences."""
    out: torch.Tensor = _Noise.apply(mean, variance, core)
    return out


class _Noise(torch.autograd.Function):
    """`Posterior.expected_precision`, of which torch knows nothing."""

    @staticmethod
    def forward(ctx: Any, mean: torch.Tensor, variance: torch.Tensor, core: Posterior) -> torch.Tensor:
        mu, s2 = mean.detach().numpy().ravel(), variance.detach().numpy().ravel()
        sd = np.sqrt(s2)

        def noise(mu: Any, s2: Any) -> Any:
            tau = np.broadcast_to(core.expected_precision(mu, s2), mu.shape)
            return 1.0 / np.maximum(tau, 1e-12)

        by_mean = (noise(mu + STEP * sd, s2) - noise(mu - STEP * sd, s2)) / (2 * STEP * sd)
        by_variance = (noise(mu, s2 * (1 + STEP)) - noise(mu, s2 * (1 - STEP))) / (2 * STEP * s2)
        ctx.save_for_backward(*(torch.as_tensor(by.reshape(mean.shape)) for by in (by_mean, by_variance)))
        return torch.as_tensor(noise(mu, s2).reshape(mean.shape))

    @staticmethod
    def backward(ctx: Any, above: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        by_mean, by_variance = ctx.saved_tensors
        return above * by_mean, above * by_variance, None
