"""The generator of a stage: the one named or the best there is, and what its keys mean with the rest."""

from __future__ import annotations

from collections.abc import Sequence

from fechner.strategies import values
from fechner.strategies.config.judging import several
from fechner.strategies.config.judging.classes import Classes
from fechner.strategies.config.judging.experiment import Experiment
from fechner.strategies.config.reading.sections import COMMON, OLDER_COMMON, Found, Sections
from fechner.strategies.plugins.resolve import located
from fechner.strategies.specification import Component, Parameter

SEARCHING = "OptimizeAcqfGenerator"  # where a model can choose, and none is named
FILLING = "SobolGenerator"  # where none can
TARGET = 0.75  # of an acquisition function that nobody named
MOST_SAMPLES = 100_000


def stage_generator(sections: Sections, classes: Classes, name: str, shared: Experiment) -> Component | None:
    """The generator of a stage, what it leaves out filled in; None, and a problem, if there is none."""
    found = sections.find([name], "generator")
    acqf = sections.find([name], "acqf")
    automatic = found is None or found.text.lower() == "auto"
    if found is not None and not automatic:
        generator = classes.named(found, "generator")
    elif len(shared.outcomes) > 1 and shared.can_model and acqf is None:
        generator = classes.default(several.GENERATOR)
    elif acqf or sections.find([name], "model") or shared.can_model:
        generator = classes.default(SEARCHING)
    else:
        generator = classes.default(FILLING)
    if generator is None:
        return None
    entry = sections.catalogue[generator.name]
    if "completed" in entry.functions:
        completed = located(entry.functions["completed"])
        out: Component = completed(classes, generator, shared.parameters)
        return out
    if not entry.searching:
        return generator
    if "subgenerator" not in generator.keys:
        return _searching(sections, classes, name, generator, automatic, shared)
    part = greedy_part(sections, classes, generator)
    if part is None:
        return None
    part = _searching(sections, classes, name, part, automatic, shared)
    return Component(generator.name, {**generator.keys, "subgenerator": part, "acqf": part.keys["acqf"]})


def with_window(classes: Classes, generator: Component, parameters: Sequence[Parameter]) -> Component:
    """SampleAroundPointsGenerator with its window as a number for each parameter that is not fixed."""
    report, given = classes.report, generator.keys["window"] or ()
    free = [parameter for parameter in parameters if parameter.type != "fixed"]
    text = f"[{', '.join(given)}]"
    widths: list[float] = []
    if given and parameters:
        hint = f"how far to either side, a number from 0 for each of {', '.join(one.name for one in free)}"
        try:
            widths = [values.number(one) for one in given]
        except ValueError:
            report.problem(generator.name, "window", text, "must be a list of numbers", hint)
        if widths and len(widths) == len(parameters):
            widths = [width for width, one in zip(widths, parameters, strict=True) if one.type != "fixed"]
        if widths and len(widths) != len(free):
            detail = f"has {len(given)} numbers for {len(free)} parameters"
            report.problem(generator.name, "window", text, detail, hint)
        elif any(width < 0 for width in widths):
            report.problem(generator.name, "window", text, "has a number below 0", hint)
    each = generator.keys["samples_per_point"] or 1
    count = len(generator.keys["points"] or ()) * each
    if count > MOST_SAMPLES:
        detail = f"makes {count} samples; at most {MOST_SAMPLES} are accepted"
        report.problem(generator.name, "samples_per_point", f"{each}", detail, "fewer")
    return Component(generator.name, {**generator.keys, "window": tuple(widths)})


def greedy_part(sections: Sections, classes: Classes, generator: Component) -> Component | None:
    """The subgenerator of an EpsilonGreedyGenerator; None, with a problem noted, if it can't be one."""
    named = generator.keys["subgenerator"]
    if not named:
        return classes.default(SEARCHING)
    part = classes.named(Found(generator.name, "subgenerator", named), "generator")
    if part is None:
        return None
    searching = {name for name, entry in sections.catalogue.items() if entry.searching}
    if part.name in searching and part.name != generator.name:
        return part
    detail = "has no acquisition function to be greedy with"
    hint = f"one of {', '.join(sorted(searching - {generator.name}))}"
    sections.report.problem(generator.name, "subgenerator", part.name, detail, hint, "does_not_fit")
    return None


def _searching(
    sections: Sections,
    classes: Classes,
    name: str,
    generator: Component,
    automatic: bool,
    shared: Experiment,
) -> Component:
    """A generator that follows an acquisition function, with the one of the stage, or the default one."""
    acqf = sections.find([name], "acqf")
    chosen = generator.keys["acqf"]
    own = acqf is not None and acqf.section not in (COMMON, OLDER_COMMON)
    if acqf is not None and (own or chosen is None):
        if own:
            detail, hint = "is an older place for this key", f"put it into [{generator.name}]"
            sections.report.warn(name, "acqf", acqf.text, detail, hint, "older_spelling")
        chosen = classes.named(acqf, "acquisition")
    elif chosen is None and not sections.find([generator.name], "acqf"):
        chosen = _default_acquisition(sections, classes, name, "" if automatic else generator.name, shared)
    entry = sections.catalogue[generator.name]
    return Component(entry.same_as or generator.name, {**generator.keys, "acqf": chosen}, generator.plugin)


def _default_acquisition(
    sections: Sections, classes: Classes, name: str, generator_named: str, shared: Experiment
) -> Component | None:
    chosen = shared.default_acquisition
    if chosen is None:
        return None
    if generator_named:
        hint = f"acqf = … in [{generator_named}]"
        sections.report.warn(
            name, "acqf", "", f"no acquisition function is named; {chosen} is used", hint, "chosen"
        )
    return default_acquisition(sections, classes, chosen)


def default_acquisition(sections: Sections, classes: Classes, chosen: str) -> Component:
    """An acquisition function that nobody named."""
    target = sections.find([chosen], "target")
    keys = sections.catalogue[chosen].keys
    if target is None and "target" in keys and keys["target"].required:
        defaults = {key: one.default for key, one in keys.items() if one.type != "ignored"}
        return Component(chosen, {**defaults, "target": TARGET})
    return classes.default(chosen)
