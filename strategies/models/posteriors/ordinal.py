"""The posterior of the latent function behind ordinal outcomes.

Notation as in ordinal_likelihood.py and posterior.py. In ``"outcome"`` space predictions are E[y | f], the
expected level between 0 and K - 1, averaged over what is not known about f.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import brentq

from fechner.strategies.models.inference import ordinal_likelihood
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array


@dataclass(frozen=True)
class OrdinalPosterior(Posterior):
    """A posterior with cut-points; `binary` is False, and `noise` has no meaning.

    Attributes:
        cuts: (K - 1,) increasing cut-points.
    """

    cuts: Array = field(default_factory=lambda: np.zeros(1))

    def space_named(self, named: str | None) -> str | None:
        """The space that a request means by `named`, or by none: that of outcomes; none of probabilities."""
        if named == "probability":
            return None
        return "latent" if named == "latent" else "outcome"

    def levels(self, mean: Array, variance: Array) -> Array:
        """P(y = k), (m, K), where f has `mean` and `variance` (m,)."""
        return ordinal_likelihood.levels(mean, variance, self.cuts)

    def valued(self, latent: Array, space: str) -> Array:
        """The value of `latent` f in `space`, elementwise."""
        return latent if space == "latent" else ordinal_likelihood.expected_level(latent, self.cuts)

    def range(self) -> tuple[float, float]:
        """The expected levels between which curves run."""
        return 0.0, float(len(self.cuts))

    def latent_of(self, value: float) -> float:
        """The f at which the expected level is `value`; infinite outside the levels."""
        low, high = self.range()
        if not low < value < high:
            return -np.inf if value <= low else np.inf
        ends = float(self.cuts[0]) - 40.0, float(self.cuts[-1]) + 40.0
        below, beyond = (
            float(ordinal_likelihood.expected_level(np.array(end), self.cuts)) - value for end in ends
        )
        if below >= 0 or beyond <= 0:
            return ends[0] if below >= 0 else ends[1]

        def excess(latent: float) -> float:
            return float(ordinal_likelihood.expected_level(np.array(latent), self.cuts)) - value

        return float(brentq(excess, *ends, xtol=1e-12))

    def moments_of(self, mean: Array, variance: Array, space: str) -> tuple[Array, Array]:
        """Mean and sd in `space` where f has `mean` and `variance`, elementwise."""
        if space == "latent":
            return mean, np.sqrt(variance)
        first, second = ordinal_likelihood.level_moments(mean, variance, self.cuts)
        return first, np.sqrt(second)

    def value_moments(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Mean and variance of the expected level where f has `mean` and `variance`, elementwise."""
        return ordinal_likelihood.level_moments(mean, variance, self.cuts)

    def outcome_probabilities(self, mean: Array, variance: Array) -> Array:
        """P(y = k), (m, K), where f has `mean` and `variance` (m,)."""
        return self.levels(mean, variance)

    def expected_precision(self, mean: Array, variance: Array) -> Array:
        """What an outcome where f has `mean` and `variance` (m,) brings, before it is seen."""
        return ordinal_likelihood.expected_information(mean, variance, self.cuts)
