"""The parameter sections to parameters: types, bounds, scales, choices."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from fechner.strategies import values
from fechner.strategies.config.reading.sections import COMMON, Found, Sections
from fechner.strategies.config.tables.keys import PARAMETER_KEYS, PARAMETER_TYPES
from fechner.strategies.specification import Parameter
from fechner.strategies.values import clip

MOST_LEVELS = 10**12  # of an integer: beyond this its levels can't be told apart in the unit interval
MOST_CHOICES = 1000
MOST_STEPS = 10**6
FARTHEST = 1e150
LOWEST_LOG = -1e9  # below, the shifted lower bound is no longer 1 in arithmetic


def parameters(sections: Sections, names: Sequence[str]) -> tuple[Parameter, ...]:
    """One parameter per name; those with problems are left out (the problems are noted)."""
    reader = _Reader(sections, names)
    return tuple(filter(None, (reader.parameter(index, name) for index, name in enumerate(names))))


class _Reader:
    def __init__(self, sections: Sections, names: Sequence[str]) -> None:
        self._sections = sections
        self._report = sections.report
        self._names = names
        self._older = {key: self._older_bounds(key) for key in ("lb", "ub")}

    def parameter(self, index: int, name: str) -> Parameter | None:
        own = name in self._sections
        if own:
            self._sections.know(name, PARAMETER_KEYS)
        found = self._find(name, "par_type")
        if found is None and not own and not any(self._older.values()):
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
                    self._bound(0, name, key, "")
            return None
        self._out_of_place(name, kind)
        unit = self._find(name, "unit")
        read = getattr(self, f"_{kind}")(index, name)
        return read and Parameter(name, kind, unit=unit.text if unit else "", **read)

    def _continuous(self, index: int, name: str) -> dict[str, Any] | None:
        lower = self._bound(index, name, "lower_bound", "lb")
        upper = self._bound(index, name, "upper_bound", "ub")
        scale = self._scale(name)
        if lower is None or upper is None or not self._ordered(name, lower, upper):
            return None
        shift = self._shift(name, scale, lower)
        if scale == "log" and not self._log_possible(name, lower, upper, shift):
            return None
        normalize, step = self._normalize(name), self._step(name, lower, upper)
        bounds = {"lower": lower, "upper": upper}
        return {**bounds, "scale": scale, "shift": shift, "normalize": normalize, "step": step}

    def _integer(self, index: int, name: str) -> dict[str, Any] | None:
        lower = self._bound(index, name, "lower_bound", "lb")
        upper = self._bound(index, name, "upper_bound", "ub")
        scale = self._scale(name)
        sound = True
        for key, value in (("lower_bound", lower), ("upper_bound", upper)):
            if value is not None and (not value.is_integer() or abs(value) > values.LARGEST):
                detail = "is too large for" if value.is_integer() else "must be"
                self._problem(self._find(name, key), name, key, f"{detail} a whole number", "a whole number")
                sound = False
        if lower is None or upper is None or not sound or not self._ordered(name, lower, upper):
            return None
        if upper - lower >= MOST_LEVELS:
            self._problem(
                None, name, "", "has too many whole numbers between its bounds", "par_type = continuous"
            )
            return None
        shift = self._shift(name, scale, lower)
        if scale == "log" and not self._log_possible(name, lower, upper, shift):
            return None
        normalize, step = self._normalize(name), self._step(name, lower, upper)
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

    def _older_bounds(self, key: str) -> list[float | None] | None:
        """The older lb and ub lists of ``[common]``, one number per parameter (None where it isn't one)."""
        found = self._sections.find([], key)
        if found is None:
            return None
        try:
            texts = values.texts(found.text)
        except ValueError as error:
            self._report.problem(
                found.section, key, found.text, str(error), "one number per parameter: [0, 1]"
            )
            return [None] * len(self._names)
        if len(texts) != len(self._names):
            detail = f"has {len(texts)} numbers for {len(self._names)} parameters"
            self._report.problem(found.section, key, found.text, detail, "one per name in parnames")
            return [None] * len(self._names)
        bounds: list[float | None] = []
        for text in texts:
            try:
                bounds.append(values.number(text))
            except ValueError as error:
                detail = f"'{text}' {error}"
                self._report.problem(found.section, key, found.text, detail, "one number per parameter")
                bounds.append(None)
        return bounds

    def _bound(self, index: int, name: str, key: str, older_key: str) -> float | None:
        found = self._find(name, key)
        if found is None:
            older = self._older[older_key]
            if older is not None:
                detail = "bounds in lb and ub are an older spelling"
                hint = "a section per parameter with par_type, lower_bound and upper_bound"
                self._report.warn(COMMON, older_key, "", detail, hint, "older_spelling")
                return older[index]
            self._problem(None, name, key, "is missing", f"{key} = a number", "missing_key")
            return None
        try:
            return values.number(found.text)
        except ValueError as error:
            detail = (
                "must be finite"
                if found.text.lower().lstrip("+-") in ("inf", "nan", "infinity")
                else str(error)
            )
            self._problem(found, name, key, detail, f"{key} = a number, within {FARTHEST:g} of 0")
            return None

    def _ordered(self, name: str, lower: float, upper: float) -> bool:
        found, span = self._find(name, "lower_bound"), upper - lower
        if lower >= upper:
            hint = "par_type = fixed, value = …" if lower == upper else "exchange the two"
            low, high = values.written(lower), values.written(upper)
            detail = f"the lower bound {low} is not below the upper bound {high}"
            self._problem(found, name, "lower_bound", detail, hint)
        elif not math.isfinite(span) or max(abs(lower), abs(upper)) > FARTHEST:
            detail = "the bounds are too far apart for arithmetic"
            self._problem(found, name, "lower_bound", detail, "a narrower range, or another unit")
        elif span < 1e-9 * max(abs(lower), abs(upper)) or span < 1e-150:
            detail = "the bounds are too near to each other for arithmetic"
            self._problem(found, name, "lower_bound", detail, "a wider range, or another unit")
        else:
            return True
        return False

    def _step(self, name: str, lower: float, upper: float) -> float | None:
        """The step of asks; None where there is none, or none that can be."""
        found = self._find(name, "step")
        if found is None:
            return None
        detail, step = "", 0.0
        try:
            step = values.number(found.text)
        except ValueError as error:
            detail = str(error)
        else:
            if step <= 0:
                detail = "must be above 0"
            elif step > upper - lower:
                detail = f"is wider than the range from {values.written(lower)} to {values.written(upper)}"
            elif upper - lower > MOST_STEPS * step:
                detail = f"makes more than {MOST_STEPS} values"
        if detail:
            self._problem(found, name, "step", detail, "a number above 0 that divides the range into steps")
            return None
        return step

    def _shift(self, name: str, scale: str, lower: float) -> float:
        """What a log scale adds before the logarithm (config.md 3)."""
        if scale != "log":
            return 0.0
        shift = abs(lower) + 1 if lower < 0 else 1.0 if lower < 1 else 0.0
        if self._find(name, "scale") is None or not shift:
            return shift
        if lower > 0:
            return 0.0
        detail = f"a log scale needs positive values, so it is taken of the value + {values.written(shift)}"
        self._report.warn(name, "scale", "log", detail, "give a positive lower_bound", code="doubtful")
        return shift

    def _log_possible(self, name: str, lower: float, upper: float, shift: float) -> bool:
        """Whether arithmetic can hold log10 of the shifted range."""
        if lower < LOWEST_LOG:
            detail = "is too low for a log scale"
            self._problem(self._find(name, "lower_bound"), name, "lower_bound", detail, "a positive number")
        elif not math.log10(upper + shift) - math.log10(lower + shift) > 1e-9:
            detail = "lies too near to the lower bound for a log scale"
            self._problem(self._find(name, "upper_bound"), name, "upper_bound", detail, "scale = linear")
        else:
            return True
        return False

    def _scale(self, name: str) -> str:
        named = self._find(name, "scale")
        log = self._truth(name, "log_scale", None)
        scale = "log" if log else "linear"
        if named is None:
            return scale
        if named.text.lower() == "db":
            self._sections.not_supported(named, "scale = db", "scale = linear, with bounds in dB")
        elif named.text.lower() not in ("linear", "log"):
            self._problem(named, name, "scale", "there is no such scale", "linear or log", "unknown_name")
        elif log is not None and named.text.lower() != scale:
            self._problem(named, name, "scale", f"contradicts log_scale = {log}", "give one of the two")
        else:
            scale = named.text.lower()
        return scale

    def _normalize(self, name: str) -> bool:
        found = self._truth(name, "normalize_scale", True)
        if not found:
            detail = "has no effect yet: models always work on the range scaled to 0 to 1"
            self._report.warn(name, "normalize_scale", "False", detail, code="no_effect")
        return bool(found)

    def _truth(self, name: str, key: str, default: bool | None) -> bool | None:
        found = self._find(name, key)
        if found is None:
            return default
        try:
            return values.truth(found.text)
        except ValueError as error:
            self._problem(found, name, key, str(error), "True or False")
            return default

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

    def _problem(
        self, found: Found | None, name: str, key: str, detail: str, hint: str = "", code: str = "bad_value"
    ) -> None:
        section, text = (found.section, found.text) if found else (name, "")
        self._report.problem(section, key, text, detail, hint, code)
