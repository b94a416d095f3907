"""Pairs of stimuli by an acquisition function: fit or condition the model, maximise, pair after pair.

Notation: d free parameters, s of them shared by the two stimuli of a pair; a pair is searched as one vector
of 2d - s coordinates, the first stimulus' d and then the second's own d - s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fechner.strategies.acquisition.acquisition import Acquisition
from fechner.strategies.acquisition.constrained import kept_inside
from fechner.strategies.acquisition.levels import Levels, levels_of, maximise_on
from fechner.strategies.acquisition.preference import PairFunction, is_improvement, pair_function
from fechner.strategies.acquisition.preference_improvement import contenders, log_expected_improvement
from fechner.strategies.generators.acquisition import RANGE_POINTS
from fechner.strategies.generators.effort import effort
from fechner.strategies.models.families.pairwise import fit, posterior
from fechner.strategies.models.posteriors.pairwise import PairwisePosterior
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.space.parameters import Space
from fechner.strategies.space.region import Flags, filled, inside, sampled
from fechner.strategies.specification import Component
from fechner.strategies.tiers import MODEL

NOMINAL_SECONDS = 4e-5
CHUNK = 256


@dataclass(frozen=True)
class _Search:
    """How a point is searched for: scan, starts, evaluations, poll."""

    scan: int
    starts: int
    evaluations: int | None
    poll: Poll | None
    space: Space

    def allowed(self, x: Array, fixed: Mapping[int, float]) -> Flags:
        """Whether the constraints allow each of the stimuli x (m, d)."""
        return inside(self.space, x, tuple(fixed))


@dataclass(frozen=True)
class _Layout:
    """Between pairs (m, 2, d) and the vectors (m, 2d - s) that are searched."""

    d: int
    own: tuple[int, ...]  # the second stimulus' own coordinates

    def pairs(self, vectors: Array) -> Array:
        out = np.repeat(vectors[:, None, : self.d], 2, axis=1)
        out[:, 1, list(self.own)] = vectors[:, self.d :]
        return out

    def folded(self, slopes: Array) -> Array:
        """Derivatives by pairs (m, 2, d) as derivatives by vectors."""
        first = slopes[:, 0].copy()
        shared = [i for i in range(self.d) if i not in self.own]
        first[:, shared] += slopes[:, 1, shared]
        return np.hstack([first, slopes[:, 1, list(self.own)]])

    def spread(self, values: Sequence[Any]) -> list[Any]:
        """One value for each coordinate of a stimulus as one for each of a vector."""
        return [*values, *(values[i] for i in self.own)]

    def fixed(self, fixed: Mapping[int, float]) -> dict[int, float]:
        places = dict(enumerate(self.spread(range(self.d))))
        return {place: fixed[i] for place, i in places.items() if i in fixed}


def generate_pairs(
    space: Space,
    generator: Component,
    model: Component,
    x: Array,
    y: Array,
    pending: Array,
    *,
    n: int,
    fixed: Mapping[int, float],
    start: Mapping[str, Any] | None,
    refit: bool,
    seed: int,
    budget: float | None = None,
    post_range: bool = False,
    tier: str | None = None,
    poll: Poll | None = None,
) -> dict[str, Any]:
    """The next `n` pairs, (n, 2, d); arguments and answer as those of `generators.acquisition.generate`.

    Several pairs are chosen one after the other; those chosen and those pending reduce the posterior variance
    by the information they bring in expectation, and leave its mean. post_mean and post_sd are those of the
    probability that the second stimulus is preferred.

    Args:
        space: the search space, for the levels of integers and categories and the names of shared dimensions.
    """
    if start is not None and not refit:
        hyperparameters = dict(start)
    else:
        hyperparameters = fit(model, x, y, start, poll=poll)
    core = posterior(model, x, y, hyperparameters, poll=poll)
    if space.constraints:  # whether there is any such pair
        sampled(space, sobol, key(seed, "allowed"), 2, 0, 1, fixed)
    shared = shared_dimensions(model, space)
    layout = _Layout(space.d, tuple(i for i in range(space.d) if i not in shared))
    levels = levels_of(space)
    acqf: Component = generator.keys["acqf"]
    expecting = core.expecting(pending)
    chosen: list[Array] = []
    for index in range(n):
        keyed = key(seed, "point", index)
        search = _Search(*effort(generator.keys, budget, NOMINAL_SECONDS, n, tier), poll, space)
        if is_improvement(acqf):
            waiting = np.concatenate([pending, *(pair[None] for pair in chosen)]).reshape(-1, space.d)
            pair = _improving(expecting, waiting, layout, levels, fixed, keyed, search)
        else:
            function = pair_function(acqf.name, expecting)
            pair = _best_pair(function, expecting, layout, levels, fixed, keyed, search)
        chosen.append(pair)
        expecting = expecting.expecting(pair[None])
    points = np.stack(chosen)
    mean, sd = core.preferred(points)
    out: dict[str, Any] = {
        "points": points,
        "tier": tier or MODEL,
        "hyperparameters": hyperparameters,
        "post_mean": [float(v) for v in mean],
        "post_sd": [float(v) for v in sd],
        "post_range": None,
        "max_post_var": None,
        "warnings": list(hyperparameters.get("warnings", ())),
    }
    if post_range:
        some = sobol(key(seed, "range"), 2 * space.d, 0, RANGE_POINTS).reshape(RANGE_POINTS, 2, space.d)
        mean, sd = core.preferred(some)
        out["post_range"], out["max_post_var"] = float(np.ptp(mean)), float(np.square(sd).max())
    return out


def shared_dimensions(model: Component, space: Space) -> frozenset[int]:
    """The free parameters (by place) that both stimuli have in common: the factory's shared_dims."""
    factory = model.keys.get("mean_covar_factory")
    named = (factory.keys.get("shared_dims") if factory is not None else None) or ()
    indices = {space.names.index(name) if name in space.names else int(name) for name in named}
    return frozenset(place for place, index in enumerate(space.free) if index in indices)


