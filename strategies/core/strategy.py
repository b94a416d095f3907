"""Ask, adopt and finish as pure functions over a `State`; tell is state.py's, query stands in `queries`.

An ask has two halves. `propose` (proposals.py) computes and returns plain data, and may run in another
process; `adopt` folds that data into the state and computes nothing. The record keeps proposals, so a
recorded session is read back by `adopt` alone, and verified by comparing `propose` with what was recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fechner.strategies.core.proposal import Proposal, usable_hyperparameters
from fechner.strategies.core.proposals import needs_model, propose
from fechner.strategies.core.sequential import advance
from fechner.strategies.core.state import MOST_PENDING, State
from fechner.strategies.errors import FechnerError
from fechner.strategies.numerics.arrays import Poll
from fechner.strategies.specification import Component

__all__ = [
    "Poll",
    "Proposal",
    "adopt",
    "ask",
    "configs",
    "finish",
    "model_component",
    "needs_model",
    "propose",
    "queried",
    "usable_hyperparameters",
]


def adopt(state: State, proposal: Mapping[str, Any]) -> State:
    """The state after `proposal` was handed out. Computes nothing."""
    points = np.asarray(proposal["points"], dtype=np.float64)
    shape = state.x.array.shape[1:]
    points = points.reshape(len(points), *shape)
    same_stage = proposal["stage"] == state.stage
    asked = state.asked + len(points)
    changes: dict[str, Any] = {
        "stage": proposal["stage"],
        "asked": asked,
        "stage_asked": (state.stage_asked if same_stage else 0) + len(points),
        "stage_repeated": (state.stage_repeated if same_stage else 0) + proposal.get("again", 0),
        "finish_sent": state.finish_sent and same_stage,
        "pending": (*state.pending, *points)[-MOST_PENDING:],
        "queue": state.queue[proposal.get("again", 0) :],
        "post_range": proposal.get("post_range"),
    }
    if "hyperparameters" in proposal:
        changes["hyperparameters"] = proposal["hyperparameters"]
        changes["fit_version"] = proposal["fit_version"]
        changes["fit_asked"] = state.asked
    return replace(state, **changes)


def ask(
    state: State, n: int = 1, fixed: Mapping[str, Any] | None = None, tier: str | None = None
) -> tuple[list[dict[str, Any]], State]:
    """The next points as raw values `[{name: value}, …]`, and the state that has handed them out."""
    proposal = propose(state, n, fixed, tier)
    return configs(state, proposal), adopt(state, proposal)


def configs(state: State, proposal: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The raw values of a proposal's points (two stimuli: a list of two for each parameter)."""
    return [state.space.decode_trial(np.asarray(point, dtype=np.float64)) for point in proposal["points"]]


def finish(state: State) -> State:
    """The state whose current stage was ended by finish_strategy."""
    return replace(state, finish_sent=True)


def model_component(state: State) -> Component:
    """The current stage's model.

    Raises:
        FechnerError: no_model where the stage has none, not_enough_data where nothing was told.
    """
    stage = state.current
    if stage.model is None:
        raise FechnerError(
            "no_model",
            f"stage '{stage.name}' has no model",
            hint="queries are answered in a stage with a model",
        )
    if state.n_modelled == 0:
        raise FechnerError(
            "not_enough_data", "the model has no data yet", hint="tell at least one outcome first"
        )
    return stage.model


def queried(state: State) -> State:
    """The state whose model answers a query: a finished stage without model passes to the next one."""
    return advance(state) if state.current.model is None else state
