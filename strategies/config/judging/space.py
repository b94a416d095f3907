"""The parameter sections to parameters: types, bounds, scales, choices."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from fechner.strategies import values
from fechner.strategies.config.judging.ranges import FARTHEST, Ranges
from fechner.strategies.config.reading.sections import Found, Sections
from fechner.strategies.config.tables.keys import PARAMETER_KEYS, PARAMETER_TYPES
from fechner.strategies.specification import Parameter
from fechner.strategies.values import clip

MOST_LEVELS = 10**12  # of an integer: beyond this its levels can't be told apart in the unit interval
MOST_CHOICES = 1000


def parameters(sections: Sections, names: Sequence[str]) -> tuple[Parameter, ...]:
    """One parameter per name; those with problems are left out (the problems are noted)."""
    reader = _Reader(sections, names)
    return tuple(filter(None, (reader.parameter(index, name) for index, name in enumerate(names))))


class _Reader:
    def __init__(self, sections: Sections, names: Sequence[str]) -> None:
        self._sections = sections
        self._report = sections.report
        self._problem = sections.problem_at
        self._ranges = Ranges(sections, names)

    def parameter(self, index: int, name: str) -> Parameter | None:
        own = name in self._sections
        if own:
            self._sections.know(name, PARAMETER_KEYS)
        found = self._find(name, "par_type")
        if found is None and not own and not self._ranges.any_older:
            near = self._report.near(name, self._sections.texts)
            if any(section.casefold() == name.casefold() for section in self._sections.texts):
                near += " upper and lower case matter here"
            hint = near or f"[{name}] with par_type, lower_bound and upper_bound"
            self._report.problem(name, "", "", "the parameter has no section", hint, "missing_section")
            return None
        if found is None and own:
            self._report.warn(name, "par_type", "", "is missing; taken as continuous", code="older_spelling")
        kind = found.text.lower() if found else "continuous"
        if kind not in PARAMETER_TYPES:
            near = self._report.near(kind, PARAMETER_TYPES) or f"one of {', '.join(PARAMETER_TYPES)}"
            self._problem(found, name, "par_type", "there is no such type of parameter", near, "unknown_name")
            for key in ("lower_bound", "upper_bound"):
                if self._find(name, key):
                    self._ranges.bound(0, name, key, "")
            return None
        self._out_of_place(name, kind)
        unit = self._find(name, "unit")
        read = getattr(self, f"_{kind}")(index, name)
        return read and Parameter(name, kind, unit=unit.text if unit else "", **read)

    def _continuous(self, index: int, name: str) -> dict[str, Any] | None:
        lower = self._ranges.bound(index, name, "lower_bound", "lb")
        upper = self._ranges.bound(index, name, "upper_bound", "ub")
        scale = self._ranges.scale(name)
        if lower is None or upper is None or not self._ranges.ordered(name, lower, upper):
            return None
        shift = self._ranges.shift(name, scale, lower)
        if scale == "log" and not self._ranges.log_possible(name, lower, upper, shift):
            return None
        normalize, step = self._ranges.normalize(name), self._ranges.step(name, lower, upper)
        bounds = {"lower": lower, "upper": upper}
        return {**bounds, "scale": scale, "shift": shift, "normalize": normalize, "step": step}

    def _integer(self, index: int, name: str) -> dict[str, Any] | None:
        lower = self._ranges.bound(index, name, "lower_bound", "lb")
        upper = self._ranges.bound(index, name, "upper_bound", "ub")
        scale = self._ranges.scale(name)
        sound = True
        for key, value in (("lower_bound", lower), ("upper_bound", upper)):
            if value is not None and (not value.is_integer() or abs(value) > values.LARGEST):
                detail = "is too large for" if value.is_integer() else "must be"
                self._problem(self._find(name, key), name, key, f"{detail} a whole number", "a whole number")
                sound = False
        if lower is None or upper is None or not sound or not self._ranges.ordered(name, lower, upper):
            return None
        if upper - lower >= MOST_LEVELS:
            self._problem(
                None, name, "", "has too many whole numbers between its bounds", "par_type = continuous"
            )
            return None
        shift = self._ranges.shift(name, scale, lower)
        if scale == "log" and not self._ranges.log_possible(name, lower, upper, shift):
            return None
        normalize, step = self._ranges.normalize(name), self._ranges.step(name, lower, upper)
        if step is not None and not step.is_integer():
            detail = "must be a whole number, as its values are"
            self._problem(self._find(name, "step"), name, "step", detail, "step = 1, or another whole number")
            return None
        bounds = {"lower": int(lower), "upper": int(upper)}
        return {**bounds, "scale": scale, "shift": shift, "normalize": normalize, "step": step}

    def _binary(self, index: int, name: str) -> dict[str, Any] | None:
        return {"lower": 0, "upper": 1}

    def _discrete(self, index: int, name: str) -> dict[str, Any] | None:
        found = self._find(name, "values")
        if found is None:
            self._problem(None, name, "values", "is missing", "values = [1, 2, 5, 10]", "missing_key")
            return None
        try:
            numbers = [values.number(text) for text in values.texts(found.text)]
        except ValueError as error:
            self._problem(found, name, "values", str(error), "a list of numbers: [1, 2, 5, 10]")
            return None
        span = max(numbers, default=0.0) - min(numbers, default=0.0)
        gaps = [b - a for a, b in pairwise(sorted(numbers))]
        detail, hint = "", ""
        if len(numbers) < 2:
            detail = "needs two values or more"
            hint = "a parameter with one value is par_type = fixed" if numbers else ""
        elif len(numbers) > MOST_CHOICES:
            detail = f"has more than {MOST_CHOICES} values"
        elif not math.isfinite(span) or max(map(abs, numbers)) > FARTHEST:
            detail = "has values too far apart for arithmetic"
        elif not min(gaps) > 1e-5 * span:
            detail, hint = "has a value twice, or two too near to each other", "each value once"
        if detail:
            self._problem(found, name, "values", detail, hint)
            return None
        if gaps != [b - a for a, b in pairwise(numbers)]:
            detail = "are not in increasing order; models take them in this order: "
            ordered = ", ".join(map(values.written, sorted(numbers)))
            self._report.warn(name, "values", found.text, detail + clip(ordered), code="doubtful")
        return {"choices": tuple(sorted(numbers))}

    def _categorical(self, index: int, name: str) -> dict[str, Any] | None:
        found = self._find(name, "choices")
        if found is None:
            self._problem(None, name, "choices", "is missing", "choices = [a, b, c]", "missing_key")
            return None
        try:
            choices = values.texts(found.text)
        except ValueError as error:
            self._problem(found, name, "choices", str(error), "choices = [a, b, c]")
            return None
        twice = [choice for choice, count in Counter(choices).items() if count > 1]
        detail = ""
        if len(choices) < 2:
            detail = "needs two choices or more"
        elif len(choices) > MOST_CHOICES:
            detail = f"has more than {MOST_CHOICES} choices"
        elif twice:
            detail = f"has '{twice[0]}' twice"
        elif not all(choices):
            detail = "has an empty choice"
        if detail:
            one = "a parameter with one value is par_type = fixed"
            hint = one if len(choices) == 1 else "two or more different texts: [a, b, c]"
            self._problem(found, name, "choices", detail, hint)
            return None
        return {"choices": tuple(choices)}

    def _fixed(self, index: int, name: str) -> dict[str, Any] | None:
        found = self._find(name, "value")
        if found is None:
            self._problem(None, name, "value", "is missing", "value = 3, or a text", "missing_key")
            return None
        try:
            value: Any = values.number(found.text)
        except ValueError as error:
            if "large" in str(error) or found.text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
                self._problem(
                    found, name, "value", "must be a finite number or a text", "value = 3, or a text"
                )
                return None
            value = values.nested(found.text) if found.text[:1] in "\"'" else found.text
        else:
            if value.is_integer() and abs(value) <= values.LARGEST and found.text.lstrip("+-").isdigit():
                value = int(value)
        return {"value": value}

    def _out_of_place(self, name: str, kind: str) -> None:
        own = self._sections.texts.get(name, {})
        for key in PARAMETER_KEYS:
            if key in own and key not in (*PARAMETER_TYPES[kind], "par_type", "unit"):
                article = "an" if kind == "integer" else "a"
                self._report.warn(
                    name, key, own[key], f"has no meaning for {article} {kind} parameter", code="no_effect"
                )

    def _find(self, name: str, key: str) -> Found | None:
        return self._sections.find([name], key)
