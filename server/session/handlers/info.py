"""info, parameters, get_config, can_model: what there is; nothing changes."""

from __future__ import annotations

from typing import Any

from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.messages import GetConfig, Info, Parameters
from fechner.server.session.handlers.registry import handles
from fechner.server.session.handlers.results import Answer, Context, require_setup
from fechner.strategies.core import stopping
from fechner.strategies.core.sequential import advance
from fechner.strategies.specification import Component


@handles("parameters", "1", "aepsych-0.8")
def parameters(context: Context, message: Parameters) -> Answer:
    """The search space of the current strategy."""
    require_setup(context)
    space = context.session.state.space
    return Answer(space.bounds() if context.traits.only_bounds else space.describe())


@handles("info", "1", "aepsych-0.8")
def info(context: Context, message: Info) -> Answer:
    """The session at a glance."""
    require_setup(context)
    session = context.session
    state = session.state
    stage = state.current
    reason = stopping.finished(advance(state))
    reply: dict[str, Any] = {
        "session": session.id,
        "strategy": session.current,
        "strategies": [
            {"strategy": i, "name": strategy.name, "stages": strategy.stages}
            for i, strategy in enumerate(session.strategies)
        ],
        "stage": stage.name,
        "trials": session.counts(),
        "model": stage.model.name if stage.model is not None else None,
        "acquisition": acquisition_name(stage.generator),
        "can_model": can_model(context),
        "finished": reason is not None,
        "reason": reason,
        "server": context.server,
    }
    if context.traits.knows_record:
        reply["record"] = context.record
        reply["data_points"] = state.n
        reply["stage_finished"] = stopping.stage_finished(state) is not None
        reply["all_stages"] = [name for strategy in session.strategies for name in strategy.stages]
    return Answer(reply)


def acquisition_name(generator: Component) -> str | None:
    """The acquisition function's name, or each outcome's; None where the generator has none."""
    parts = generator.keys.get("generators") or (generator,)
    names = [part.keys["acqf"].name for part in parts if part.keys.get("acqf") is not None]
    return ", ".join(names) or None


def can_model(context: Context) -> bool:
    """Whether the current stage has a model and there are data."""
    state = context.session.state
    return state.current.model is not None and state.n_modelled > 0


@handles("can_model", "aepsych-0.8")
def can_model_handler(context: Context, message: Info) -> Answer:
    """Whether a query would be answered."""
    require_setup(context)
    return Answer({"can_model": can_model(context)})


@handles("get_config", "1", "aepsych-0.8")
def get_config(context: Context, message: GetConfig) -> Answer:
    """The whole configuration, one section, or one key."""
    require_setup(context)
    sections = context.session.state.specification.sections
    if message.section is None:
        if message.key is not None:
            raise FechnerError("bad_value", "a key needs its section", where="message.section")
        return Answer({name: dict(keys) for name, keys in sections.items()})
    if message.section not in sections:
        raise FechnerError(
            "bad_value",
            f"there is no section '{message.section}'",
            where="message.section",
            hint=f"the sections are {', '.join(sections)}",
        )
    keys = sections[message.section]
    if message.key is None:
        return Answer({message.section: dict(keys)})
    key = message.key.lower()
    if key not in keys:
        raise FechnerError(
            "bad_value",
            f"section '{message.section}' has no key '{message.key}'",
            where="message.key",
            hint=f"its keys are {', '.join(keys)}",
        )
    return Answer({message.section: {key: keys[key]}})
