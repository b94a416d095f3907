"""The stage sections to stages; what doesn't go together is noted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fechner.strategies.config.judging import combinations, several
from fechner.strategies.config.judging import seed_data as seeding
from fechner.strategies.config.judging.classes import Classes
from fechner.strategies.config.judging.ends import check_end, read_older_end
from fechner.strategies.config.judging.experiment import Experiment
from fechner.strategies.config.judging.generators import stage_generator
from fechner.strategies.config.judging.models import default_model, with_parts
from fechner.strategies.config.reading.sections import Sections
from fechner.strategies.config.tables.keys import STAGE_KEYS
from fechner.strategies.specification import Component, SeedDataConditions, Stage

_COMPONENTS = ("generator", "model", "acqf")
_ELSEWHERE = ("stimuli_per_trial", "outcome_types", "outcome_type", "n_trials", seeding.KEY)


def stages(
    sections: Sections, classes: Classes, names: Sequence[str], shared: Experiment
) -> tuple[Stage, ...]:
    """One stage per name; those whose generator can't be resolved are left out (the problems are noted)."""
    found = [_stage(sections, classes, name, shared) for name in names]
    for name, stage in list(zip(names, found, strict=True))[:-1]:
        if stage is not None and stage.run_indefinitely:
            detail = "the stages after this one begin only when finish_strategy is sent"
            sections.report.warn(name, "run_indefinitely", "True", detail)
    return tuple(filter(None, found))


def _stage(sections: Sections, classes: Classes, name: str, shared: Experiment) -> Stage | None:
    report = sections.report
    if name in sections:
        sections.know(name, STAGE_KEYS)
    else:
        near = report.near(name, [section for section in sections.texts if not sections.is_known(section)])
        detail = "the stage has no section; [common] and defaults are used"
        report.warn(name, "", "", detail, near, "missing_section")
    read: dict[str, Any] = {
        key: sections.read([name], key, table)
        for key, table in STAGE_KEYS.items()
        if key not in _COMPONENTS and key not in _ELSEWHERE
    }
    read = {key: value for key, value in read.items() if STAGE_KEYS[key].supported}
    read_older_end(sections, name, read)
    if read["min_total_outcome_occurrences"] is None:
        read["min_total_outcome_occurrences"] = int(any(one.type == "binary" for one in shared.outcomes))
    named = sections.find([name], "model")
    model = classes.named(named, "model") if named else None
    generator = stage_generator(sections, classes, name, shared)
    if generator is not None and named is None and combinations.needs_model(sections, generator):
        model = default_model(sections, classes, name, shared, generator)
    if len(shared.outcomes) == 1 and model is not None:
        model = several.with_levels(model, shared.outcomes[0])
    elif len(shared.outcomes) > 1 and shared.stimuli == 1:
        generator, model = with_parts(sections, classes, name, shared, generator, model)
    if model is not None:
        model = several.with_categories(model, shared.parameters)
    check_end(sections, name, read, generator, model, shared.no_end)
    read[seeding.KEY] = _seed_data(sections, name, model, shared)
    if generator is None:
        return None
    stage = Stage(name=name, generator=generator, model=model, **read)
    combinations.check(sections, stage, shared.parameters, shared.outcomes, shared.stimuli)
    return stage


def _seed_data(
    sections: Sections, name: str, model: Component | None, shared: Experiment
) -> SeedDataConditions | None:
    """Which earlier sessions warm the stage's model, if it has one."""
    found = seeding.conditions(sections, name, shared.taken)
    if found is not None and model is None and not sections.find([name], "model"):
        detail = "has no effect: the stage has no model that earlier trials could warm"
        hint = "put it into the stage with the model"
        sections.report.warn(name, seeding.KEY, found.section, detail, hint, "no_effect")
        return None
    return found
