"""Thompson sampling of a threshold: where one curve drawn from the posterior crosses the target.

W. R. Thompson (1933), On the likelihood that one unknown probability exceeds another in view of the evidence
of two samples, Biometrika 25:285-294, of a function, with the target in the place of the maximum. A sample
of f is drawn at many places at once, and the place is taken at which its probability is nearest to the
target. The model is any of binary outcomes; by default the monotone one, whose samples nearly are.
"""

from __future__ import annotations

import numpy as np

from fechner.strategies.acquisition.objectives import objective_of
from fechner.strategies.generators.searching import Found, Search
from fechner.strategies.models.posteriors.posterior import Posterior, root_of
from fechner.strategies.numerics.randomness import key, rng
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.space.region import sampled
from fechner.strategies.specification import Component


def crossing(generator: Component, core: Posterior, search: Search) -> Found:
    """The point, at levels and steps, where a sample of f is nearest to the target.

    Args:
        generator: with its keys num_ts_points, target_value and objective (whose probability is meant; the
            model's own if None).
        core: the posterior.
        search: with another seed for every point, of the places and of the sample.
    """
    request, space, seed = search.request, search.request.space, search.seed
    request.poll()
    count, keyed = int(generator.keys["num_ts_points"]), key(seed, "places")
    points = sampled(space, sobol, keyed, 1, 0, count, request.fixed)[:, 0]
    points = np.unique(space.displayed(points, tuple(request.fixed)), axis=0)
    mean, covariance = core.joint(points)
    latent = mean + root_of(covariance) @ rng(seed, "sample").standard_normal(len(points))
    objective = objective_of(generator.keys.get("objective"), core)
    value = core.probability(latent) if objective is None else objective.value(latent)
    nearest = int(np.argmin(np.abs(value - float(generator.keys["target_value"]))))
    return Found(points[nearest])
