"""What a simulated observer is: a probability of outcome 1 for every configuration, and draws from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fechner.strategies.numerics.normal import ndtr, ndtri


@dataclass(frozen=True)
class Observer:
    """A simulated observer with binary outcomes, y ~ Bernoulli(guess + (1 - guess - lapse) F(config)).

    Attributes:
        name: of the problem.
        bounds: (lower, upper) of every parameter, by name and in order.
        latent: a configuration, parameter name to value, to f, where F = Phi(f).
        target: the probability whose level set or threshold is sought.
        guess, lapse: probability of a 1 without, and of a 0 with, perception.
        scales: parameters that are best searched on a log scale.
    """

    name: str
    bounds: Mapping[str, tuple[float, float]]
    latent: Callable[[Mapping[str, Any]], float]
    target: float = 0.75
    guess: float = 0.0
    lapse: float = 0.0
    scales: Mapping[str, str] = field(default_factory=dict)

    def probability(self, config: Mapping[str, Any]) -> float:
        """P(y = 1) at a configuration (name to value)."""
        return self.guess + (1.0 - self.guess - self.lapse) * float(ndtr(self.latent(config)))

    def sample(self, config: Mapping[str, Any], rng: np.random.Generator) -> int:
        """One outcome, 0 or 1."""
        return int(rng.random() < self.probability(config))

    def latent_target(self) -> float:
        """The f at which P(y = 1) is the target."""
        return float(ndtri((self.target - self.guess) / (1.0 - self.guess - self.lapse)))
