"""What queries, intervals and ensembles need of the posterior of a latent function, of whatever model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.numerics.arrays import Array


@dataclass(frozen=True)
class Draw:
    """Which samples to draw.

    Attributes:
        count: how many.
        normal: of a number m, (count, m) normal deviates, the same whatever model they are for.
        seed: of a posterior that draws in a way of its own.
    """

    count: int
    normal: Callable[[int], Array]
    seed: int


class LatentPosterior(Protocol):
    """The posterior of f. A *space* is ``"latent"``, ``"probability"`` or ``"outcome"``."""

    @property
    def covariance(self) -> Covariance:
        """The prior covariance function."""

    @property
    def log_evidence(self) -> float:
        """log P(y), perhaps approximate."""

    @property
    def rates(self) -> tuple[float, float]:
        """Guess and lapse rate of the likelihood."""

    @property
    def gaussian(self) -> bool:
        """Whether f is taken for Gaussian, so that mean and variance tell how it is distributed."""

    def space_named(self, named: str | None) -> str | None:
        """The space that a request means by a space, or by none; None if the model has no such space."""

    def latent(self, x: Array) -> tuple[Array, Array]:
        """Mean and variance of f at the rows of `x` (m, d), each (m,)."""

    def joint(self, x: Array) -> tuple[Array, Array]:
        """Mean (m,) and covariance (m, m) of f at the rows of `x` (m, d)."""

    def samples(self, x: Array, draw: Draw) -> Array:
        """Joint samples (count, m) of f at the rows of `x` (m, d)."""

    def valued(self, latent: Array, space: str) -> Array:
        """The value of `latent` f in `space`, elementwise; it never decreases."""

    def range(self) -> tuple[float, float]:
        """The values between which curves run in ``"outcome"`` space."""

    def latent_of(self, value: float) -> float:
        """The f at which the value is this; infinite outside the range."""

    def moments(self, x: Array, space: str) -> tuple[Array, Array]:
        """Mean and sd (m,) in `space` at the rows of `x` (m, d)."""

    def moments_of(self, mean: Array, variance: Array, space: str) -> tuple[Array, Array]:
        """Mean and sd in `space` where f has `mean` and `variance`, elementwise."""

    def outcome_probabilities(self, mean: Array, variance: Array) -> Array | None:
        """The probability of every value of an outcome (m, K); None if outcomes are numbers."""
