"""The ranges of numeric parameters: bounds, order, scale, step."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fechner.strategies import values
from fechner.strategies.config.reading.sections import COMMON, Found, Sections

MOST_STEPS = 10**6
FARTHEST = 1e150
LOWEST_LOG = -1e9  # below, the shifted lower bound is no longer 1 in arithmetic


class Ranges:
    """Reads the keys of one configuration's parameters that say from where to where, and how."""

    def __init__(self, sections: Sections, names: Sequence[str]) -> None:
        self._sections = sections
        self._report = sections.report
        self._problem = sections.problem_at
        self._names = names
        self._older = {key: self._older_bounds(key) for key in ("lb", "ub")}

    @property
    def any_older(self) -> bool:
        """Whether there are bounds in the older lists of ``[common]``."""
        return any(self._older.values())

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

    def bound(self, index: int, name: str, key: str, older_key: str) -> float | None:
        """A bound of a parameter, or its older one; None, with a problem noted, if there is none."""
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

    def ordered(self, name: str, lower: float, upper: float) -> bool:
        """Whether the bounds are in order, and arithmetic can tell what lies between them."""
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

    def step(self, name: str, lower: float, upper: float) -> float | None:
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

    def shift(self, name: str, scale: str, lower: float) -> float:
        """What a log scale adds before the logarithm (docs/reference/config.md, Parameters)."""
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

    def log_possible(self, name: str, lower: float, upper: float, shift: float) -> bool:
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

    def scale(self, name: str) -> str:
        """linear or log, by either of the two keys."""
        named = self._find(name, "scale")
        log = self.truth(name, "log_scale", None)
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

    def normalize(self, name: str) -> bool:
        """Whether models see the parameter scaled to 0 to 1."""
        found = self.truth(name, "normalize_scale", True)
        if not found:
            detail = "has no effect yet: models always work on the range scaled to 0 to 1"
            self._report.warn(name, "normalize_scale", "False", detail, code="no_effect")
        return bool(found)

    def truth(self, name: str, key: str, default: bool | None) -> bool | None:
        """A truth value; the default where there is none."""
        found = self._find(name, key)
        if found is None:
            return default
        try:
            return values.truth(found.text)
        except ValueError as error:
            self._problem(found, name, key, str(error), "True or False")
            return default

    def _find(self, name: str, key: str) -> Found | None:
        return self._sections.find([name], key)
