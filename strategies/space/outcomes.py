"""What may be told: an outcome of each kind, checked before anything changes."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Any

from fechner.strategies.errors import FechnerError
from fechner.strategies.specification import Outcome, Specification

#: Size of a continuous outcome up to which a model's arithmetic, which squares it, has room.
LARGEST = 1e100


def clean_outcome(
    specification: Specification, told: Any, where: str = "message.outcome"
) -> dict[str, float]:
    """The told outcome as `{name: number}`, in the order of the specification's outcomes.

    `told` is a number (one outcome), a list in order, or `{name: value}`.

    Raises:
        FechnerError: bad_outcome, naming what is wrong with which outcome.
    """
    outcomes = specification.outcomes
    names = [outcome.name for outcome in outcomes]
    if isinstance(told, Mapping):
        unknown = sorted(set(map(str, told)) - set(names))
        missing = [name for name in names if name not in told]
        if unknown or missing:
            parts = [f"unknown: {', '.join(unknown)}"] * bool(unknown)
            parts += [f"missing: {', '.join(missing)}"] * bool(missing)
            near = difflib.get_close_matches(unknown[0], names, 1) if unknown else []
            raise FechnerError(
                "bad_outcome",
                f"outcome names don't match ({'; '.join(parts)})",
                where=f"{where}.{unknown[0]}" if unknown else where,
                hint=f"did you mean '{near[0]}'?" if near else f"the outcomes are {', '.join(names)}",
            )
        values = [told[name] for name in names]
        places = [f"{where}.{name}" for name in names]
    elif isinstance(told, list | tuple):
        if len(told) != len(outcomes):
            raise FechnerError(
                "bad_outcome",
                f"{len(told)} outcomes for the {len(outcomes)} of the configuration",
                where=where,
            )
        values, places = list(told), [f"{where}.{i}" for i in range(len(told))]
    else:
        if len(outcomes) != 1:
            raise FechnerError(
                "bad_outcome",
                f"one value for {len(outcomes)} outcomes",
                where=where,
                hint=f"tell {{{', '.join(repr(name) + ': …' for name in names)}}}",
            )
        values, places = [told], [where]
    return {
        outcome.name: _number(outcome, value, place)
        for outcome, value, place in zip(outcomes, values, places, strict=True)
    }


def place_of(specification: Specification, name: str | None, where: str = "message.outcome") -> int:
    """The place of the outcome called `name` among the specification's; the first one's if None.

    Raises:
        FechnerError: bad_value, if there is no such outcome.
    """
    names = [outcome.name for outcome in specification.outcomes]
    if name is not None and name not in names:
        hint = f"the outcomes are {', '.join(names)}"
        raise FechnerError("bad_value", f"there is no outcome '{name}'", where=where, hint=hint)
    return 0 if name is None else names.index(name)


def _number(outcome: Outcome, value: Any, where: str) -> float:
    """One outcome's value as a number of its type."""
    wanted = {
        "binary": "0 or 1",
        "ordinal": f"a whole number from 0 to {outcome.n_levels - 1}",
        "continuous": f"a finite number of at most {LARGEST:g} in size",
    }[outcome.type]
    fault = FechnerError(
        "bad_outcome",
        f"outcome '{outcome.name}' is {outcome.type}: {_shown(value)} is not {wanted}",
        where=where,
    )
    if isinstance(value, bool):
        if outcome.type != "binary":
            raise fault
        return float(value)
    if not isinstance(value, int | float):
        raise fault
    try:
        number = float(value)
    except OverflowError:
        raise fault from None
    if not math.isfinite(number):
        raise fault
    if abs(number) > LARGEST:
        raise fault
    if outcome.type == "binary" and number not in (0.0, 1.0):
        raise fault
    if outcome.type == "ordinal" and not (number.is_integer() and 0 <= number < outcome.n_levels):
        raise fault
    return number


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"
