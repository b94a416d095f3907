"""What an acquisition function is to the optimiser, and the registry of those that this version has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from fechner.strategies.acquisition.level_set import straddle
from fechner.strategies.acquisition.look_ahead import expected_absolute_volume_change
from fechner.strategies.config.specification import Component
from fechner.strategies.models.normal import Array
from fechner.strategies.models.posterior import Posterior
from fechner.strategies.random import key


@dataclass(frozen=True)
class Acquisition:
    """An acquisition function over the unit box.

    Attributes:
        values: (m, d) points to (m,) values; the larger the better.
        chunk: points that one call evaluates within about 5 ms at n = 200.
        nominal_seconds: what one point is taken to cost where a time limit becomes a budget.
        gradients: (m, d) points to (m,) values and (m, d) gradients, or None where differences are cheap.
    """

    values: Callable[[Array], Array]
    chunk: int
    nominal_seconds: float
    gradients: Callable[[Array], tuple[Array, Array]] | None = None


def build(
    component: Component, posterior: Posterior, *, seed: int, pending: Array | None = None
) -> Acquisition:
    """The acquisition function that `component` names.

    Args:
        component: MCLevelSetEstimation, EAVC or qLogNoisyExpectedImprovement, and keys.
        posterior: of the model given the data.
        seed: of its Sobol points and samples.
        pending: (k, d) points handed out whose outcomes are not known; they reduce the variance.
    """
    keys: dict[str, Any] = dict(component.keys)
    waiting = np.zeros((0, posterior.x.shape[1])) if pending is None else pending
    if component.name == "qLogNoisyExpectedImprovement":
        from fechner.strategies.acquisition.improvement import log_noisy_expected_improvement

        values, gradients = log_noisy_expected_improvement(posterior, waiting, key(seed, "samples"))
        return Acquisition(values, 64, 1e-4, gradients)
    expecting = posterior.expecting(waiting) if len(waiting) else posterior
    target = keys.get("target")
    target = 0.75 if target is None else float(target)
    if component.name == "MCLevelSetEstimation":
        beta = keys.get("beta")
        on_probability = keys.get("objective") is not None
        return Acquisition(
            straddle(expecting, target, 3.84 if beta is None else float(beta), on_probability), 128, 4e-5
        )
    if component.name == "EAVC":
        count = int(keys.get("query_set_size") or 256)
        return Acquisition(
            expected_absolute_volume_change(expecting, target, count, key(seed, "query set")), 32, 3e-4
        )
    raise ValueError(f"{component.name} is no acquisition function of this version")
