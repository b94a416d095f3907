"""Proposals that a model, or a plug-in, has a part in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from fechner.strategies.core.proposal import Emit, Proposal, stage_seed, usable_hyperparameters
from fechner.strategies.core.state import State
from fechner.strategies.generators.acquisition import generate
from fechner.strategies.generators.independent import generate_for_several
from fechner.strategies.generators.pairs import generate_pairs
from fechner.strategies.generators.plugged import generate_plugged
from fechner.strategies.generators.request import Generated, Request, unpolled
from fechner.strategies.models import fit
from fechner.strategies.numerics.arrays import Poll
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.threads import single_thread
from fechner.strategies.plugins.resolve import resolve
from fechner.strategies.specification import Component
from fechner.strategies.tiers import PREVIOUS_FIT, SCAN

Generate = Callable[[Component, Component, Request], Generated]


def by_model(
    state: State,
    n: int,
    units: dict[int, float],
    tier: str | None,
    poll: Poll | None,
    emit: Emit | None,
) -> tuple[Proposal | None, str]:
    """A proposal of the stage's acquisition function, and what went wrong, for people.

    Where arithmetic fails the hyperparameters of the last fit stand in; without them there is none.
    """
    try:
        return _acquired(state, n, units, tier, poll, emit, _refit(state)), ""
    except np.linalg.LinAlgError as error:
        said = f"the model could not be computed ({error})"
    if usable_hyperparameters(state) is not None and _refit(state):
        with contextlib.suppress(np.linalg.LinAlgError):
            proposal = _acquired(state, n, units, tier, poll, None, False)
            return proposal, f"{said}; the hyperparameters of the last fit are used"
    return None, f"{said}; the points fill the space"


def plugged(state: State, n: int, units: dict[int, float], poll: Poll | None) -> Proposal:
    """A proposal of a plug-in's generator."""
    stage = state.current
    model = stage.model if resolve(stage.generator).needs_model else None
    refit = model is not None and _refit(state)
    seed = stage_seed(state, "plug-in")
    request = replace(_request(state, n, units, seed, poll), refit=refit)
    with single_thread():
        result = generate_plugged(stage.generator, model, request)
    return _proposal_of(state, units, result, refit)


def _request(state: State, n: int, units: dict[int, float], seed: int, poll: Poll | None) -> Request:
    """What the stage's generator is asked."""
    stage, (x, y) = state.current, state.modelled()
    return Request(
        space=state.space,
        n=n,
        first=state.stage_new,
        seed=seed,
        stimuli=state.specification.stimuli_per_trial,
        x=x,
        y=y,
        pending=np.array(state.pending).reshape(len(state.pending), *x.shape[1:]),
        fixed=units,
        start=usable_hyperparameters(state),
        post_range=stage.min_post_range is not None or stage.log_post_var,
        poll=poll or unpolled,
    )


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
    stage, model = state.current, state.current.model
    assert model is not None
    seed = key(stage_seed(state, "acquisition"), state.stage_asked)
    request = replace(_request(state, n, units, seed, poll), refit=refit)
    generator = stage.generator.keys.get("subgenerator") or stage.generator
    several = len(state.specification.outcomes) > 1
    function: Generate = generate_pairs if request.stimuli == 2 else generate
    function = generate_for_several if several else function

    def compute(**changes: Any) -> Generated:
        return function(generator, model, replace(request, **changes))

    def proposal(result: Generated) -> Proposal:
        return _proposal_of(state, units, result, refit and result.tier != PREVIOUS_FIT)

    with single_thread():
        if tier == PREVIOUS_FIT or emit is not None:
            start, told = request.start, request.y if several else request.y[:, 0]
            before = start if start is not None else fit(model, request.x[:0], told[:0])  # the priors' own
            previous = proposal(compute(start=before, refit=False, tier=PREVIOUS_FIT))
            if emit is None:
                return previous
            emit(previous)
            quick = compute(tier=SCAN)
            emit(proposal(quick))
            return proposal(compute(start=quick.hyperparameters, refit=False))
        return proposal(compute(tier=tier))


def _refit(state: State) -> bool:
    """Whether the next ask fits hyperparameters anew."""
    stage = state.current
    if usable_hyperparameters(state) is None:
        return True
    if stage.name in state.seed_data and state.stage_asked == 0:
        return True  # the first ask that sees them
    return state.asked // stage.refit_every > state.fit_asked // stage.refit_every


def _proposal_of(state: State, units: dict[int, float], result: Generated, refit: bool) -> Proposal:
    """What a generator gave, as plain data; `refit` says whether its hyperparameters are new."""
    points = np.stack([state.space.displayed(point, units) for point in result.points])
    proposal: Proposal = {"stage": state.stage, "points": points.tolist(), "tier": result.tier}
    if refit:
        assert result.hyperparameters is not None
        proposal["hyperparameters"] = dict(result.hyperparameters)
        proposal["fit_version"] = state.data_version
    if result.post_mean is not None and result.post_sd is not None:
        proposal["post_mean"] = [float(v) for v in result.post_mean]
        proposal["post_sd"] = [float(v) for v in result.post_sd]
    if result.post_range is not None:
        proposal["post_range"] = float(result.post_range)
    if state.current.log_post_var and result.max_post_var is not None:
        proposal["max_post_var"] = float(result.max_post_var)
    if result.device is not None:
        proposal["device"] = result.device
    if result.warnings:
        proposal["warnings"] = list(result.warnings)
    return proposal
