"""setup: a checked configuration begins a strategy."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, cast

from fechner.database.form.changes import Described, EarlierTrial, SetupChange
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.messages import Setup
from fechner.server.session.handlers.registry import handles
from fechner.server.session.handlers.results import Answer, Context, Reading
from fechner.server.session.seed_data import Earlier, sections
from fechner.server.session.seed_data import warnings as doubts
from fechner.strategies.config import check
from fechner.strategies.config.judging import gpu
from fechner.strategies.space.parameters import space
from fechner.strategies.specification import Component, Parameter, Specification

#: Setups of one session.
MOST_STRATEGIES = 1_000


@handles("setup", "1", "aepsych-0.8")
def setup(context: Context, message: Setup) -> Answer | Reading:
    """Begin another strategy and make it current, with the earlier trials that its conditions name."""
    if len(context.session.strategies) >= MOST_STRATEGIES:
        raise FechnerError(
            "limit_reached",
            f"the session has its {MOST_STRATEGIES} setups",
            hint="begin another session: send setup with a new session id",
        )
    specification = check(message.config, no_end=_no_end(context))
    if sections(specification):
        return Reading(specification, partial(_answer, context, message, specification))
    return _answer(context, message, specification, {})


def _no_end(context: Context) -> Literal["error", "warning"]:
    return "warning" if context.traits.end_optional else "error"


def _describe(parameter: Parameter) -> Described:
    described: Described = {"name": parameter.name, "type": parameter.type}
    if parameter.unit:
        described["unit"] = parameter.unit
    return described


def _find_installed(specification: Specification) -> dict[str, str]:
    """The plug-ins of installed packages among the stages' classes, and where they come from."""
    used = [part for stage in specification.stages for part in (stage.generator, stage.model) if part]
    used += [part for one in used for part in one.keys.values() if isinstance(part, Component)]
    pairs = ((one.name, one.plugin.partition(":")) for one in used)
    return {name: source for name, (kind, _, source) in pairs if kind == "installed"}


def _answer(
    context: Context, message: Setup, specification: Specification, earlier: Mapping[str, Earlier]
) -> Answer:
    seed = next(s for s in (message.seed, specification.seed, context.draw_seed()) if s is not None)
    index = len(context.session.strategies)
    given = specification.metadata
    metadata = {**given, **message.metadata}
    stages = [stage.name for stage in specification.stages]
    outcomes: list[Described] = [{"name": one.name, "type": one.type} for one in specification.outcomes]
    change: SetupChange = {
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
        "no_end": _no_end(context),
        "environment": context.environment(),
        "seed": seed,
        "stages": stages,
        "outcomes": outcomes,
        "parameters": [_describe(parameter) for parameter in specification.parameters],
    }
    if index == 0 and context.owner is not None:
        change["owner"] = context.owner
    if specification.extensions:
        change["extensions"] = [
            {"file": one.file, "path": one.path, "sha256": one.sha256} for one in specification.extensions
        ]
    if plugins := _find_installed(specification):
        change["plugins"] = plugins
    if earlier:
        change["seed_data"] = {
            section: cast(list[EarlierTrial], list(one.rows)) for section, one in earlier.items()
        }
    reply: dict[str, Any] = {
        "session": context.session.id,
        "strategy": index,
        "parameters": space(specification.parameters).describe(),
        "outcomes": outcomes,
        "stages": stages,
        "seed": seed,
    }
    if earlier:
        reply["seed_data"] = {section: len(one.rows) for section, one in earlier.items()}
    found = (*specification.warnings, *gpu.doubts(specification))
    warnings = [(problem.code, str(problem)) for problem in found]
    warnings += doubts(earlier, context.limits.seed_trials)
    return Answer(reply, change, warnings, specification=specification)
