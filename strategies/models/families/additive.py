"""The linear-additive audiometric kernel (`SongMeanCovarFactory`).

X. D. Song, B. M. Wallace, J. R. Gardner, N. M. Ledbetter, K. Q. Weinberger & D. L. Barbour (2015), Fast,
continuous audiogram estimation using machine learning, Ear and Hearing 36:e326-e335; X. D. Song, R. Garnett &
D. L. Barbour (2017), Psychometric function estimation by probabilistic classification, J. Acoust. Soc. Am.
141:2513-2525: k(x, x') = v exp(-1/2 sum_j (x_j - x'_j)^2 / l_j^2) over the context (frequency) alone, plus a
linear kernel of the intensity, so that every psychometric curve has one slope and its threshold is smooth in
the context. In the terms of covariance.py: the intensity's length scale is as good as infinite, and only
its slope has a variance. With `intensity_RBF` the intensity is among the squared exponential's coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

from fechner.strategies.models.fitting.priors import classification_priors
from fechner.strategies.models.fitting.theta import (
    LOG_LENGTHSCALE_RANGE,
    LOG_VARIANCE_RANGE,
    Evidence,
    Layout,
)
from fechner.strategies.models.kernels.categories import counts_of
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.specification import Component

FACTORY = "SongMeanCovarFactory"


@dataclass(frozen=True)
class Additive(Layout):
    """A layout in which what belongs to the other kind of coordinate is held at an end of its range.

    Attributes:
        stim_dim: the intensity.
        intensity_rbf: whether it is among the squared exponential's coordinates.
    """

    stim_dim: int = -1
    intensity_rbf: bool = False

    def bounds(self) -> list[tuple[float, float]]:
        out = super().bounds()
        intensity, d = self.stim_dim % self.d, self.d
        if not self.intensity_rbf:
            out[intensity] = (LOG_LENGTHSCALE_RANGE[1], LOG_LENGTHSCALE_RANGE[1])
        slopes = d + (self.priors.variance is not None)
        for dimension in range(d):
            if dimension != intensity:
                out[slopes + dimension] = (LOG_VARIANCE_RANGE[0] - 16.0, LOG_VARIANCE_RANGE[0] - 16.0)
        return out

    def objective(self, theta: Array, evidence: Evidence) -> tuple[float, Array]:
        value, gradient = super().objective(self.inside(theta), evidence)
        for index, (low, high) in enumerate(self.bounds()):
            if low == high:
                gradient[index] = 0.0
        return value, gradient


def layout_of(component: Component, d: int) -> Layout:
    """The layout of theta of a binary model, additive where its factory says so."""
    priors = classification_priors(component, d)
    factory = component.keys.get("mean_covar_factory")
    if factory is None or factory.name != FACTORY:
        return Layout(priors, d, categories=counts_of(component))
    stim_dim = (factory.keys.get("stim_dim") or (-1,))[0]
    return Additive(
        priors, d, stim_dim, bool(factory.keys.get("intensity_RBF")), categories=counts_of(component)
    )
