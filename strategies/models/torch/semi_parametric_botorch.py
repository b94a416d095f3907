"""The posteriors of the semi-parametric models as botorch models; shapes and symbols as in botorch_model.py
and posteriors/semi_parametric.py."""

from __future__ import annotations

import torch

from fechner.strategies.models.kernels.of_intensity import BEND, Linearised, Product
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.models.torch.botorch_model import GaussianModel
from fechner.strategies.models.torch.torch_covariance import kernel
from fechner.strategies.numerics.arrays import Array


class SemiParametricModel(GaussianModel):
    """A `LinearisedPosterior` or a `ProductPosterior` with torch inputs, outputs and gradients."""

    def __init__(self, core: Posterior, y: Array) -> None:
        super().__init__(core, y)
        assert isinstance(core.covariance, Linearised | Product)
        self._of = core.covariance
        if isinstance(self._of, Linearised):
            self._contexts = torch.tensor(self._of.contexts, dtype=torch.float64)
            self._alpha = torch.tensor(self._of.alpha, dtype=torch.float64)

    def _split(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Intensity `... x m`, less one half, and context `... x m x (d - 1)`."""
        place = self._of.place
        return x[..., place] - 0.5, torch.cat([x[..., :place], x[..., place + 1 :]], dim=-1)

    def _at(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A and the mean of f at x `... x m x d`, each `... x m`."""
        assert isinstance(self._of, Linearised)
        intensity, c = self._split(x)
        offset = kernel(self._of.pair.offset, c, self._contexts) @ self._alpha[0]
        log_slope = kernel(self._of.pair.slope, c, self._contexts) @ self._alpha[1]
        slope = torch.exp(self._of.pair.log_slope + log_slope)
        return slope, slope * (intensity + offset)

    def _kernel(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        (x, c), (z, e) = self._split(a), self._split(b)
        offset, slope = kernel(self._of.pair.offset, c, e), kernel(self._of.pair.slope, c, e)
        if isinstance(self._of, Product):
            through = x.unsqueeze(-1) * z.unsqueeze(-2) + offset
            return self._of.m**2 * (slope * through + offset)
        (left_a, left_b), (right_a, right_b) = self._at(a), self._at(b)
        left_b, right_b = BEND * torch.tanh(left_b / BEND), BEND * torch.tanh(right_b / BEND)
        return (
            left_a.unsqueeze(-1) * right_a.unsqueeze(-2) * offset
            + left_b.unsqueeze(-1) * right_b.unsqueeze(-2) * slope
        )

    def _mean(self, X: torch.Tensor, cross: torch.Tensor | None) -> torch.Tensor:
        if isinstance(self._of, Linearised):
            return self._at(X)[1]
        return super()._mean(X, cross) + self._of.m * self._split(X)[0]
