"""Which earlier sessions warm a stage: the section that `seed_data_conditions` names."""

from __future__ import annotations

from collections.abc import Collection

from fechner.strategies import values
from fechner.strategies.config.reading.sections import Sections
from fechner.strategies.config.tables.keys import STAGE_KEYS
from fechner.strategies.specification import SeedDataConditions

KEY = "seed_data_conditions"
_SHAPE = "a section with experiment_name, experiment_id, participant_id … = [a, b]"


def conditions(sections: Sections, stage: str, taken: Collection[str]) -> SeedDataConditions | None:
    """The conditions of a stage; None where it has none, or none that can be used (that is noted).

    Args:
        sections: the configuration.
        stage: the stage's name.
        taken: sections that have another role.
    """
    report, found = sections.report, sections.find([stage], KEY)
    if found is None:
        sections.read([stage], KEY, STAGE_KEYS[KEY])
        return None
    name = found.text
    if name not in sections:
        near = report.near(name, [one for one in sections.texts if one not in taken])
        detail = f"there is no section [{name}]"
        report.problem(found.section, KEY, name, detail, near or _SHAPE, "missing_section")
        return None
    if name in taken:
        detail = f"[{name}] is the section of something else"
        report.problem(found.section, KEY, name, detail, _SHAPE, "bad_name")
        return None
    sections.know(name, sections.texts[name])
    read: dict[str, tuple[str, ...]] = {}
    for key in sections.texts[name]:
        condition = sections.find([name], key, inherited=False)
        if condition is None:
            continue
        try:
            wanted = tuple(dict.fromkeys(values.texts(condition.text)))
        except ValueError as error:
            report.problem(name, key, condition.text, str(error), "a list: [a, b]")
            continue
        if wanted:
            read[key] = wanted
    if not read and not report.failed:
        detail = "names no condition, so every session would match"
        report.problem(name, "", "", detail, "for instance experiment_name = [pilot]", "missing_key")
    return SeedDataConditions(name, read) if read else None
