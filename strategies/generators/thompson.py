"""Thompson sampling of a threshold: where one curve drawn from the posterior crosses the target.

W. R. Thompson (1933), On the likelihood that one unknown probability exceeds another in view of the evidence
of two samples, Biometrika 25:285-294, of a function, with the target in the place of the maximum. A sample
of f is drawn at many places at once, and the place is taken at which its probability is nearest to the
target. The model is any of binary outcomes; by default the monotone one, whose samples nearly are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fechner.strategies.acquisition.objectives import objective_of
from fechner.strategies.config.judging.combinations import THOMPSON as NAME
from fechner.strategies.models.posteriors.posterior import Posterior, root_of
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.randomness import key, rng
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.space.parameters import Space
from fechner.strategies.space.region import sampled
from fechner.strategies.specification import Component

__all__ = ["NAME", "crossing"]


def crossing(
    generator: Component,
    core: Posterior,
    space: Space,
    *,
    seed: int,
    pending: Array,
    n: int,
    fixed: Mapping[int, float],
    tier: str | None = None,
    poll: Poll | None = None,
) -> Array:
    """The point (d,), at levels and steps, where a sample of f is nearest to the target.

    Args:
        generator: with its keys num_ts_points, target_value and objective (whose probability is meant; the
            model's own if None).
        core: the posterior.
        space: the search space.
        seed: of the places and of the sample: another one for every point.
        pending, n, tier: not needed.
        fixed: values in unit space of dimensions that are not free.
        poll: called before the computation; may raise to cancel.
    """
    if poll is not None:
        poll()
    count, keyed = int(generator.keys["num_ts_points"]), key(seed, "places")
    points = sampled(space, sobol, keyed, 1, 0, count, fixed)[:, 0]
    points = np.unique(space.displayed(points, tuple(fixed)), axis=0)
    mean, covariance = core.joint(points)
    latent = mean + root_of(covariance) @ rng(seed, "sample").standard_normal(len(points))
    objective = objective_of(generator.keys.get("objective"), core)
    value = core.probability(latent) if objective is None else objective.value(latent)
    out: Array = points[int(np.argmin(np.abs(value - float(generator.keys["target_value"]))))]
    return out
