"""What every generator must do, through the functions with which a strategy asks it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fechner.strategies.core.state import State, initial, tell
from fechner.strategies.core.strategy import Proposal, adopt, propose
from fechner.strategies.errors import FechnerError
from fechner.strategies.plugins.declare import Plugin
from fechner.strategies.plugins.resolve import resolve
from fechner.strategies.specification import Component, Outcome, Parameter, Specification, Stage
from fechner.strategies.testing._acquisition import MODELS
from fechner.strategies.testing._common import (
    LEVELS,
    as_component,
    data,
    polls,
    require,
    round_trip,
    untouched,
)


def check_generator(
    generator: Plugin | Component,
    *,
    model: Component | None = None,
    outcome: str = "binary",
    stimuli: int = 1,
    parameters: Sequence[Parameter] = (),
    n: int = 12,
    seed: int = 1,
) -> None:
    """Asks are deterministic, plain, inside the box, as many as wanted, and can be cancelled.

    Args:
        generator: a plug-in, or a component with keys of its own.
        model: of the stage; ours for the outcome type where a plug-in needs one.
        outcome: the outcome's type; of several outcomes, spaces between.
        stimuli: per trial.
        parameters: of the search space; two continuous ones from 0 to 1 if none.
        n: trials told before.
        seed: of the trials and of the strategy.

    Raises:
        NonconformingError: they aren't; the text says what.
    """
    component = as_component(generator)
    name, kinds = component.name, outcome.split()
    if model is None and component.plugin and resolve(component).needs_model:
        model = MODELS[kinds[0]]
    box = tuple(parameters) or tuple(Parameter(one, "continuous", 0.0, 1.0) for one in ("a", "b"))
    outcomes = tuple(
        Outcome(f"outcome_{i}", kind, LEVELS if kind == "ordinal" else 0) for i, kind in enumerate(kinds, 1)
    )
    stage = Stage("tested", component, model, run_indefinitely=True)
    cold = initial(Specification(box, outcomes, (stage,), stimuli), seed)
    x, y = data(tuple(kinds), n, stimuli, cold.space.d, seed)
    told = tell(cold, np.array([cold.space.displayed(trial) for trial in x]), y)
    for state in (cold, told):
        with untouched(name, state.x.array, state.y.array):
            proposal = propose(state)
            _points(name, state, proposal, 1)
            require(propose(state) == proposal, name, "the same ask gives other points the second time")
            several = propose(state, 3)
            _points(name, state, several, min(3, len(several["points"])))
            _fixed(name, state)
        after = adopt(state, round_trip(proposal, name, "a proposal"))
        require(len(after.pending) == 1, name, "the point handed out isn't pending")
        _points(name, after, propose(after), 1)
        polls(name, lambda poll, state=state: propose(state, poll=poll), required=False)  # type: ignore[misc]


def _points(name: str, state: State, proposal: Proposal, n: int) -> None:
    """The points of a proposal, looked at."""
    round_trip(proposal, name, "a proposal")
    points = np.array(proposal["points"])
    shape = (n, state.specification.stimuli_per_trial, state.space.d)
    require(points.shape == shape, name, f"gives points of shape {points.shape}, not {shape}")
    inside = np.all(np.isfinite(points)) and points.min() >= 0 and points.max() <= 1
    require(bool(inside), name, "gives points outside the unit box")
    for moment, values in (("post_mean", proposal.get("post_mean")), ("post_sd", proposal.get("post_sd"))):
        require(values is None or len(values) == n, name, f"gives {moment} for another number of points")


def _fixed(name: str, state: State) -> None:
    """A fixed value is honoured, or refused by name."""
    first = state.space.names[state.space.free[0]]
    wanted = state.space.decode(np.full(state.space.d, 0.3))[first]
    try:
        points = propose(state, fixed={first: wanted})["points"]
    except FechnerError as error:
        require(error.code == "bad_value", name, f"refuses fixed values with {error.code}, not bad_value")
        return
    shown = [state.space.decode(np.array(one))[first] for trial in points for one in trial]
    clean = state.space.validate_fixed({first: wanted})[first]
    same = all(state.space.close({first: one}, {first: clean}) for one in shown)
    require(same, name, "hands out points that don't have the fixed value")
