"""query: what the model says.

Many points are computed in pieces, so that no query keeps a worker from other sessions for long.
"""

from __future__ import annotations

from typing import Any

from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.limits import exceeded
from fechner.server.protocol.messages import Query
from fechner.server.session.handlers.registry import handles
from fechner.server.session.handlers.results import Answer, Computation, Context, require_setup
from fechner.strategies.core.state import State
from fechner.strategies.core.strategy import model_component, queried
from fechner.strategies.space.outcomes import place_of
from fechner.strategies.specification import Specification

#: Points of one piece, by query.
PIECE = {"prediction": 1000, "threshold": 16}

#: Fields that a query has no use for: a client that sends one means something else.
_USELESS = {
    "max": ("x", "y", "parameter"),
    "min": ("x", "y", "parameter"),
    "inverse": ("x", "parameter"),
    "prediction": ("y", "parameter", "constraints"),
    "threshold": (),
}


@handles("query", "1", "aepsych-0.8")
def query(context: Context, message: Query) -> Computation:
    """max, min, prediction, inverse or threshold of the current strategy's model."""
    require_setup(context)
    state = context.session.state
    model_component(queried(state))
    request = _request(context, message, state.specification)
    if context.traits.constraints_by_index:
        by_index = {str(i): name for i, name in enumerate(state.space.names)}
        request["constraints"] = {
            key if key in state.space.names else by_index.get(key, key): value
            for key, value in request["constraints"].items()
        }
    warnings = []
    if message.query == "threshold" and message.y is None:
        request["y"] = _level(queried(state), request["space"], request.get("outcome"))
        warnings.append(("threshold_level", f"y was not given: the threshold is that of {request['y']:g}"))
    return _pieces(state, request, context.limits.points_per_query, warnings)


def _request(context: Context, message: Query, specification: Specification) -> dict[str, Any]:
    """The query as the core takes it."""
    names = [outcome.name for outcome in specification.outcomes]
    outcome = specification.outcomes[place_of(specification, message.outcome)]
    if message.outcome is None and len(names) > 1 and not context.traits.outcome_optional:
        raise FechnerError(
            "bad_value",
            f"there are {len(names)} outcomes, and `outcome` says of which",
            where="message.outcome",
            hint=f"the outcomes are {', '.join(names)}",
        )
    for field in () if context.traits.useless_fields_pass else _USELESS[message.query]:
        if getattr(message, field):
            hint = "`constraints` hold parameters at a value or in [lower, upper]" if field == "x" else ""
            raise FechnerError(
                "bad_value", f"{message.query} has no use for `{field}`", where=f"message.{field}", hint=hint
            )
    if message.query == "inverse" and message.y is None:
        raise FechnerError("bad_value", "inverse needs `y`, the value to be reached", where="message.y")
    request: dict[str, Any] = message.model_dump(exclude={"outcome"})
    if len(names) > 1:
        request["outcome"] = outcome.name
    if request["space"] is None and specification.stimuli_per_trial == 1:
        request["space"] = "probability" if outcome.type == "binary" else "outcome"
    return request


def _level(state: State, space: str, outcome: str | None) -> float:
    """The threshold's level where none is asked for: the configuration's target, else 0.75."""
    specification = state.specification
    place = place_of(specification, outcome)
    curve = specification.outcomes[place].type == "binary" and specification.stimuli_per_trial == 1
    if space == "latent" or not curve:
        raise FechnerError("bad_value", "a threshold needs `y`, the value to be reached", where="message.y")
    generator = state.current.generator
    if generator.keys.get("generators"):
        generator = generator.keys["generators"][place]
    acquisition = generator.keys.get("acqf")
    target = specification.target
    if target is None and acquisition is not None and acquisition.keys.get("objective", True) is not None:
        target = acquisition.keys.get("target")
    return 0.75 if target is None else float(target)


def _pieces(state: State, request: dict[str, Any], most: int, warnings: list[tuple[str, str]]) -> Computation:
    """The first piece of the query; each result goes on with the next, the last makes the answer."""
    size = PIECE.get(request["query"])
    x = request["x"] or {}
    lengths = {len(values) for values in x.values() if isinstance(values, list) and len(values) > 1}
    length = max(lengths, default=1)
    if length > most:
        text = f"{length} points in one query; at most {most}"
        raise exceeded("points_per_query", text, "message.x", "send several queries")
    if size is None or length <= size or len(lengths) > 1:
        return Computation("query", (state, request), lambda result: _answer([result], result, warnings))
    found: list[dict[str, Any]] = []

    def piece(begin: int) -> Computation:
        part = {
            name: values[begin : begin + size] if isinstance(values, list) and len(values) > 1 else values
            for name, values in x.items()
        }

        def answer(result: dict[str, Any]) -> Answer | Computation:
            found.append(result)
            if begin + size < length:
                return piece(begin + size)
            return _answer(found, _join(found), warnings)

        return Computation("query", (state, {**request, "x": part}), answer)

    return piece(0)


def _answer(found: list[dict[str, Any]], message: dict[str, Any], warnings: list[tuple[str, str]]) -> Answer:
    """The answer, with what went wrong with the model once for all pieces."""
    said = dict.fromkeys(text for part in found for text in part.get("warnings", ()))
    return Answer(
        {name: value for name, value in message.items() if name != "warnings"},
        warnings=[*warnings, *(("model", text) for text in said)],
    )


def _join(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Pieces of an answer one after the other."""
    lists = {
        name: [value for part in found for value in part[name]] for name in ("y", "lower", "upper", "sd")
    }
    names = found[0]["x"]
    if "probabilities" in found[0]:
        lists["probabilities"] = [row for part in found for row in part["probabilities"]]
    return {"x": {name: [v for part in found for v in part["x"][name]] for name in names}, **lists}
