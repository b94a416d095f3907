"""Stages of several outcomes: a model and a generator for each, filled in where none is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fechner.strategies import values
from fechner.strategies.config.reading.sections import Sections
from fechner.strategies.config.tables.registry import CLASSES
from fechner.strategies.specification import Component, Outcome, Parameter

MODEL = "IndependentGPsModel"
GENERATOR = "IndependentOptimizeAcqfGenerator"
SUM = "AffinePosteriorTransform"
FRONT = "qLogNoisyExpectedHypervolumeImprovement"
OF_SUMS = ("qLogNoisyExpectedImprovement", "qNoisyExpectedImprovement")

Default = Callable[[str], Component]  # the default component for an outcome type


def with_models(
    sections: Sections, stage: str, model: Component, outcomes: Sequence[Outcome], default: Default
) -> Component:
    """The model with one for each outcome; what doesn't go together is noted."""
    if model.name != MODEL:
        hint = f"model = {MODEL}, whose models = […] names one for each outcome"
        detail = f"is for one outcome; here a trial has {len(outcomes)}"
        sections.report.problem(stage, "model", model.name, detail, hint, "does_not_fit")
        return model
    given: Sequence[Component] | None = model.keys["models"]
    if given is not None and len(given) != len(outcomes):
        _miscounted(sections, model.name, "models", given, outcomes)
        given = None
    parts = given or [default(outcome.type) for outcome in outcomes]
    for part in parts:
        if part.name == MODEL:
            sections.report.problem(model.name, "models", part.name, "can't be one of its own models")
    found = [with_levels(part, outcome) for part, outcome in zip(parts, outcomes, strict=True)]
    return Component(model.name, {**model.keys, "models": tuple(found)})


def with_levels(model: Component, outcome: Outcome) -> Component:
    """The model, told how many levels the outcome has where it is an ordinal one."""
    if model.name != "OrdinalGPModel" or outcome.type != "ordinal":
        return model
    return Component(model.name, {**model.keys, "n_levels": outcome.n_levels})


def with_categories(model: Component, parameters: Sequence[Parameter]) -> Component:
    """The model, or each of its parts, told how many categories each parameter has (0: a number)."""
    free = [parameter for parameter in parameters if parameter.type != "fixed"]
    counts = tuple(len(one.choices) if one.type == "categorical" else 0 for one in free)
    if not any(counts) or model.name not in CLASSES:
        return model
    parts = model.keys.get("models")
    if parts:
        return Component(
            model.name, {**model.keys, "models": tuple(with_categories(part, parameters) for part in parts)}
        )
    return Component(model.name, {**model.keys, "categories": counts})


def with_generators(
    sections: Sections,
    generator: Component,
    outcomes: Sequence[Outcome],
    default: Default,
    acquisition: Default,
) -> Component:
    """The generator with one for each outcome, each with its acquisition function."""
    given: Sequence[Component] | None = generator.keys["generators"]
    if given is not None and len(given) != len(outcomes):
        _miscounted(sections, generator.name, "generators", given, outcomes)
        given = None
    found = []
    for part, outcome in zip(given or [default(one.type) for one in outcomes], outcomes, strict=True):
        if part.name != "OptimizeAcqfGenerator":
            detail, hint = "can't take turns", "an OptimizeAcqfGenerator for each outcome"
            sections.report.problem(generator.name, "generators", part.name, detail, hint, "does_not_fit")
        elif part.keys["acqf"] is None:
            part = Component(part.name, {**part.keys, "acqf": acquisition(outcome.type)})
        found.append(part)
    return Component(generator.name, {**generator.keys, "generators": tuple(found)})


def check_sum(sections: Sections, stage: str, generator: Component, outcomes: Sequence[Outcome]) -> None:
    """Note what keeps an OptimizeAcqfGenerator from working on the outcomes' weighted sum."""
    report, acqf = sections.report, generator.keys.get("acqf")
    if acqf is not None and sections.catalogue[acqf.name].several:
        _check_together(sections, acqf, outcomes)
        return
    objective = acqf.keys.get("objective") if acqf is not None else None
    if acqf is None or objective is None or objective.name != SUM or acqf.name not in OF_SUMS:
        detail = f"optimises one function; here a trial has {len(outcomes)} outcomes"
        hint = f"generator = {GENERATOR}, or acqf = {OF_SUMS[0]} with objective = {SUM}, or acqf = {FRONT}"
        report.problem(stage, "generator", generator.name, detail, hint, "does_not_fit")
        return
    _check_numbers(sections, objective.name, "weights", objective.keys["weights"] or (), outcomes)


def _check_together(sections: Sections, acqf: Component, outcomes: Sequence[Outcome]) -> None:
    """Note what keeps an acquisition function from working on these outcomes at once."""
    report, keys = sections.report, acqf.keys
    for outcome in outcomes:
        if outcome.type != "continuous":
            detail = f"is for continuous outcomes; {outcome.name} is {outcome.type}"
            hint = f"generator = {GENERATOR}, whose acquisition functions see one outcome each"
            report.problem(acqf.name, "", acqf.name, detail, hint, "does_not_fit")
            return
    if keys.get("ref_point"):
        _check_numbers(sections, acqf.name, "ref_point", keys["ref_point"], outcomes, zeros=True)
    objective = keys.get("objective")
    if objective is not None and not sections.catalogue[objective.name].several:
        detail, hint = "is for one function", "WeightedMCMultiOutputObjective, or leave it out"
        report.problem(acqf.name, "objective", objective.name, detail, hint, "does_not_fit")
    elif objective is not None and "weights" in objective.keys:
        _check_numbers(sections, objective.name, "weights", objective.keys["weights"] or (), outcomes)
    bounded = [index for index, _, _ in keys.get("constraints") or ()]
    for key, places in (("objective_index", [keys.get("objective_index", 0)]), ("constraints", bounded)):
        for place in places:
            if place >= len(outcomes):
                names = ", ".join(f"{i} ({one.name})" for i, one in enumerate(outcomes))
                report.problem(acqf.name, key, str(place), "there is no such outcome", f"one of {names}")
    if keys.get("objective_index", -1) in bounded:
        detail = "the outcome to be improved can't be bounded too"
        report.problem(acqf.name, "constraints", str(keys["objective_index"]), detail, "another outcome")


def _check_numbers(
    sections: Sections,
    section: str,
    key: str,
    given: Sequence[str],
    outcomes: Sequence[Outcome],
    zeros: bool = False,
) -> None:
    """Note where a key has not a number for each outcome; they may not all be zero unless `zeros`."""
    report, text, noun = sections.report, f"[{', '.join(given)}]", key.replace("ref_point", "number")
    if len(given) != len(outcomes):
        plural = noun if noun.endswith("s") or len(given) == 1 else f"{noun}s"
        detail = f"has {len(given)} {plural} for {len(outcomes)} outcomes"
        wanted = f"one {noun.removesuffix('s')} for each outcome, in order"
        report.problem(section, key, text, detail, wanted)
        return
    try:
        numbers = [values.number(one) for one in given]
    except ValueError as error:
        report.problem(section, key, text, str(error), "a list of numbers: [1, -0.5]")
        return
    if not zeros and not any(numbers):
        report.problem(section, key, text, "are all zero", "a list of numbers: [1, -0.5]")


def _miscounted(
    sections: Sections, section: str, key: str, given: Sequence[Component], outcomes: Sequence[Outcome]
) -> None:
    text = f"[{', '.join(one.name for one in given)}]"
    detail = f"has {len(given)} names for {len(outcomes)} outcomes"
    sections.report.problem(section, key, text, detail, "one for each outcome, in order")
