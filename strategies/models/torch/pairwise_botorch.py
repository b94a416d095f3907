"""The posterior of a utility as a botorch model, for botorch's acquisition functions (EUBO among them).

Shapes follow botorch: X is `batch_shape x q x d`, a posterior's mean `batch_shape x q x 1`. Symbols as in
posteriors/pairwise.py; the utility is less its average over the box, as there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from botorch.posteriors.gpytorch import GPyTorchPosterior
from botorch.posteriors.posterior import Posterior as BotorchPosterior
from gpytorch.distributions import MultivariateNormal

from fechner.strategies.models.kernels.averages import among, box_variance
from fechner.strategies.models.kernels.categories import categorical
from fechner.strategies.models.posteriors.pairwise import SQRT_HALF, PairwisePosterior
from fechner.strategies.models.torch.torch_covariance import kernel
from fechner.strategies.numerics.arrays import Array

if TYPE_CHECKING:
    Model = object  # botorch carries no types
else:
    from botorch.models.model import Model


class PairwiseGaussianModel(Model):
    """A `PairwisePosterior` with torch inputs, outputs and gradients; float64, one output (the utility).

    Args:
        core: the numpy posterior.
        y: (n,) outcomes, kept as `train_targets`; `train_inputs` are the 2n stimuli.
    """

    def __init__(self, core: PairwisePosterior, y: Array) -> None:
        super().__init__()
        self.core = core

        def tensor(values: Any) -> torch.Tensor:
            return torch.tensor(values, dtype=torch.float64)

        self.train_x = tensor(core.x)
        self.train_targets = tensor(y)
        self._weights = tensor(core.weights)
        self._reduction = tensor(core.reduction)
        self._lengthscales = tensor(core.covariance.lengthscales)
        slopes = core.covariance.slopes
        self._slopes = None if slopes is None else tensor(slopes)

    @property
    def num_outputs(self) -> int:
        return 1

    @property
    def batch_shape(self) -> torch.Size:
        return torch.Size()

    @property
    def train_inputs(self) -> tuple[torch.Tensor]:
        return (self.train_x,)

    @property
    def datapoints(self) -> torch.Tensor:
        """The stimuli `2n x d`, as botorch's own models of pairs call them."""
        return self.train_x

    def _kernel(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """The prior covariance of g between a `... x n x d` and b `... x m x d`: `... x n x m`."""
        covariance = replace(self.core.covariance, constant=0.0)
        out = kernel(covariance, a, b)
        out = out - self._average(a).unsqueeze(-1) - self._average(b).unsqueeze(-2)
        return out + box_variance(covariance)

    def _average(self, x: torch.Tensor) -> torch.Tensor:
        """r at x `... x m x d`: `... x m`."""
        scales = self._lengthscales
        shares = torch.special.ndtr((1.0 - x) / scales) - torch.special.ndtr(-x / scales)
        parts = float(np.sqrt(2.0 * np.pi)) * scales * shares
        places = categorical(self.core.covariance.categories)
        if places:
            parts[..., places] = torch.tensor(among(self.core.covariance)[places], dtype=torch.float64)
        return self.core.covariance.variance * parts.prod(-1)

    def posterior(
        self,
        X: torch.Tensor,
        output_indices: list[int] | None = None,
        observation_noise: bool | torch.Tensor = False,
        posterior_transform: Any = None,
    ) -> BotorchPosterior:
        """The joint posterior of the utility over the q points."""
        X = X.to(self.train_x)
        n = len(self.train_targets)
        both = self._kernel(self.train_x.expand(*X.shape[:-2], *self.train_x.shape), X)
        cross = SQRT_HALF * (both[..., n:, :] - both[..., :n, :])
        mean = (cross * self._weights.unsqueeze(-1)).sum(-2)
        covariance = self._kernel(X, X) - cross.transpose(-1, -2) @ (self._reduction @ cross)
        extra = 1e-9 * self.core.covariance.variance
        covariance = covariance + extra * torch.eye(X.shape[-2], dtype=torch.float64)
        out: BotorchPosterior = GPyTorchPosterior(MultivariateNormal(mean, covariance))
        if posterior_transform is not None:
            out = posterior_transform(out)
        return out