def _best_pair(
    function: PairFunction,
    core: PairwisePosterior,
    layout: _Layout,
    levels: Levels,
    fixed: Mapping[int, float],
    seed: int,
    search: _Search,
) -> Array:
    """The best pair (2, d)."""

    def values(vectors: Array) -> Array:
        pairs = layout.pairs(vectors)
        same = np.all(pairs[:, 0] == pairs[:, 1], axis=1)  # comparing a stimulus with itself teaches nothing
        return np.where(same, -np.inf, function.values(pairs))

    def allowed(vectors: Array) -> Flags:
        pairs = layout.pairs(vectors)
        first, second = (search.allowed(pairs[:, stimulus], fixed) for stimulus in (0, 1))
        both: Flags = first & second
        return both

    def gradients(vectors: Array) -> tuple[Array, Array]:
        value, slopes = function.gradients(layout.pairs(vectors))
        return value, layout.folded(slopes)

    sought, candidates = Acquisition(values, CHUNK, NOMINAL_SECONDS, gradients), None
    if search.space.constraints:
        sought = kept_inside(sought, allowed)
        pairs = filled(search.space, sobol, seed, 2, 0, search.scan, fixed)
        candidates = np.hstack([pairs[:, 0], pairs[:, 1][:, list(layout.own)]])
    vector, _ = maximise_on(
        sought,
        np.array(layout.spread(list(core.covariance.lengthscales))),
        layout.spread(list(levels)),
        seed=seed,
        scan=search.scan,
        starts=search.starts,
        evaluations=search.evaluations,
        fixed=layout.fixed(fixed),
        points=candidates,
        poll=search.poll,
    )
    return np.asarray(layout.pairs(vector[None])[0])


def _improving(
    core: PairwisePosterior,
    waiting: Array,
    layout: _Layout,
    levels: Levels,
    fixed: Mapping[int, float],
    seed: int,
    search: _Search,
) -> Array:
    """The pair (2, d) whose stimuli improve most on those seen, the second also on the first."""
    baseline = contenders(core, waiting, key(seed, "baseline"))
    held = dict(fixed)
    stimuli: list[Array] = []
    for place in ("first", "second"):
        log_values, slopes = log_expected_improvement(core, baseline, key(seed, place))

        def values(x: Array, taken: tuple[Array, ...] = tuple(stimuli), of: Any = log_values) -> Array:
            out: Array = of(x)
            for one in taken:
                out = np.where(np.all(x == one, axis=1), -np.inf, out)
            return out

        sought, candidates = Acquisition(values, CHUNK, NOMINAL_SECONDS, slopes), None
        if search.space.constraints:
            sought = kept_inside(sought, partial(search.allowed, fixed=dict(held)))
            found = filled(search.space, sobol, key(seed, place), 1, 0, search.scan, held)
            candidates = found[:, 0] if len(found) else None
        stimulus, _ = maximise_on(
            sought,
            core.covariance.lengthscales,
            levels,
            seed=key(seed, place),
            scan=search.scan,
            starts=search.starts,
            evaluations=search.evaluations,
            fixed=held,
            points=candidates,
            poll=search.poll,
        )
        stimuli.append(stimulus)
        baseline = np.concatenate([baseline, stimulus[None]])
        held |= {i: float(stimulus[i]) for i in range(layout.d) if i not in layout.own}
    return np.stack(stimuli)
