"""setup: a checked configuration begins a strategy."""

from __future__ import annotations

from typing import Literal

from fechner.server.handlers.registry import Answer, Context, handles
from fechner.server.messages import Setup
from fechner.strategies import gpu
from fechner.strategies.config import check
from fechner.strategies.parameters import space


@handles("setup", "1", "aepsych-0.8")
def setup(context: Context, message: Setup) -> Answer:
    """Begin another strategy and make it current."""
    no_end: Literal["error", "warning"] = "warning" if context.lenient else "error"
    specification = check(message.config, no_end=no_end)
    seed = next(s for s in (message.seed, specification.seed, context.draw_seed()) if s is not None)
    index = len(context.session.strategies)
    given = specification.metadata
    metadata = {**given, **message.metadata}
    stages = [stage.name for stage in specification.stages]
    outcomes = [{"name": outcome.name, "type": outcome.type} for outcome in specification.outcomes]
    change = {
        "type": "setup",
        "strategy": index,
        "name": message.name if message.name is not None else given.get("experiment_name"),
        "participant": message.participant
        if message.participant is not None
        else given.get("participant_id"),
        "description": (
            message.description if message.description is not None else given.get("experiment_description")
        ),
        "metadata": metadata,
        "config": message.config,
        "no_end": no_end,
        "environment": context.environment(),
        "seed": seed,
        "stages": stages,
        "outcomes": outcomes,
        "parameters": [
            {"name": p.name, "type": p.type, **({"unit": p.unit} if p.unit else {})}
            for p in specification.parameters
        ],
    }
    reply = {
        "session": context.session.id,
        "strategy": index,
        "parameters": space(specification.parameters).describe(),
        "outcomes": outcomes,
        "stages": stages,
        "seed": seed,
    }
    found = (*specification.warnings, *gpu.doubts(specification))
    warnings = [(problem.code, str(problem)) for problem in found]
    return Answer(reply, change, warnings)
