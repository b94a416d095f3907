"""The next points of a state as plain data: the half of an ask that computes (strategy.py has the other one).

By kind of generator: points of a list or that fill the space, here; points of an acquisition function, or of
a plug-in, in computed.py, which is imported when it is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fechner.strategies._lazy import Lazy
from fechner.strategies.core.proposal import Emit, Proposal, stage_seed
from fechner.strategies.core.sequential import advance
from fechner.strategies.core.state import State
from fechner.strategies.errors import FechnerError
from fechner.strategies.generators.manual import n_points, points_of
from fechner.strategies.generators.random import uniform
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.plugins.resolve import entry, function, located, resolve
from fechner.strategies.space.region import sampled
from fechner.strategies.tiers import PREVIOUS_FIT, SCAN, SPACE_FILLING_TIER

if TYPE_CHECKING:
    from fechner.strategies.core import computed
else:
    computed = Lazy("fechner.strategies.core.computed")


def needs_model(state: State) -> bool:
    """Whether the next ask may compute with a model, or with a plug-in (and so belongs to a worker)."""
    state = advance(state)
    if state.current.generator.plugin:
        return True
    return (
        state.current.model is not None
        and state.n_modelled > 0
        and entry(state.current.generator).needs_model
    )


def propose(
    state: State,
    n: int = 1,
    fixed: Mapping[str, Any] | None = None,
    tier: str | None = None,
    poll: Poll | None = None,
    emit: Emit | None = None,
) -> Proposal:
    """The next `n` points, as plain data for `adopt`.

    Args:
        state: the newest state.
        n: how many points; fewer come where the stage's `max_asks` or finite list leaves fewer.
        fixed: raw values of parameters that the points must have.
        tier: how much to compute (tiers.py); everything if None.
        poll: called between steps of the computation; may raise to cancel it.
        emit: given the proposal of each lower tier, as `tier` gives it, as soon as there is one.

    Returns:
        `stage` (index), `points` (nested lists `n x s x d`, unit space), `tier`, and, from a model,
        `hyperparameters` and `fit_version` where they were fitted anew, `post_mean`, `post_sd` at the points,
        `post_range`, `max_post_var`, `warnings`, `device`; `again`, how many of the points were queued by a
        skip.

    Raises:
        FechnerError: unknown_parameter, out_of_bounds or bad_value in `fixed`.
    """
    state = advance(state)
    n = _capped(state, n)
    units = _fixed_units(state, fixed or {})
    again = [] if units else [point.tolist() for point in state.queue[:n]]
    if len(again) == n:
        return {"stage": state.stage, "points": again, "tier": "generator", "again": n}
    waiting = replace(state, pending=(*state.pending, *state.queue)) if again else state
    emitting = None if emit is None else lambda part: emit(_behind(again, part))
    return _behind(again, _new_points(waiting, n - len(again), units, tier, poll, emitting))


def _behind(again: list[Any], proposal: Proposal) -> Proposal:
    """A proposal behind points that a skip queued."""
    if again:
        proposal["points"] = again + proposal["points"]
        proposal["again"] = len(again)
        if "post_mean" in proposal:
            proposal["post_mean"] = [*(None for _ in again), *proposal["post_mean"]]
        if "post_sd" in proposal:
            proposal["post_sd"] = [*(None for _ in again), *proposal["post_sd"]]
    return proposal


def _new_points(
    state: State,
    n: int,
    units: dict[int, float],
    tier: str | None,
    poll: Poll | None,
    emit: Emit | None,
) -> Proposal:
    """A proposal of `n` points of the current stage's generator."""
    generator = state.current.generator
    computes = needs_model(state) and tier != SPACE_FILLING_TIER
    if not computes:
        return _without_model(state, n, units)
    if generator.plugin:
        if state.n_modelled > 0 or not resolve(generator).needs_model:
            return computed.plugged(state, n, units, poll)
        return _without_model(state, n, units)
    if "mixed" in entry(generator).functions:
        return _mixed(state, n, units, tier, poll, emit)
    return _by_model(state, n, units, tier, poll, emit)


