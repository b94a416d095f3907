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
from fechner.strategies.generators.effort import effort
from fechner.strategies.generators.searching import Found, Search
from fechner.strategies.models.kernels.of_intensity import OfIntensity
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.plugins.resolve import entry
from fechner.strategies.space.region import inside, sampled
from fechner.strategies.specification import Component

#: The function of a point that the context is chosen by.
VARIANCE = "MCPosteriorVariance"


def point(generator: Component, core: Posterior, search: Search) -> Found:
    """The next point.

    Args:
        generator: with its keys context_objective, acqf, restarts, samps and max_gen_time.
        core: the posterior of a semi-parametric model.
        search: what is known; a time limit of the request counts for nothing.
    """
    assert isinstance(core.covariance, OfIntensity)
    request, space = search.request, search.request.space
    place, objective = core.covariance.place, generator.keys["context_objective"]
    fixed = request.fixed
    held, along = dict(fixed), None
    if any(other != place and other not in fixed for other in range(space.d)):
        # whatever intensity would be shown there
        anywhere = "build" in entry(objective).functions and not space.constraints
        acqf = Component(VARIANCE, {"objective": objective})
        begin = {place: 0.5, **fixed} if anywhere else fixed
        chosen = _best(generator, acqf, core, search, "context", begin, None)
        held |= {other: float(chosen[other]) for other in range(space.d) if other != place}
        if space.constraints:  # the point found is allowed, whatever else is at its context
            along = np.tile(chosen, (int(generator.keys["samps"]) + 1, 1))
            if place not in fixed:
                along[1:, place] = sobol(key(search.seed, "along"), 1, 0, len(along) - 1)[:, 0]
    return Found(_best(generator, generator.keys["acqf"], core, search, "intensity", held, along))


def _best(
    generator: Component,
    acqf: Component,
    core: Posterior,
    search: Search,
    purpose: str,
    held: Mapping[int, float],
    points: Array | None,
) -> Array:
    """The best point (d,) by `acqf`, with values `held` by place, among `points` (m, d) to begin with."""
    request, space, keyed = search.request, search.request.space, key(search.seed, purpose)
    function = build(acqf, core, seed=keyed, pending=search.pending)
    scan, starts, evaluations = effort(
        generator.keys, None, function.nominal_seconds, 2 * request.n, request.tier
    )
    if space.constraints:
        function = kept_inside(function, partial(inside, space, given=tuple(request.fixed)))
        if points is None:
            points = sampled(space, sobol, keyed, 1, 0, scan, held)[:, 0]
    return maximise_on(
        function, core.covariance.lengthscales, levels_of(space), seed=keyed, scan=scan, starts=starts,
        evaluations=evaluations, fixed=held, points=points, poll=request.poll,
    )[0]  # fmt: skip
