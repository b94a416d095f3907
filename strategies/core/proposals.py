"""The next points of a state as plain data: the half of an ask that computes (strategy.py has the other one).

By kind of generator: points of a list or that fill the space, here; points of an acquisition function, or of
a plug-in, by the modules of `generators`, which are imported when they are needed.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fechner.strategies.core.sequential import advance
from fechner.strategies.core.state import State
from fechner.strategies.errors import FechnerError
from fechner.strategies.generators.epsilon_greedy import epsilon_greedy
from fechner.strategies.generators.manual import n_points, points_of
from fechner.strategies.generators.random import uniform
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.numerics.threads import single_thread
from fechner.strategies.plugins.resolve import resolve
from fechner.strategies.space.region import sampled
from fechner.strategies.tiers import PREVIOUS_FIT, SCAN, SPACE_FILLING_TIER

Proposal = dict[str, Any]
Emit = Callable[[Proposal], None]

SPACE_FILLING = ("SobolGenerator", "RandomGenerator", "ManualGenerator", "SampleAroundPointsGenerator")


def stage_seed(state: State, purpose: str) -> int:
    """The seed of one purpose in the current stage; generator's, else stage's, else the strategy's own."""
    stage = state.current
    own = stage.generator.keys.get("seed")
    seed = next(s for s in (own, stage.seed, state.seed) if s is not None)
    return key(seed, "strategy", state.index, "stage", state.stage, purpose)


