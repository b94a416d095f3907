"""Constraint points: places at which a probability is known beforehand, one by one or filling boxes.

Values and places are raw ones; what models get are unit coordinates of the parameters that are not fixed, the
probability, and the variance of what is not known about it, in latent space.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from fechner.strategies import values
from fechner.strategies.config.reading.sections import Found, Sections
from fechner.strategies.config.tables.keys import CONSTRAINT_FACTORY_KEYS
from fechner.strategies.specification import Parameter

MOST = 400
MOST_IN_A_BOX = 256

#: Unit coordinates, probability and variance.
ConstraintPoint = tuple[tuple[float, ...], float, float]


def constraint_points(
    sections: Sections, chain: Sequence[str], parameters: Sequence[Parameter], reader: Any
) -> tuple[ConstraintPoint, ...]:
    """What a model's section, and the section that its `constraint_factory` names, say; problems are noted.

    `reader` reads a list of points as clean raw values.
    """
    if not parameters:
        return ()
    points = _listed(sections, chain, parameters, reader)
    factory = sections.find(chain, "constraint_factory", inherited=False)
    if factory is not None:
        if factory.text in sections:
            sections.know(factory.text, [*CONSTRAINT_FACTORY_KEYS, "class"])
            points += _filled(sections, factory, parameters, reader)
        else:
            hint = f"a section [{factory.text}] with constraint_lower, constraint_upper and constraint_values"
            detail = "there is no such section"
            sections.report.problem(factory.section, factory.key, factory.text, detail, hint)
    if len(points) > MOST:
        place = factory or sections.find(chain, "constraint_locations", inherited=False)
        detail = f"gives {len(points)} constraint points; {MOST} at most"
        assert place is not None
        sections.report.problem(place.section, place.key, place.text, detail, "fewer points_per_dim")
        return ()
    return tuple(points)


def _listed(
    sections: Sections, chain: Sequence[str], parameters: Sequence[Parameter], reader: Any
) -> list[ConstraintPoint]:
    places = sections.find(chain, "constraint_locations", inherited=False)
    if places is None:
        return []
    units = _places(sections, places, parameters, reader)
    return _with_values(sections, chain, units)


def _filled(
    sections: Sections, factory: Found, parameters: Sequence[Parameter], reader: Any
) -> list[ConstraintPoint]:
    chain = [factory.text]
    ends = [sections.find(chain, key, inherited=False) for key in ("constraint_lower", "constraint_upper")]
    lower, upper = ends
    if lower is None or upper is None:
        missing = "constraint_lower" if lower is None else "constraint_upper"
        sections.report.problem(factory.text, missing, "", "is missing", "[0, 1]", "missing_key")
        return []
    starts, stops = (_places(sections, one, parameters, reader) for one in (lower, upper))
    if len(starts) != len(stops):
        detail = f"has {len(stops)} corners where constraint_lower has {len(starts)}"
        sections.report.problem(factory.text, "constraint_upper", upper.text, detail)
        return []
    per_dim = sections.read(chain, "points_per_dim", CONSTRAINT_FACTORY_KEYS["points_per_dim"])
    boxes = []
    for start, stop in zip(starts, stops, strict=True):
        if any(low > high for low, high in zip(start, stop, strict=True)):
            detail = "lies below constraint_lower"
            sections.report.problem(factory.text, "constraint_upper", upper.text, detail)
            return []
        boxes.append(_grid(start, stop, per_dim))
    known = _with_values(sections, chain, [box[0] for box in boxes])
    return [
        (place, value, variance)
        for box, (_, value, variance) in zip(boxes, known, strict=False)
        for place in box
    ]


def _grid(start: Sequence[float], stop: Sequence[float], per_dim: int) -> list[tuple[float, ...]]:
    """Evenly spaced places of a box, its corners among them; fewer a side where they would be too many."""
    sides = sum(low < high for low, high in zip(start, stop, strict=True))
    while per_dim > 2 and per_dim**sides > MOST_IN_A_BOX:
        per_dim -= 1
    axes = [
        [low + (high - low) * step / (per_dim - 1) for step in range(per_dim)] if low < high else [low]
        for low, high in zip(start, stop, strict=True)
    ]
    return list(product(*axes))


def _places(
    sections: Sections, found: Found, parameters: Sequence[Parameter], reader: Any
) -> list[tuple[float, ...]]:
    """Unit coordinates of a list of points; a flat list is one point, or a point each with one parameter."""
    from fechner.strategies.space.axes import Axis

    axes = [Axis(parameter) for parameter in parameters]
    free = sum(not axis.fixed for axis in axes)
    try:
        given = values.nested(found.text)
        flat = not isinstance(given, list) or not any(isinstance(item, list) for item in given)
        if flat and free > 1:
            given = [given]
        points = reader(given if isinstance(given, list) else [given])
    except ValueError as error:
        names = ", ".join(parameter.name for parameter in parameters[:10])
        hint = f"a list with one list per point: [[{names}], …]"
        sections.report.problem(found.section, found.key, found.text, str(error), hint)
        return []
    return [
        tuple(float(axis.unit(value)) for axis, value in zip(axes, point, strict=True) if not axis.fixed)
        for point in points
    ]


def _with_values(
    sections: Sections, chain: Sequence[str], places: Sequence[tuple[float, ...]]
) -> list[ConstraintPoint]:
    """The places with `constraint_values` and `constraint_strengths`, one for each or one for all."""
    if not places:
        return []
    known = _numbers(sections, chain, "constraint_values", len(places), 0.0, 1.0)
    if known is None:
        return []
    strengths = _numbers(sections, chain, "constraint_strengths", len(places), 1e-6, 1e6)
    if strengths is None:
        strengths = [(0.2 * value + 0.1) ** 2 for value in known]
    return list(zip(places, known, strengths, strict=True))


def _numbers(
    sections: Sections, chain: Sequence[str], key: str, count: int, low: float, high: float
) -> list[float] | None:
    found = sections.find(chain, key, inherited=False)
    hint = f"{count} number{'s' if count > 1 else ''} from {low:g} to {high:g}, or one for all"
    if found is None:
        if key == "constraint_values":
            sections.report.problem(chain[0], key, "", "is missing", hint, "missing_key")
        return None
    try:
        numbers = [values.number(text) for text in values.texts(found.text)]
        if len(numbers) not in (1, count):
            raise ValueError(f"has {len(numbers)} numbers for {count} places")
        if not all(low <= one <= high for one in numbers):
            raise ValueError("is out of range")
    except ValueError as error:
        sections.report.problem(found.section, key, found.text, str(error), hint)
        return None
    return numbers * count if len(numbers) == 1 else numbers
