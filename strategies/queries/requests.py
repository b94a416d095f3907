"""What a query's request says: points, a box, numbers; errors name the place in the message."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fechner.strategies.errors import FechnerError
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.space.parameters import Space


def points_of(space: Space, x: Any, without: set[str]) -> list[dict[str, Any]]:
    """The rows of a mapping of names to values or lists; a single value stands for all rows."""
    if not x:
        return []
    if not isinstance(x, Mapping):
        raise FechnerError("bad_value", "x must map parameter names to values or lists", "message.x")
    given = {n: list(v) if isinstance(v, list | tuple) else [v] for n, v in x.items() if n not in without}
    if not given:
        return []
    length = max(len(values) for values in given.values())
    for name, values in given.items():
        if len(values) not in (1, length):
            text = f"{name} has {len(values)} values where others have {length}"
            raise FechnerError("bad_value", text, f"message.x.{name}")
    middle = space.decode(np.full(space.d, 0.5))
    stand_in = {name: [middle[name]] for name in without}
    rows = space.validate_columns({**given, **stand_in}, length, "message.x")
    return rows


def box_of(space: Space, constraints: Any) -> tuple[Array, Array]:
    """The ends (d,) in unit space of the box that `constraints` leaves."""
    lower, upper = np.zeros(space.d), np.ones(space.d)
    if not constraints:
        return lower, upper
    if not isinstance(constraints, Mapping):
        raise FechnerError("bad_value", "constraints must map names to values", "message.constraints")
    free = [space.names[index] for index in space.free]
    middle = space.decode(np.full(space.d, 0.5))
    for name, value in constraints.items():
        where = f"message.constraints.{name}"
        ends = list(value) if isinstance(value, list | tuple) else [value]
        if len(ends) not in (1, 2):
            raise FechnerError("bad_value", "a constraint is one value or [lower, upper]", where)
        clean = [space.validate_fixed({name: end}, "message.constraints")[name] for end in ends]
        if name not in free:
            continue
        dimension = free.index(name)
        units = [float(space.encode({**middle, name: end})[dimension]) for end in clean]
        if units[0] > units[-1]:
            raise FechnerError("bad_value", f"the lower end of {name} lies above the upper one", where)
        lower[dimension], upper[dimension] = units[0], units[-1]
    return lower, upper


def number_of(value: Any, where: str) -> float:
    """A finite number, also as a list of one."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    try:
        number = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise FechnerError("bad_value", f"{str(value)[:40]} is not a finite number", where)
    return number
