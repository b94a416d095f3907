"""A posterior as a botorch model, so that every acquisition function of botorch works on it.

Shapes follow botorch: X is `batch_shape x q x d`, a posterior's mean `batch_shape x q x 1`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from botorch.posteriors.gpytorch import GPyTorchPosterior
from botorch.posteriors.posterior import Posterior as BotorchPosterior
from gpytorch.distributions import MultivariateNormal

from fechner.strategies.models.kernels.functionals import Functionals
from fechner.strategies.models.kernels.kernel_covariance import KernelCovariance
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.models.torch.fantasies import Fantasy, outcome_noise
from fechner.strategies.models.torch.kernels_torch import kernel_matrix
from fechner.strategies.models.torch.torch_covariance import kernel
from fechner.strategies.numerics.arrays import Array

if TYPE_CHECKING:
    Model = object  # botorch carries no types
else:
    from botorch.models.model import Model


class GaussianModel(Model):
    """A `Posterior` with torch inputs, outputs and gradients; float64, one output (the latent f).

    Args:
        core: the numpy posterior.
        y: (n,) outcomes, kept as `train_targets`.
    """

    def __init__(self, core: Posterior, y: Array) -> None:
        super().__init__()
        self.core = core
        covariance = core.covariance

        def tensor(values: Any) -> torch.Tensor:
            return torch.tensor(values, dtype=torch.float64)

        self.train_x = tensor(core.places)
        self._x = tensor(core.x)
        self._scale = covariance.scale if isinstance(covariance, Functionals) else 1.0
        self.train_targets = tensor(y)
        self._root = tensor(core.root)
        self._factor = tensor(core.factor)
        self._weights = tensor(core.weights)
        self._lengthscales = tensor(covariance.lengthscales)
        self._slopes = None if covariance.slopes is None else tensor(covariance.slopes)

    @property
    def num_outputs(self) -> int:
        return 1

    @property
    def batch_shape(self) -> torch.Size:
        return torch.Size()

    @property
    def train_inputs(self) -> tuple[torch.Tensor]:
        return (self.train_x,)

    def noise(self, mean: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
        """The variance of the noise with which an outcome tells f, elementwise where f ~ N(mean, variance).

        That of a continuous outcome; of others the inverse of the precision that they bring in expectation.
        """
        return outcome_noise(self.core, mean, variance)

    def fantasize(self, X: torch.Tensor, sampler: Any, **_: Any) -> Fantasy:
        """The model told what `sampler` draws at X `batch_shape x q x d`, of batch shape `samples x ...`."""
        X = X.to(self.train_x)
        plain = self.posterior(X)
        noise = self.noise(plain.mean.squeeze(-1), plain.variance.squeeze(-1))
        return Fantasy(self, X, sampler(self.posterior(X, observation_noise=True)).squeeze(-1), noise)

    def _kernel(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """k between a `... x n x d` and b `... x m x d`: `... x n x m`."""
        covariance = self.core.covariance
        if not isinstance(covariance, KernelCovariance):
            return kernel(covariance, a, b)
        out = covariance.variance * kernel_matrix(covariance.kernel, a, b) + covariance.constant
        if self._slopes is not None:
            out = out + ((a - 0.5) * self._slopes) @ (b - 0.5).transpose(-1, -2)
        return out

    def _cross(self, X: torch.Tensor) -> torch.Tensor:
        """The covariance of what was seen with f at X `... x m x d`: `... x n x m` (functionals.py)."""
        d = X.shape[-1]
        places = self._x[:, :d].expand(*X.shape[:-2], len(self._x), d)
        out = self._kernel(places, X)
        if self._x.shape[1] == d:
            return out
        of = self._x[:, d].long()
        steep, coordinate = of > 0, (of - 1).clamp(min=0)
        covariance = self.core.covariance
        difference = places.unsqueeze(-2) - X.unsqueeze(-3)
        smooth = kernel(replace(covariance, constant=0.0, slopes=None), places, X)
        at = coordinate[:, None, None].expand(*difference.shape[:-1], 1)
        away = difference.gather(-1, at).squeeze(-1)
        slope = -smooth * away / self._lengthscales[coordinate].square()[:, None]
        if self._slopes is not None:
            centred = (X - 0.5).transpose(-1, -2)[..., coordinate, :]
            slope = slope + self._slopes[coordinate][:, None] * centred
        return torch.where(steep[:, None], slope / self._scale, out)

    def _mean(self, X: torch.Tensor, cross: torch.Tensor | None) -> torch.Tensor:
        """The mean of f at X `... x m x d`, `... x m`, from `_cross` of all rows if there are trials."""
        mean = torch.full(X.shape[:-1], self.core.mean, dtype=torch.float64)
        return mean if cross is None else mean + (cross.T @ self._weights).reshape(mean.shape)

    def posterior(
        self,
        X: torch.Tensor,
        output_indices: list[int] | None = None,
        observation_noise: bool | torch.Tensor = False,
        posterior_transform: Any = None,
    ) -> BotorchPosterior:
        """The joint posterior of f over the q points; with observation_noise, of what outcomes tell of f."""
        X = X.to(self.train_x)
        covariance, cross = self._kernel(X, X), None
        if len(self._x):
            cross = self._cross(X.reshape(-1, X.shape[-1]))  # all batches at once: n x (batch_shape * q)
            half = torch.linalg.solve_triangular(self._factor, self._root.unsqueeze(-1) * cross, upper=False)
            half = half.T.reshape(*X.shape[:-1], -1)
            covariance = covariance - half @ half.transpose(-1, -2)
        mean = self._mean(X, cross)
        extra = 1e-9 * self.core.covariance.variance
        covariance = covariance + extra * torch.eye(X.shape[-2], dtype=torch.float64)
        if observation_noise is not False:
            noise = self.noise(mean, covariance.diagonal(dim1=-2, dim2=-1))
            covariance = covariance + torch.diag_embed(noise)
        out: BotorchPosterior = GPyTorchPosterior(MultivariateNormal(mean, covariance))
        if posterior_transform is not None:
            out = posterior_transform(out)
        return out
