"""A posterior as a botorch model, so that every acquisition function of botorch works on it.

Shapes follow botorch: X is `batch_shape x q x d`, a posterior's mean `batch_shape x q x 1`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from botorch.posteriors.gpytorch import GPyTorchPosterior
from botorch.posteriors.posterior import Posterior as BotorchPosterior
from fechner.strategies.models.normal import Array
from fechner.strategies.models.posterior import Posterior
from gpytorch.distributions import MultivariateNormal

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

        self.train_x = tensor(core.x)
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

    def _kernel(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """k between a `... x n x d` and b `... x m x d`: `... x n x m`."""
        covariance = self.core.covariance
        difference = (a / self._lengthscales).unsqueeze(-2) - (b / self._lengthscales).unsqueeze(-3)
        out = covariance.variance * torch.exp(-0.5 * difference.square().sum(-1)) + covariance.constant
        if self._slopes is not None:
            out = out + ((a - 0.5) * self._slopes) @ (b - 0.5).transpose(-1, -2)
        return out

    def posterior(
        self,
        X: torch.Tensor,
        output_indices: list[int] | None = None,
        observation_noise: bool | torch.Tensor = False,
        posterior_transform: Any = None,
    ) -> BotorchPosterior:
        """The joint posterior of f over the q points; with observation_noise, of a continuous outcome y."""
        X = X.to(self.train_x)
        mean = torch.full(X.shape[:-1], self.core.mean, dtype=torch.float64)
        covariance = self._kernel(X, X)
        if len(self.train_x):
            cross = self._kernel(self.train_x.expand(*X.shape[:-2], *self.train_x.shape), X)
            half = torch.linalg.solve_triangular(self._factor, self._root.unsqueeze(-1) * cross, upper=False)
            mean = mean + (cross * self._weights.unsqueeze(-1)).sum(-2)
            covariance = covariance - half.transpose(-1, -2) @ half
        extra = 1e-9 * self.core.covariance.variance
        if not self.core.binary and observation_noise is not False:
            extra += self.core.noise
        covariance = covariance + extra * torch.eye(X.shape[-2], dtype=torch.float64)
        out: BotorchPosterior = GPyTorchPosterior(MultivariateNormal(mean, covariance))
        if posterior_transform is not None:
            out = posterior_transform(out)
        return out
