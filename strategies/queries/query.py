"""`query`: what the model of a state's current stage says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fechner.strategies._lazy import Lazy
from fechner.strategies.core.proposal import stage_seed, usable_hyperparameters
from fechner.strategies.core.state import State
from fechner.strategies.core.strategy import model_component, queried
from fechner.strategies.numerics.arrays import Poll
from fechner.strategies.numerics.threads import single_thread
from fechner.strategies.space.outcomes import place_of

if TYPE_CHECKING:
    from fechner.strategies.models.families import independent
    from fechner.strategies.queries import answers
else:
    independent = Lazy("fechner.strategies.models.families.independent")
    answers = Lazy("fechner.strategies.queries.answers")


def query(state: State, request: Mapping[str, Any], poll: Poll | None = None) -> dict[str, Any]:
    """The answer of the current stage's model to `request`; the state stays as it is.

    The model is fitted anew, from the recorded hyperparameters, when outcomes were told since its last fit.
    Of several outcomes `outcome` names the one that is asked about; the first if none is named.
    """
    state = queried(state)
    model = model_component(state)
    x, y = state.modelled()
    start = usable_hyperparameters(state)
    refit = start is None or state.fit_version != state.data_version
    seed = stage_seed(state, "query")
    index = place_of(state.specification, request.get("outcome"))
    if len(state.specification.outcomes) > 1:
        model, start = independent.part(model, index), independent.part_of(start, index)
    with single_thread():
        return answers.answer(
            model, x, y[:, index], start, refit, state.space, dict(request), seed, poll=poll
        )
