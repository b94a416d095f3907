"""Pairs of stimuli by an acquisition function: fit or condition the model, maximise, pair after pair.

Notation: d free parameters, s of them shared by the two stimuli of a pair; a pair is searched as one vector
of 2d - s coordinates, the first stimulus' d and then the second's own d - s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fechner.strategies.acquisition.acquisition import Acquisition
from fechner.strategies.acquisition.constrained import kept_inside
from fechner.strategies.acquisition.levels import Levels, levels_of, maximise_on
from fechner.strategies.acquisition.preference import PairFunction
from fechner.strategies.acquisition.preference_improvement import contenders
from fechner.strategies.generators.acquisition import RANGE_POINTS
from fechner.strategies.generators.effort import effort
from fechner.strategies.generators.request import Generated, Request
from fechner.strategies.models.families.pairwise import fit, posterior
from fechner.strategies.models.posteriors.pairwise import PairwisePosterior
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.plugins.resolve import entry, function, located
from fechner.strategies.space.parameters import Space
from fechner.strategies.space.region import Flags, filled, inside, sampled
from fechner.strategies.specification import Component
from fechner.strategies.tiers import MODEL

#: Posterior, baseline (k, d) and seed to values of (m, d) stimuli, and to values with gradients.
Improvement = Callable[
    [PairwisePosterior, Array, int],
    tuple[Callable[[Array], Array], Callable[[Array], tuple[Array, Array]]],
]
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


def generate_pairs(generator: Component, model: Component, request: Request) -> Generated:
    """The next pairs, (n, 2, d).

    Several pairs are chosen one after the other; those chosen and those pending reduce the posterior variance
    by the information they bring in expectation, and leave its mean.

    Args:
        generator: with an acquisition function of pairs.
        model: of pairs.
        request: what is asked.

    Raises:
        FechnerError: bad_value where `fixed` leaves nothing that the constraints allow.
    """
    space, seed, y = request.space, request.seed, request.y[:, 0]
    if request.start is not None and not request.refit:
        hyperparameters = dict(request.start)
    else:
        hyperparameters = fit(model, request.x, y, request.start, poll=request.poll)
    core = posterior(model, request.x, y, hyperparameters, poll=request.poll)
    if space.constraints:  # whether there is any such pair
        sampled(space, sobol, key(seed, "allowed"), 2, 0, 1, request.fixed)
    points = _chosen(generator, core, request, shared_dimensions(model, space))
    mean, sd = core.preferred(points)
    width, variance = None, None
    if request.post_range:
        some = sobol(key(seed, "range"), 2 * space.d, 0, RANGE_POINTS).reshape(RANGE_POINTS, 2, space.d)
        means, sds = core.preferred(some)
        width, variance = float(np.ptp(means)), float(np.square(sds).max())
    return Generated(
        points,
        request.tier or MODEL,
        hyperparameters,
        [float(v) for v in mean],
        [float(v) for v in sd],
        width,
        variance,
        list(hyperparameters.get("warnings", ())),
    )


def _chosen(generator: Component, core: PairwisePosterior, request: Request, shared: frozenset[int]) -> Array:
    """The pairs (n, 2, d), one after the other."""
    space, fixed = request.space, request.fixed
    layout = _Layout(space.d, tuple(i for i in range(space.d) if i not in shared))
    levels = levels_of(space)
    acqf: Component = generator.keys["acqf"]
    functions = entry(acqf).functions
    work = effort(generator.keys, request.budget, NOMINAL_SECONDS, request.n, request.tier)
    search = _Search(*work, request.poll, space)
    expecting = core.expecting(request.pending)
    chosen: list[Array] = []
    for index in range(request.n):
        keyed = key(request.seed, "point", index)
        if "stimuli_in_turn" in functions:
            improvement = located(functions["stimuli_in_turn"])
            waiting = np.concatenate([request.pending, *(pair[None] for pair in chosen)])
            seen = waiting.reshape(-1, space.d)
            pair = _improving(improvement, expecting, seen, layout, levels, fixed, keyed, search)
        else:
            of_pairs: PairFunction = function(acqf, "pairs")(expecting)
            pair = _best_pair(of_pairs, expecting, layout, levels, fixed, keyed, search)
        chosen.append(pair)
        expecting = expecting.expecting(pair[None])
    return np.stack(chosen)


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
    improvement: Improvement,
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
        log_values, slopes = improvement(core, baseline, key(seed, place))

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
