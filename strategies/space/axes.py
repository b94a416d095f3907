"""One parameter: between its raw values and its unit coordinate, and whether a value is one of its values.

Symbols:
    x       a raw value: a number, or a text for categorical (and some fixed) parameters
    u       its unit coordinate in [0, 1]
    s       the shift of a log scale (`Parameter.shift`)
    n, k    number of levels and the level of an integer, binary, discrete or categorical parameter

Continuous: u = (t(x) - t(lower)) / (t(upper) - t(lower)), with t(x) = x or log10(x + s).
Levels: level k owns the k-th of n equal parts of [0, 1] and is encoded as its middle, u = (k + 1/2) / n. An
integer on a log scale owns the part from t(x - 1/2) to t(x + 1/2) instead, and is encoded as t(x) within it.
Steps: a parameter with a step is asked at its multiples from the lower bound on only, and told anywhere.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from numbers import Real
from typing import Any

from fechner.strategies.errors import FechnerError
from fechner.strategies.specification import Parameter
from fechner.strategies.values import written

TOLERANCE = 1e-6  # of a parameter's range: nearer to the box is inside, nearer to each other is the same


@dataclass(frozen=True)
class _Scale:
    """t and its inverse, mapped so that [low, high] becomes [0, 1]."""

    low: float
    high: float
    log: bool
    shift: float = 0.0

    @cached_property
    def ends(self) -> tuple[float, float]:
        if not self.log:
            return self.low, self.high
        return math.log10(self.low + self.shift), math.log10(self.high + self.shift)

    def unit(self, value: float) -> float:
        start, end = self.ends
        if self.log:
            if value + self.shift <= 0:
                return -math.inf
            value = math.log10(value + self.shift)
        return (value - start) / (end - start)

    def raw(self, unit: float) -> float:
        if unit <= 0:
            return self.low
        if unit >= 1:
            return self.high
        start, end = self.ends
        value = start + unit * (end - start)
        if self.log:
            value = math.pow(10.0, value) - self.shift
        return min(max(value, self.low), self.high)


class Axis:
    """One parameter: between a raw value and its unit coordinate, and whether a value is one of its own."""

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        self.kind = parameter.type
        self.choices = parameter.choices
        self.fixed = self.kind == "fixed"
        log = parameter.scale == "log"
        low, high = (0.0, 1.0) if self.kind == "binary" else (parameter.lower or 0.0, parameter.upper or 0.0)
        if self.kind == "continuous":
            self.levels: int | None = None
            self.scale = _Scale(low, high, log, parameter.shift)
        elif self.kind in ("integer", "binary"):
            self.levels = int(high - low) + 1
            self.first = int(low)
            self.scale = _Scale(low - 0.5, high + 0.5, log, parameter.shift)
        elif not self.fixed:
            self.levels = len(self.choices)

    def unit(self, value: Any) -> float:
        if self.kind == "continuous":
            return min(max(self.scale.unit(float(value)), 0.0), 1.0)
        if self.kind in ("integer", "binary"):
            if self.scale.log:
                return self.scale.unit(float(value))
            return (int(value) - self.first + 0.5) / (self.levels or 1)
        return float(self.choices.index(value) + 0.5) / (self.levels or 1)

    def raw(self, unit: float) -> Any:
        if self.fixed:
            return self.parameter.value
        if self.kind == "continuous":
            value = self.scale.raw(unit)
            near = self.displayed(value)  # as it is written, where it is one but for rounding
            return near if abs(near - value) <= 1e-9 * (self.scale.high - self.scale.low) else value
        last = (self.levels or 1) - 1
        if self.kind in ("integer", "binary"):
            level = math.floor(self.scale.raw(unit) + 0.5) - self.first
            return self.first + min(max(level, 0), last)
        return self.choices[min(max(math.floor(unit * (last + 1)), 0), last)]

    def displayed(self, value: Any) -> Any:
        """The nearest multiple of the step, from the lower bound on and inside the range."""
        step = self.parameter.step
        if step is None:
            return value
        low, high = self.parameter.lower or 0.0, self.parameter.upper or 0.0
        near = _multiple(low, step, min(round((value - low) / step), count_steps(low, high, step)))
        return round(near) if self.kind == "integer" else near

    @property
    def n_values(self) -> int | None:
        """How many values an ask can take; None for a continuous parameter without step."""
        step = self.parameter.step
        if step is None:
            return self.levels
        return count_steps(self.parameter.lower or 0.0, self.parameter.upper or 0.0, step) + 1

    def values(self) -> list[Any]:
        """The raw values that an ask can take, in the order of their unit coordinates.

        Raises:
            ValueError: for a fixed parameter, and a continuous one without step.
        """
        if self.fixed or self.n_values is None:
            raise ValueError(f"'{self.parameter.name}' has no levels")
        if self.parameter.step is not None:
            low = self.parameter.lower or 0.0
            found = [_multiple(low, self.parameter.step, k) for k in range(self.n_values)]
            return [round(value) for value in found] if self.kind == "integer" else found
        if self.kind in ("integer", "binary"):
            return list(range(self.first, self.first + self.n_values))
        return list(self.choices)

    @property
    def reach(self) -> float:
        """The largest size of a number among its values."""
        if self.kind == "discrete":
            return float(max(map(abs, self.choices)))
        return max(abs(self.scale.low), abs(self.scale.high))

    def clean(self, value: Any, where: str) -> Any:
        """The value as this parameter's own type, clamped if a hair outside; else FechnerError."""
        name = self.parameter.name
        if self.kind == "categorical" or isinstance(self.parameter.value, str):
            choices = [self.parameter.value] if self.fixed else list(self.choices)
            if not isinstance(value, str) or value not in choices:
                raise FechnerError(
                    "bad_value",
                    f"{_show(value)} is not a value of '{name}': {', '.join(map(repr, choices))}",
                    where,
                    did_you_mean(value, choices),
                )
            return value
        number = _number(value, name, where)
        if self.fixed:
            given = float(self.parameter.value)
            if abs(number - given) > TOLERANCE * max(abs(given), 1.0):
                raise FechnerError(
                    "bad_value", f"'{name}' is fixed at {written(given)}, not {written(number)}", where
                )
            return self.parameter.value
        if self.kind == "continuous":
            low, high, unit = self.scale.low, self.scale.high, self.scale.unit(number)
            hair = TOLERANCE * (high - low)
            if (unit < -TOLERANCE or unit > 1 + TOLERANCE) and not low - hair <= number <= high + hair:
                raise _outside(name, number, low, high, where)
            return min(max(number, low), high)
        if self.kind == "discrete":
            best = min(self.choices, key=lambda choice: abs(choice - number))
            if abs(best - number) > TOLERANCE * (max(self.choices) - min(self.choices)):
                raise FechnerError(
                    "bad_value",
                    f"{written(number)} is not a value of '{name}': {listing(self.choices)}",
                    where,
                )
            return best
        whole = round(number)
        if abs(number - whole) > TOLERANCE:
            raise FechnerError("bad_value", f"'{name}' takes whole numbers, not {written(number)}", where)
        if not self.first <= whole < self.first + (self.levels or 1):
            raise _outside(name, number, self.first, self.first + (self.levels or 1) - 1, where)
        return whole

    def plain(self, values: Sequence[Any]) -> bool:
        """Whether these are many floats inside a continuous range, that need no cleaning one by one."""
        if self.kind != "continuous" or any(type(value) is not float for value in values):
            return False
        return bool(self.scale.low <= min(values) and max(values) <= self.scale.high) and all(
            map(math.isfinite, values)
        )

    def same(self, one: Any, other: Any, tolerance: float) -> bool:
        if self.fixed or self.kind in ("categorical", "binary", "integer"):
            return bool(one == other)
        if self.kind == "discrete":
            return bool(abs(one - other) <= tolerance * (max(self.choices) - min(self.choices)))
        return abs(self.scale.unit(float(one)) - self.scale.unit(float(other))) <= tolerance