def needs_model(state: State) -> bool:
    """Whether the next ask may compute with a model, or with a plug-in (and so belongs to a worker)."""
    state = advance(state)
    if state.current.generator.plugin:
        return True
    return (
        state.current.generator.name not in SPACE_FILLING
        and state.current.model is not None
        and state.n_modelled > 0
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
        for name in ("post_mean", "post_sd"):
            if name in proposal:
                proposal[name] = [None] * len(again) + proposal[name]
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
    space, generator = state.space, state.current.generator
    stimuli = state.specification.stimuli_per_trial
    computes = needs_model(state) and tier != SPACE_FILLING_TIER
    if computes and generator.plugin:
        if state.n_modelled > 0 or not resolve(generator).needs_model:
            return _plugged_proposal(state, n, units, poll)
        computes = False
    if computes and generator.name == "EpsilonGreedyGenerator":

        def greedy(tier: str | None) -> Proposal:
            return epsilon_greedy(
                generator,
                state.stage,
                stage_seed(state, "epsilon"),
                state.stage_asked,
                n,
                lambda count: _model_proposal(state, count, units, tier, poll, None),
                lambda place: _random_point(state, place, units),
            )

        if emit is not None:
            emit(greedy(PREVIOUS_FIT))
            emit(greedy(SCAN))
        return greedy(tier)
    if computes:
        return _model_proposal(state, n, units, tier, poll, emit)
    first = state.stage_new
    listed = n_points(generator) is not None
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
        fill = uniform if generator.name == "RandomGenerator" else sobol
        seed = stage_seed(state, "fill")
        if space.constraints:
            points = sampled(space, fill, seed, stimuli, first, n, units)
        else:
            points = fill(seed, stimuli * space.d, first, n).reshape(n, stimuli, space.d).copy()
    for place, unit in units.items():
        points[:, :, place] = unit
    tier = "generator" if generator.name in SPACE_FILLING else "space_filling"
    given = range(space.d) if listed else units
    points = np.stack([space.displayed(point, given) for point in points])
    return {"stage": state.stage, "points": points.tolist(), "tier": tier}


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


def _model_proposal(
    state: State,
    n: int,
    units: dict[int, float],
    tier: str | None,
    poll: Poll | None,
    emit: Emit | None,
) -> Proposal:
    """A proposal of the stage's acquisition function, or what stands for it where arithmetic fails.

    These are the hyperparameters of the last fit, and without them points that fill the space; a warning of
    the proposal says so.
    """
    try:
        return _acquired(state, n, units, tier, poll, emit, _refit(state))
    except np.linalg.LinAlgError as error:
        said = f"the model could not be computed ({error})"
    proposal: Proposal | None = None
    if usable_hyperparameters(state) is not None and _refit(state):
        with contextlib.suppress(np.linalg.LinAlgError):
            proposal = _acquired(state, n, units, tier, poll, None, False)
            said += "; the hyperparameters of the last fit are used"
    if proposal is None:
        # no deadline cut it short: `generator` makes a replay compute, and fail, all the same
        proposal = _new_points(state, n, units, SPACE_FILLING_TIER, poll, None) | {"tier": "generator"}
        said += "; the points fill the space"
    return {**proposal, "warnings": [*proposal.get("warnings", ()), said]}


def _acquired(
    state: State,
    n: int,
    units: dict[int, float],
    tier: str | None,
    poll: Poll | None,
    emit: Emit | None,
    refit: bool,
) -> Proposal:
    """A proposal of the stage's acquisition function; `refit` fits hyperparameters anew."""
    from fechner.strategies.generators.acquisition import generate
    from fechner.strategies.generators.independent import generate_for_several
    from fechner.strategies.generators.pairs import generate_pairs
    from fechner.strategies.models import fit

    stage = state.current
    assert stage.model is not None
    x, y = state.modelled()
    start = usable_hyperparameters(state)
    pending = np.array(state.pending).reshape(len(state.pending), *x.shape[1:])
    function: Callable[..., dict[str, Any]]
    function = functools.partial(generate_pairs if x.shape[1] == 2 else generate, state.space)
    told = y[:, 0]
    if len(state.specification.outcomes) > 1:
        function, told = functools.partial(generate_for_several, state.space, state.stage_new), y
    generator = stage.generator.keys.get("subgenerator") or stage.generator
    compute = functools.partial(
        function,
        generator,
        stage.model,
        x,
        told,
        pending,
        n=n,
        fixed=units,
        seed=key(stage_seed(state, "acquisition"), state.stage_asked),
        post_range=stage.min_post_range is not None or stage.log_post_var,
        poll=poll,
    )

    def proposal(result: Mapping[str, Any]) -> Proposal:
        return _proposal_of(state, units, result, refit and result["tier"] != PREVIOUS_FIT)

    with single_thread():
        if tier == PREVIOUS_FIT or emit is not None:
            before = start if start is not None else fit(stage.model, x[:0], told[:0])  # the priors' own
            previous = proposal(compute(start=before, refit=False, tier=PREVIOUS_FIT))
            if emit is None:
                return previous
            emit(previous)
            quick = compute(start=start, refit=refit, tier=SCAN)
            emit(proposal(quick))
            return proposal(compute(start=quick["hyperparameters"], refit=False))
        return proposal(compute(start=start, refit=refit, tier=tier))


def _plugged_proposal(state: State, n: int, units: dict[int, float], poll: Poll | None) -> Proposal:
    """A proposal of a plug-in's generator."""
    from fechner.strategies.generators.plugged import Request, generate_plugged

    stage = state.current
    x, y = state.modelled()
    request = Request(
        space=state.space,
        n=n,
        first=state.stage_new,
        seed=stage_seed(state, "plug-in"),
        stimuli=state.specification.stimuli_per_trial,
        x=x,
        y=y,
        pending=np.array(state.pending).reshape(len(state.pending), *x.shape[1:]),
        fixed=units,
        posterior=None,
        poll=poll or (lambda: None),
    )
    model = stage.model if resolve(stage.generator).needs_model else None
    start, refit = usable_hyperparameters(state), model is not None and _refit(state)
    wanted = stage.min_post_range is not None or stage.log_post_var
    with single_thread():
        result = generate_plugged(stage.generator, model, request, start, refit, wanted)
    return _proposal_of(state, units, result, refit)


def _refit(state: State) -> bool:
    """Whether the next ask fits hyperparameters anew."""
    stage = state.current
    if usable_hyperparameters(state) is None:
        return True
    if stage.name in state.seed_data and state.stage_asked == 0:
        return True  # the first ask that sees them
    return state.asked // stage.refit_every > state.fit_asked // stage.refit_every


def _proposal_of(state: State, units: dict[int, float], result: Mapping[str, Any], refit: bool) -> Proposal:
    """What a generator gave, as plain data; `refit` says whether its hyperparameters are new."""
    points = np.stack([state.space.displayed(point, units) for point in result["points"]])
    proposal: Proposal = {"stage": state.stage, "points": points.tolist(), "tier": result["tier"]}
    if refit:
        proposal["hyperparameters"] = dict(result["hyperparameters"])
        proposal["fit_version"] = state.data_version
    for name in ("post_mean", "post_sd"):
        if name in result:
            proposal[name] = [float(v) for v in result[name]]
    if result.get("post_range") is not None:
        proposal["post_range"] = float(result["post_range"])
    if state.current.log_post_var and result.get("max_post_var") is not None:
        proposal["max_post_var"] = float(result["max_post_var"])
    if result.get("device") is not None:
        proposal["device"] = result["device"]
    if result.get("warnings"):
        proposal["warnings"] = list(result["warnings"])
    return proposal


def usable_hyperparameters(state: State) -> Mapping[str, Any] | None:
    """The last fit's hyperparameters if the current stage's model can start from them."""
    model, left = state.current.model, state.hyperparameters
    return left if model is not None and left is not None and left.get("model") == model.name else None
