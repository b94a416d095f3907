"""query: what the model says."""

from __future__ import annotations

from typing import Any

from fechner.server.errors import FechnerError
from fechner.server.handlers.registry import Answer, Computation, Context, handles, require_setup
from fechner.server.messages import Query
from fechner.strategies.strategy import model_component, queried


@handles("query", "1", "aepsych-0.8")
def query(context: Context, message: Query) -> Computation:
    """max, min, prediction, inverse or threshold of the current strategy's model."""
    require_setup(context)
    state = context.session.state
    model_component(queried(state))
    specification = state.specification
    names = [outcome.name for outcome in specification.outcomes]
    if message.outcome is not None and message.outcome not in names:
        raise FechnerError(
            "bad_value",
            f"there is no outcome '{message.outcome}'",
            where="message.outcome",
            hint=f"the outcomes are {', '.join(names)}",
        )
    request: dict[str, Any] = message.model_dump(exclude={"outcome"})
    if request["space"] is None:
        request["space"] = "probability" if specification.outcomes[0].type == "binary" else "outcome"
    if context.lenient:  # AEPsych's constraints may be keyed by the parameter's index
        by_index = {str(i): name for i, name in enumerate(state.space.names)}
        request["constraints"] = {
            key if key in state.space.names else by_index.get(key, key): value
            for key, value in request["constraints"].items()
        }
    return Computation("query", (state, request), Answer)
