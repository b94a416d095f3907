"""The context first, then the intensity (`IntensityAwareSemiPGenerator`), for semi-parametric models.

The context is where the `context_objective` is least known: the threshold of the intensity
(SemiPThresholdObjective; acquisition/thresholds.py), whatever intensity would be shown there, or the
probability at the best intensity (SemiPProbabilityObjective). At that context the intensity is the one that
the acquisition function `acqf` likes best: BernoulliMCMutualInformation (BALD), the most informative one, if
none is named. Points pending count in both. Without any context only the intensity is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from fechner.strategies.acquisition.acquisition import build
from fechner.strategies.acquisition.constrained import kept_inside
from fechner.strategies.acquisition.levels import levels_of, maximise_on
from fechner.strategies.config.judging.semi_parametric import GENERATOR as NAME
from fechner.strategies.config.judging.semi_parametric import OF_THRESHOLDS, VARIANCE
from fechner.strategies.generators.effort import effort
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.models.posteriors.semi_parametric import OfIntensity
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.space.parameters import Space
from fechner.strategies.space.region import inside, sampled
from fechner.strategies.specification import Component

__all__ = ["NAME", "point"]


def point(
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
    """The next point (d,), in unit space.

    Args:
        generator: with its keys context_objective, acqf, restarts, samps and max_gen_time.
        core: the posterior of a semi-parametric model.
        space: the search space.
        seed: of scans.
        pending: (k, d) points handed out whose outcomes are not known.
        n: how many points are asked for, which share a time limit.
        fixed: values in unit space of dimensions that are not free.
        tier: how much of the search to do (tiers.py).
        poll: called between evaluations; may raise to cancel.
    """
    assert isinstance(core.covariance, OfIntensity)
    place, objective = core.covariance.place, generator.keys["context_objective"]
    allowed = partial(inside, space, given=tuple(fixed))
    levels = levels_of(space)

    def found(acqf: Component, purpose: str, held: Mapping[int, float], points: Array | None) -> Array:
        keyed = key(seed, purpose)
        function = build(acqf, core, seed=keyed, pending=pending)
        scan, starts, evaluations = effort(generator.keys, None, function.nominal_seconds, 2 * n, tier)
        if space.constraints:
            function = kept_inside(function, allowed)
            if points is None:
                points = sampled(space, sobol, keyed, 1, 0, scan, held)[:, 0]
        return maximise_on(
            function, core.covariance.lengthscales, levels, seed=keyed, scan=scan, starts=starts,
            evaluations=evaluations, fixed=held, points=points, poll=poll,
        )[0]  # fmt: skip

    held, along = dict(fixed), None
    if any(other != place and other not in fixed for other in range(space.d)):
        anywhere = objective.name == OF_THRESHOLDS and not space.constraints
        chosen = found(
            Component(VARIANCE, {"objective": objective}),
            "context",
            {place: 0.5, **fixed} if anywhere else fixed,
            None,
        )
        held |= {other: float(chosen[other]) for other in range(space.d) if other != place}
        if space.constraints:  # the point found is allowed, whatever else is at its context
            along = np.tile(chosen, (int(generator.keys["samps"]) + 1, 1))
            if place not in fixed:
                along[1:, place] = sobol(key(seed, "along"), 1, 0, len(along) - 1)[:, 0]
    return found(generator.keys["acqf"], "intensity", held, along)
