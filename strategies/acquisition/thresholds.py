"""How well a semi-parametric model knows the threshold of the intensity (`SemiPThresholdObjective`).

At every context c the mean of f is linear in the intensity x (semi_parametric_layout.py), T(c) + S(c) x, so
that the threshold, where f = gamma, is x* = (gamma - T) / S, and its variance var f(x*, c) / S^2 (delta
method); the intensity of the point asked about has no part in it. For SemiParametricGPModel that is var o +
(gamma / s)^2 var log s, less what o and s have in common. In units of the intensity's range.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fechner.strategies.acquisition.acquisition import AT_A_POINT, Acquisition, made, target_of
from fechner.strategies.acquisition.slopes import Gradients, Values
from fechner.strategies.models.kernels.of_intensity import OfIntensity
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.specification import Component

LEAST_SLOPE = 1e-3
STEP = 1e-4  # of differences, in unit space


def build(objective: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """The acquisition function that SemiPThresholdObjective makes of any."""
    return made(variance(posterior, target_of(objective)), AT_A_POINT)


def thresholds(posterior: Posterior, target: float) -> Callable[[Array], tuple[Array, Array]]:
    """Points (m, d) to the mean and the variance (m,) of the threshold at their contexts, in unit space.

    Raises:
        ValueError: the posterior is of no semi-parametric model.
    """
    covariance = posterior.covariance
    if not isinstance(covariance, OfIntensity):
        raise ValueError("SemiPThresholdObjective needs a semi-parametric model")
    place, gamma = covariance.place, posterior.latent_of(target)

    def moments(x: Array) -> tuple[Array, Array]:
        low, high = x.copy(), x.copy()
        low[:, place], high[:, place] = 0.0, 1.0
        beginning = posterior.latent(low)[0]
        slope = posterior.latent(high)[0] - beginning
        slope = np.where(slope < 0, -1.0, 1.0) * np.maximum(np.abs(slope), LEAST_SLOPE)
        found = (gamma - beginning) / slope
        low[:, place] = found
        return found, posterior.latent(low)[1] / np.square(slope)

    return moments


def variance(posterior: Posterior, target: float) -> tuple[Values, Gradients]:
    """The variance of the threshold as a function of (m, d) points, and the same with its gradients."""
    moments = thresholds(posterior, target)

    def values(x: Array) -> Array:
        return moments(x)[1]

    def gradients(x: Array) -> tuple[Array, Array]:
        m, d = x.shape
        steps = STEP * np.vstack([np.eye(d), -np.eye(d)])
        around = values((x[:, None] + steps).reshape(-1, d)).reshape(m, 2, d)
        return values(x), (around[:, 0] - around[:, 1]) / (2.0 * STEP)

    return values, gradients
