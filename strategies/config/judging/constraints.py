"""`[constraints]`: linear inequalities that every ask keeps, and regions that asks stay out of.

    c1 = par1 + 2*par2 <= 3
    forbidden = par1 > 0.5 and par2 < 0.1

A key that begins with ``forbidden`` names a region, any other a condition; parts joined by ``and`` hold
together, comparisons may be chained (``0 <= a + b <= 3``). Values are raw ones. The texts are read by hand,
never evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence

from fechner.strategies.config.reading.comparisons import comparisons
from fechner.strategies.config.reading.sections import Sections
from fechner.strategies.specification import Constraint, Parameter, Stage
from fechner.strategies.values import clip

SECTION = "constraints"
FORBIDDEN = "forbidden"
MOST = 100


def constraints(
    sections: Sections, parameters: Sequence[Parameter], names: Sequence[str]
) -> tuple[Constraint, ...]:
    """The constraints; what is wrong with one is noted as a problem at its key.

    Of `names` those that are missing among `parameters` have problems of their own: a constraint that speaks
    of one of them is not judged, and the others are only read.
    """
    if SECTION not in sections:
        return ()
    report, texts = sections.report, sections.texts[SECTION]
    sections.know(SECTION, texts)
    if not names:
        return ()
    unclear = [name for name in names if all(name != parameter.name for parameter in parameters)]
    known = [*parameters, *(Parameter(name, "continuous", lower=0.0, upper=1.0) for name in unclear)]
    if len(texts) > MOST:
        detail = f"has {len(texts)} constraints; at most {MOST} are accepted"
        report.problem(SECTION, "", "", detail, code="too_large")
        return ()
    found, failed = [], False
    for key, text in texts.items():
        try:
            found.append(_constraint(key, text or "", known))
        except ValueError as error:
            if any(name in (text or "") for name in unclear):
                continue
            detail, _, hint = str(error).partition("\n")
            hint = hint or "a + 2*b <= 3, or, in a forbidden region, a > 0.5 and b < 0.1"
            report.problem(SECTION, key, text or "", detail, hint)
            failed = True
    if unclear:
        return ()
    if found and not failed:
        _check_share(sections, parameters, tuple(found))
    return tuple(found)


def _check_share(sections: Sections, parameters: Sequence[Parameter], found: tuple[Constraint, ...]) -> None:
    """Note constraints that leave nothing, naming those that do so alone."""
    from fechner.strategies.space.region import LEAST_SHARE, leaves_something

    if leaves_something(tuple(parameters), found):
        return
    alone = [one for one in found if not leaves_something(tuple(parameters), (one,))]
    detail = f"leaves nothing of the parameters' ranges, or less than one in {LEAST_SHARE:,} points"
    for one in alone:
        sections.report.problem(SECTION, one.key, one.text, detail, "wider conditions")
    if not alone:
        detail = detail.replace("leaves", "together they leave")
        sections.report.problem(SECTION, "", "", detail, "wider conditions")


def check_points(
    sections: Sections,
    parameters: Sequence[Parameter],
    found: tuple[Constraint, ...],
    stages: Sequence[Stage],
) -> None:
    """Note listed points that the constraints rule out."""
    if not found:
        return
    from fechner.strategies.space.parameters import Space
    from fechner.strategies.space.region import broken

    space = Space(tuple(parameters), found)
    for stage in stages:
        for index, point in enumerate(stage.generator.keys.get("points") or (), start=1):
            rule = broken(space, dict(zip(space.names, point, strict=True)))
            if rule is not None:
                word = "lies in" if rule.forbidden else "breaks"
                detail = f"point {index} {word} '{rule.key}' of [{SECTION}]: {clip(rule.text)}"
                sections.report.problem(stage.generator.name, "points", "", detail, "leave the point out")
                break


def _constraint(key: str, text: str, parameters: Sequence[Parameter]) -> Constraint:
    found = comparisons(text, parameters)
    return Constraint(key, text.strip(), key.lower().startswith(FORBIDDEN), found)
