"""What an objective makes of f before an acquisition function looks at it.

ProbitObjective: P(y = 1 | f) of the model itself, guess and lapse rate included. The others have a guess
rate of their own, `floor`, whatever the model's: floor + (1 - floor) F(f), with F the normal
(FloorProbitObjective) or the logistic distribution function (FloorLogitObjective), or 1 - exp(-exp f), the
Weibull function of a stimulus's logarithm (FloorGumbelObjective).

SemiPProbabilityObjective is the ProbitObjective, by the name that it has beside the semi-parametric models;
SemiPThresholdObjective, of these models alone, is in thresholds.py.

Notation: m points, f ~ N(mu, s2) there, mu and s2 (m,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import ndtr, probability_moments
from fechner.strategies.plugins.resolve import entry, function
from fechner.strategies.specification import Component

_Z: Array = np.linspace(-8.5, 8.5, 137)
_WEIGHTS: Array = np.exp(-0.5 * _Z * _Z)
_WEIGHTS /= _WEIGHTS.sum()


def probit(f: Array) -> Array:
    """The normal distribution function."""
    return ndtr(f)


def logit(f: Array) -> Array:
    """The logistic distribution function."""
    out: Array = expit(f)
    return out


def gumbel(f: Array) -> Array:
    """Weibull's, of a logarithm."""
    out: Array = -np.expm1(-np.exp(np.minimum(f, 50.0)))
    return out


@dataclass(frozen=True)
class Objective:
    """floor + span F(f).

    Attributes:
        shape: F.
        floor, span: the least value, and how far the greatest is from it.
    """

    shape: Callable[[Array], Array]
    floor: float
    span: float

    def value(self, latent: Array) -> Array:
        """Of f, elementwise."""
        out: Array = self.floor + self.span * self.shape(latent)
        return out

    def moments(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Its mean and variance, (m,)."""
        if self.shape is probit:
            first, second = probability_moments(mean, variance)
        else:
            shapes = self.shape(_nodes(mean, variance))
            first = shapes @ _WEIGHTS
            second = np.square(shapes - first[:, None]) @ _WEIGHTS
        return self.floor + self.span * first, self.span**2 * second

    def mean_of(self, function: Callable[[Array], Array], mean: Array, variance: Array) -> Array:
        """E[function(its value)], (m,)."""
        out: Array = function(self.value(_nodes(mean, variance))) @ _WEIGHTS
        return out


def _nodes(mean: Array, variance: Array) -> Array:
    """Places (m, k) at which N(mean, variance) is summed: trapezoidal, since what is summed is smooth."""
    return mean[:, None] + np.sqrt(variance)[:, None] * _Z


def objective_of(component: Component | None, posterior: Posterior) -> Objective | None:
    """The objective that a component names; None for none and for the model's own probability."""
    if component is None or "shape" not in entry(component).functions:
        return None
    floor = component.keys.get("floor")
    floor = 0.5 if floor is None else float(floor)
    return Objective(function(component, "shape"), floor, 1.0 - floor)
