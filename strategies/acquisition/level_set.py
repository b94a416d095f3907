"""The straddle heuristic for level sets (MCLevelSetEstimation), in closed form.

B. Bryan et al. (2005), Active learning for identifying function threshold boundaries, NeurIPS, eq. 2:
straddle(x) = 1.96 sd(x) - |mean(x) - target|. The key `beta` is the multiplier's square (3.84 = 1.96^2), so
value(x) = sqrt(beta) sd(x) - |mean(x) - target|, with mean and sd of p = P(y = 1 | f(x)) under a
ProbitObjective, of f(x) without an objective.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from fechner.strategies.models.normal import Array
from fechner.strategies.models.posterior import Posterior


def straddle(
    posterior: Posterior, target: float, beta: float, on_probability: bool
) -> Callable[[Array], Array]:
    """The straddle of (m, d) points as a function; `target` is a probability (`on_probability`) or an f."""
    space = "probability" if on_probability else "latent"
    multiplier = float(np.sqrt(beta))

    def values(x: Array) -> Array:
        mean, sd = posterior.moments(x, space)
        return multiplier * sd - np.abs(mean - target)

    return values
