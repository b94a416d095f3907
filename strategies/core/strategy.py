"""Ask, tell, query and finish as pure functions over a `State`, and `Strategy`, the object for notebooks.

An ask has two halves. `propose` (proposals.py) computes and returns plain data, and may run in another
process; `adopt` folds that data into the state and computes nothing. The record keeps proposals, so a
recorded session is read back by `adopt` alone, and verified by comparing `propose` with what was recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fechner.strategies._plain import mapped, plain, whole
from fechner.strategies.config.checking import check
from fechner.strategies.core import stopping
from fechner.strategies.core.proposal import Proposal, stage_seed, usable_hyperparameters
from fechner.strategies.core.proposals import needs_model, propose
from fechner.strategies.core.seed_data import given
from fechner.strategies.core.sequential import advance
from fechner.strategies.core.state import MOST_PENDING, State, initial, tell
from fechner.strategies.errors import FechnerError
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.threads import single_thread
from fechner.strategies.space.outcomes import clean_outcome, place_of
from fechner.strategies.specification import Component

__all__ = [
    "Poll",
    "Proposal",
    "Strategy",
    "adopt",
    "ask",
    "configs",
    "finish",
    "model_component",
    "needs_model",
    "propose",
    "queried",
    "query",
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


def query(state: State, request: Mapping[str, Any], poll: Poll | None = None) -> dict[str, Any]:
    """The answer of the current stage's model to `request` (wire.md 3); the state stays as it is.

    The model is fitted anew, from the recorded hyperparameters, when outcomes were told since its last fit.
    Of several outcomes `outcome` names the one that is asked about; the first if none is named.
    """
    from fechner.strategies.models.families.independent import part, part_of
    from fechner.strategies.queries.answers import answer

    state = queried(state)
    model = model_component(state)
    x, y = state.modelled()
    start = usable_hyperparameters(state)
    refit = start is None or state.fit_version != state.data_version
    seed = stage_seed(state, "query")
    index = place_of(state.specification, request.get("outcome"))
    if len(state.specification.outcomes) > 1:
        model, start = part(model, index), part_of(start, index)
    with single_thread():
        return answer(model, x, y[:, index], start, refit, state.space, dict(request), seed, poll=poll)


class Strategy:
    """A strategy in a notebook: the pure functions of this module around one state.

    >>> strategy = Strategy(config_text, seed=1)          # doctest: +SKIP
    >>> point = strategy.ask()                            # doctest: +SKIP
    >>> strategy.tell(point, 1)                           # doctest: +SKIP
    """

    def __init__(
        self,
        config: str | Mapping[str, Any],
        seed: int = 0,
        seed_data: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """Begin.

        Args:
            config: INI text or sections of keys.
            seed: of all that is random.
            seed_data: outcomes known beforehand, `[{"config": {…}, "outcome": …}, …]`. They warm the models
                of the stages with `seed_data_conditions`, or of all stages, and are no trials.

        Raises:
            FechnerError: what is wrong with the configuration, or with which of the seed data.
        """
        specification = check(config)
        seed = whole(seed, "seed", 0)
        self.state = initial(specification, seed, seed_data=given(specification, seed_data or ()))

    @classmethod
    def of(cls, state: State) -> Strategy:
        """The strategy that goes on from `state`."""
        strategy = cls.__new__(cls)
        strategy.state = state
        return strategy

    def ask(self, n: int | None = None, fixed: Mapping[str, Any] | None = None) -> Any:
        """The next point as `{name: value}`; a list of them if `n` is given."""
        count = 1 if n is None else whole(n, "n", 1)
        points, self.state = ask(self.state, count, None if fixed is None else mapped(fixed, "fixed"))
        return points if n is not None else points[0]

    def tell(self, point: Mapping[str, Any], outcome: Any) -> None:
        """Tell the outcome at a point (number, level, or `{name: value}`)."""
        specification, space = self.state.specification, self.state.space
        clean = space.validate(mapped(point, "point"), specification.stimuli_per_trial)
        values = clean_outcome(specification, plain(outcome))
        # A raw value may encode to another bit than the point that was handed out: that one counts.
        asked = (unit for unit in self.state.pending if space.close(clean, space.decode_trial(unit)))
        unit = next(asked, None)
        if unit is None:
            unit = space.encode_trial(clean, specification.stimuli_per_trial)
        self.state = tell(self.state, unit[None], np.array([list(values.values())]))

    def query(self, kind: str, **request: Any) -> dict[str, Any]:
        """Ask the model: `max`, `min`, `prediction`, `inverse`, `threshold`."""
        return query(self.state, {"query": kind, **plain(request)})

    def finish(self) -> None:
        """End the current stage."""
        self.state = finish(self.state)

    @property
    def finished(self) -> str | None:
        """The rule that finished the strategy, or None."""
        return stopping.finished(advance(self.state))

    @property
    def data(self) -> tuple[Array, Array]:
        """Modelled points `n x s x d` in unit space and outcomes `n x m`, without seed data."""
        return self.state.x.array, self.state.y.array
