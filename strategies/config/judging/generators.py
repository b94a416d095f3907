"""What the keys of a generator mean together with parameters and other generators."""

from __future__ import annotations

from collections.abc import Sequence

from fechner.strategies import values
from fechner.strategies.config.judging.classes import Classes
from fechner.strategies.config.reading.sections import Found, Sections
from fechner.strategies.config.tables.registry import SEARCHING
from fechner.strategies.specification import Component, Parameter

MOST_SAMPLES = 100_000


def with_window(sections: Sections, generator: Component, parameters: Sequence[Parameter]) -> Component:
    """SampleAroundPointsGenerator with its window as a number for each parameter that is not fixed."""
    report, given = sections.report, generator.keys["window"] or ()
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
        return classes.default("OptimizeAcqfGenerator")
    part = classes.component(Found(generator.name, "subgenerator", named), "generator")
    if part is None:
        return None
    if part.name in SEARCHING and part.name != generator.name:
        return part
    detail = "has no acquisition function to be greedy with"
    hint = f"one of {', '.join(sorted(SEARCHING - {generator.name}))}"
    sections.report.problem(generator.name, "subgenerator", part.name, detail, hint, "does_not_fit")
    return None
