"""Where constraints allow asks: which points are inside, and sequences of those that are.

Notation: m points, s stimuli of a trial, d parameters that are not fixed; points are in unit space, what is
compared is what they stand for in raw space. A trial of two stimuli is inside if both are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fechner.strategies.errors import FechnerError
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.space.parameters import Space
from fechner.strategies.specification import Comparison, Constraint, Parameter

Flags = NDArray[np.bool_]
Fill = Callable[[int, int, int, int], Array]

LEAST_SHARE = 2**14  # points that look for one that is allowed, at least
HAIR = 1e-9  # of the sum's range: what is no more than rounding
FIRST = 64  # points that are looked at first
ROUND = 2**14  # points of one sequence; another begins where it is used up
MOST_ROUNDS = 16


def inside(space: Space, x: Array, given: Collection[int] = ()) -> Flags:
    """Whether each of the points x (m, d) is allowed, (m,); coordinates at places `given` have no step."""
    columns: dict[str, Any] = {}
    out = np.ones(len(x), dtype=bool)
    for constraint in space.constraints:
        held = np.ones(len(x), dtype=bool)
        for comparison in constraint.comparisons:
            for name, _ in comparison.terms:
                if name not in columns:
                    columns[name] = space.column(name, x, given)
            held &= _holds(comparison, columns, space)
        out &= ~held if constraint.forbidden else held
    return out


def broken(space: Space, config: Mapping[str, Any]) -> Constraint | None:
    """The first constraint that a clean configuration of a trial breaks; None if it is allowed."""
    stimuli = max((len(v) for v in config.values() if isinstance(v, list)), default=1)
    for row in range(stimuli):
        columns = {n: np.array([v[row] if isinstance(v, list) else v]) for n, v in config.items()}
        for constraint in space.constraints:
            held = all(bool(_holds(one, columns, space)[0]) for one in constraint.comparisons)
            if held is constraint.forbidden:
                return constraint
    return None


def _holds(comparison: Comparison, columns: Mapping[str, Any], space: Space) -> Flags:
    """Whether a comparison holds of raw values (m,) by name, (m,); strict ones hold clearly."""
    bound, sign = comparison.bound, comparison.sign
    if isinstance(bound, str):
        ((name, _),) = comparison.terms
        same: Flags = np.asarray(columns[name] == bound)
        return same if sign == "==" else ~same
    total = sum(factor * columns[name].astype(float) for name, factor in comparison.terms)
    hair = HAIR * (abs(bound) + sum(abs(factor) * space.reach(name) for name, factor in comparison.terms))
    above = np.asarray(total - bound)
    found: Flags = {
        "<=": above <= hair,
        ">=": above >= -hair,
        "<": above < -hair,
        ">": above > hair,
        "==": np.abs(above) <= hair,
        "!=": np.abs(above) > hair,
    }[sign]
    return found


def leaves_something(parameters: tuple[Parameter, ...], constraints: tuple[Constraint, ...]) -> bool:
    """Whether any of the combinations, or of LEAST_SHARE points where there are more, is allowed."""
    space = Space(parameters, constraints)
    counts = space.n_levels
    if all(count is not None for count in counts):
        total = int(np.prod([float(count or 1) for count in counts]))
        if total <= 4 * LEAST_SHARE:
            grids = np.meshgrid(*(space.levels(place) for place in range(space.d)), indexing="ij")
            return bool(inside(space, np.stack([grid.ravel() for grid in grids], axis=1)).any())
    return bool(inside(space, sobol(0, space.d, 0, LEAST_SHARE)).any())


def filled(
    space: Space,
    fill: Fill,
    seed: int,
    stimuli: int,
    first: int,
    n: int,
    fixed: Mapping[int, float] | None = None,
) -> Array:
    """Points `first` to `first + n` of those of a sequence that are allowed, ``n x stimuli x d``.

    Where MOST_ROUNDS rounds of ROUND points (of the sequence and of its successors) don't hold as many, they
    begin again; none come where there is none.

    Args:
        space: with its constraints.
        fill: seed, dimension, first and n to points of the unit cube.
        seed: of the sequence.
        stimuli: of a trial.
        first, n: which of the allowed points.
        fixed: values in unit space by place, for all points.
    """
    held = tuple(sorted((fixed or {}).items()))
    found: list[Array] = []
    count = 0
    for round_ in range(MOST_ROUNDS):
        own = seed if round_ == 0 else key(seed, "round", round_)
        begin, size = 0, FIRST
        while begin < ROUND and count < first + n:
            part = _allowed(space, fill, own, stimuli, begin, size, held)
            found.append(part)
            count += len(part)
            begin += size
            size = min(2 * begin, ROUND) - begin
    points = np.concatenate(found)
    return points[np.arange(first, first + n) % count] if count else points


def sampled(
    space: Space, fill: Fill, seed: int, stimuli: int, first: int, n: int, fixed: Mapping[int, float]
) -> Array:
    """The same; FechnerError where `fixed` leaves nothing that is allowed."""
    points = filled(space, fill, seed, stimuli, first, n, fixed)
    if len(points) == n:
        return points
    detail = "no point with these values is allowed by [constraints]"
    raise FechnerError("bad_value", detail, "message.fixed", "other values, or fewer of them")


@lru_cache(maxsize=256)
def _allowed(
    space: Space,
    fill: Fill,
    seed: int,
    stimuli: int,
    begin: int,
    size: int,
    fixed: tuple[tuple[int, float], ...],
) -> Array:
    """The allowed ones among the points `begin` to `begin + size` of a sequence."""
    points = fill(seed, stimuli * space.d, begin, size).reshape(size, stimuli, space.d).copy()
    for place, unit in fixed:
        points[:, :, place] = unit
    flat = inside(space, points.reshape(-1, space.d), [place for place, _ in fixed])
    kept = points[flat.reshape(size, stimuli).all(axis=1)]
    kept.flags.writeable = False
    return kept