def count_steps(low: float, high: float, step: float) -> int:
    """How many steps fit between the bounds, but for rounding."""
    return math.floor((high - low) / step * (1 + 1e-12) + 1e-9)


def _multiple(low: float, step: float, count: int) -> float:
    """``low + count * step`` as people write it: 0.3, not 0.30000000000000004."""
    return float(Decimal(repr(float(low))) + count * Decimal(repr(float(step))))


def _number(value: Any, name: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise FechnerError("bad_value", f"'{name}' takes a number, not {_show(value)}", where)
    try:
        number = float(value)
    except (OverflowError, ValueError, TypeError):
        number = math.inf
    if not math.isfinite(number):
        raise FechnerError("bad_value", f"'{name}' takes a finite number, not {_show(value)}", where)
    return number


def _outside(name: str, value: float, low: float, high: float, where: str) -> FechnerError:
    hint = f"'{name}' runs from {written(low)} to {written(high)}"
    return FechnerError("out_of_bounds", f"{written(value)} is outside the range of '{name}'", where, hint)


def clip(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


def _show(value: Any) -> str:
    try:
        return clip(repr(value))
    except ValueError:  # an integer of too many digits
        return "a very large number"


def listing(items: Iterable[Any]) -> str:
    shown = [clip(str(item)) for item in items]
    return ", ".join(shown[:20]) + (f" and {len(shown) - 20} more" if len(shown) > 20 else "")


def did_you_mean(text: Any, candidates: Sequence[str]) -> str:
    if not isinstance(text, str) or len(text) > 60:
        return ""
    near = difflib.get_close_matches(text, candidates, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else ""