def _by_model(
    state: State,
    n: int,
    units: dict[int, float],
    tier: str | None,
    poll: Poll | None,
    emit: Emit | None,
) -> Proposal:
    """A proposal by the stage's model, or points that fill the space where arithmetic fails."""
    proposal, faults = computed.by_model(state, n, units, tier, poll, emit)
    if proposal is None:
        # no deadline cut it short: `generator` makes a replay compute, and fail, all the same
        proposal = _without_model(state, n, units) | {"tier": "generator"}
    return {**proposal, "warnings": [*proposal.get("warnings", ()), faults]} if faults else proposal


def _mixed(
    state: State,
    n: int,
    units: dict[int, float],
    tier: str | None,
    poll: Poll | None,
    emit: Emit | None,
) -> Proposal:
    """A proposal of a generator that puts together points of another one and random ones."""
    generator, seed = state.current.generator, stage_seed(state, "epsilon")
    put_together = function(generator, "mixed")

    def proposal(tier: str | None) -> Proposal:
        out: Proposal = put_together(
            generator,
            state.stage,
            seed,
            state.stage_asked,
            n,
            lambda count: _by_model(state, count, units, tier, poll, None),
            lambda place: _random_point(state, place, units),
        )
        return out

    if emit is not None:
        emit(proposal(PREVIOUS_FIT))
        emit(proposal(SCAN))
    return proposal(tier)


def _without_model(state: State, n: int, units: dict[int, float]) -> Proposal:
    """A proposal of points of a list, or of points that fill the space."""
    space, generator = state.space, state.current.generator
    functions = {} if generator.plugin else entry(generator).functions
    stimuli, first = state.specification.stimuli_per_trial, state.stage_new
    listed = "listed" in functions
    if listed:
        if units:
            raise FechnerError(
                "bad_value",
                f"a {generator.name} has its points from the configuration; it can't honour fixed values",
                where="message.fixed",
                hint="leave `fixed` out in this stage",
            )
        points = points_of(generator, space, stimuli, stage_seed(state, "manual"), first, n)
    else:
        fill = located(functions["fill"]) if "fill" in functions else sobol
        seed = stage_seed(state, "fill")
        if space.constraints:
            points = sampled(space, fill, seed, stimuli, first, n, units)
        else:
            points = fill(seed, stimuli * space.d, first, n).reshape(n, stimuli, space.d).copy()
    for place, unit in units.items():
        points[:, :, place] = unit
    own = listed or "fill" in functions
    given = range(space.d) if listed else units
    points = np.stack([space.displayed(point, given) for point in points])
    return {
        "stage": state.stage,
        "points": points.tolist(),
        "tier": "generator" if own else SPACE_FILLING_TIER,
    }


def _random_point(state: State, place: int, units: dict[int, float]) -> Array:
    """A uniformly random point `s x d` of the current stage, the `place`-th, inside the constraints."""
    space, stimuli = state.space, state.specification.stimuli_per_trial
    seed = key(stage_seed(state, "explore"), place)
    point = sampled(space, uniform, seed, stimuli, 0, 1, units)[0]
    return space.displayed(point, units)


def _capped(state: State, n: int) -> int:
    """`n`, or what `max_asks` or a finite list leaves of it in an unfinished stage."""
    most, finite = state.current.max_asks, n_points(state.current.generator)
    left = [] if most is None else [most - state.stage_asked]
    left += [] if finite is None else [finite - state.stage_new + len(state.queue)]
    return min([n, *(k for k in left if k > 0)])


def _fixed_units(state: State, fixed: Mapping[str, Any]) -> dict[int, float]:
    """`fixed` as unit values by place among the free parameters."""
    if not fixed:
        return {}
    space = state.space
    clean = space.validate_fixed(dict(fixed), "message.fixed")
    whole = {**space.decode(np.full(space.d, 0.5)), **clean}
    unit = space.encode(whole)
    places = [i for i in space.free if space.names[i] in clean]
    return {list(space.free).index(i): float(unit[list(space.free).index(i)]) for i in places}
