"""The model of a stage: the one named or the best there is, with a part for each of several outcomes."""

from __future__ import annotations

from fechner.strategies.config.judging import combinations, several
from fechner.strategies.config.judging.classes import Classes
from fechner.strategies.config.judging.experiment import DEFAULT_ACQUISITION, DEFAULT_MODELS, Experiment
from fechner.strategies.config.judging.generators import SEARCHING, default_acquisition
from fechner.strategies.config.reading.sections import Sections
from fechner.strategies.specification import Component


def default_model(
    sections: Sections, classes: Classes, name: str, shared: Experiment, generator: Component
) -> Component | None:
    chosen = shared.default_model
    if chosen == DEFAULT_MODELS["binary"]:
        chosen = sections.catalogue[generator.name].model or chosen
    if chosen is None:
        if shared.outcomes:
            detail = "the generator needs a model, and none for these outcomes and stimuli is supported yet"
            sections.report.problem(name, "model", "", detail, "generator = SobolGenerator", "not_supported")
        return None
    sections.report.warn(
        name, "model", "", f"no model is named; {chosen} is used", f"model = {chosen}", "chosen"
    )
    return classes.default(chosen)


def with_parts(
    sections: Sections,
    classes: Classes,
    name: str,
    shared: Experiment,
    generator: Component | None,
    model: Component | None,
) -> tuple[Component | None, Component | None]:
    """Generator and model with a part for each of several outcomes."""
    if model is not None:
        model = several.with_models(
            sections, name, model, shared.outcomes, lambda kind: classes.default(DEFAULT_MODELS[kind])
        )
    if generator is not None and generator.name == several.GENERATOR:
        generator = several.with_generators(
            sections,
            generator,
            shared.outcomes,
            lambda _kind: classes.default(SEARCHING),
            lambda kind: default_acquisition(sections, classes, DEFAULT_ACQUISITION[kind]),
        )
    elif generator is not None and generator.name == SEARCHING:
        several.check_sum(sections, name, generator, shared.outcomes)
    elif generator is not None and combinations.needs_model(sections, generator):
        detail, hint = "is for one outcome", f"{several.GENERATOR}, or {SEARCHING}"
        sections.report.problem(name, "generator", generator.name, detail, hint, "does_not_fit")
    return generator, model
