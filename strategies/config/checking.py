"""`check`: a configuration, INI text or nested mapping, to a specification, or to every problem it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from fechner.strategies import values
from fechner.strategies.config.judging import constraints, plugged, space
from fechner.strategies.config.judging.classes import Classes, PointReader
from fechner.strategies.config.judging.experiment import Experiment
from fechner.strategies.config.judging.outcomes import outcomes
from fechner.strategies.config.judging.stages import stages
from fechner.strategies.config.reading import ini, interpolation, mapping
from fechner.strategies.config.reading.report import Report
from fechner.strategies.config.reading.sections import COMMON, OLDER_COMMON, Sections
from fechner.strategies.config.tables.keys import COMMON_KEYS, METADATA_KEYS, PARAMETER_KEYS, STAGE_KEYS
from fechner.strategies.config.tables.registry import OLDER_CLASSES
from fechner.strategies.errors import ConfigError
from fechner.strategies.specification import Specification

LONGEST_NAME = 100
_RESERVED = (COMMON, OLDER_COMMON, "metadata", "constraints")


def check(config: str | Mapping[str, Any], *, no_end: Literal["error", "warning"] = "error") -> Specification:
    """The validated specification of a configuration.

    Args:
        config: INI text, or section names to keys to values (real lists, numbers and truth values allowed).
        no_end: what a stage without any end is: an error (native setups) or a warning (AEPsych dialects).

    Raises:
        ConfigError: with every problem found, and the warnings. Nothing else is raised, whatever the input.
    """
    report = Report()
    raw, source = _read(config, report)
    if raw is None:
        raise ConfigError(report.problems, report.warnings)
    texts = interpolation.resolve(raw, report)
    if interpolation.size(texts) > interpolation.MOST:
        report.problem("", "", "", "the configuration is too large", code="too_large")
        raise ConfigError(report.problems, report.warnings)
    full = interpolation.with_common(raw, texts, report)
    specification = _specification(Sections(texts, full, report), no_end)
    report.sort(texts)
    if report.failed or specification is None:
        raise ConfigError(report.problems, report.warnings)
    return Specification(**specification, sections=full, source=source, warnings=report.warnings)


def _read(config: Any, report: Report) -> tuple[ini.Raw | None, str | Mapping[str, Any]]:
    if isinstance(config, Mapping):
        raw, source = mapping.read(config, report)
        pieces = [p for name, keys in raw.items() for p in (name, *keys, *filter(None, keys.values()))]
        return (raw if _is_text("".join(pieces), report) else None), source
    if not isinstance(config, str):
        detail = f"must be INI text or sections of keys and values, not {type(config).__name__}"
        report.problem("", "", "", detail, code="bad_config")
        return None, ""
    if not _is_text(config, report):
        return None, ""
    return ini.read(config, report), config


def _is_text(text: str, report: Report) -> bool:
    """Whether the text can be kept and sent: not too long, proper Unicode, no NUL."""
    if len(text) > ini.LONGEST:
        detail = f"the configuration has {len(text)} characters; at most {ini.LONGEST} are accepted"
        report.problem("", "", "", detail, code="too_large")
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        report.problem("", "", "", "the configuration is not proper Unicode text", code="bad_text")
        return False
    if "\0" in text:
        report.problem("", "", "", "the configuration contains a NUL character", code="bad_text")
        return False
    if not text.strip():
        report.problem("", "", "", "the configuration is empty", "begin with [common]", "missing_section")
        return False
    return True


def _specification(sections: Sections, no_end: Literal["error", "warning"]) -> dict[str, Any] | None:
    report = sections.report
    extensions = plugged.gather(sections)
    _know_common(sections)
    names = _names(sections, "parnames", "parameter", ())
    stage_names = _names(sections, "strategy_names", "strategy", names)
    parameters = space.parameters(sections, names)
    found_outcomes, stimuli = outcomes(sections, stage_names)
    target = sections.read([], "target", COMMON_KEYS["target"])
    seed = sections.read([COMMON, OLDER_COMMON], "seed", COMMON_KEYS["seed"])
    complete = parameters if len(parameters) == len(names) else ()
    found_constraints = constraints.constraints(sections, parameters, names)
    classes = Classes(sections, PointReader(complete, stimuli))
    taken = (COMMON, OLDER_COMMON, "constraints", *names, *stage_names)
    shared = Experiment(parameters, found_outcomes, stimuli, target, no_end, taken)
    found_stages = stages(sections, classes, stage_names, shared)
    constraints.check_points(sections, complete, found_constraints, found_stages)
    metadata = {key: text for key, text in sections.texts.get("metadata", {}).items() if text}
    _leftovers(sections, names, stage_names)
    if report.failed:
        return None
    return {
        "parameters": parameters,
        "outcomes": found_outcomes,
        "stages": found_stages,
        "stimuli_per_trial": stimuli,
        "seed": seed,
        "target": target,
        "constraints": found_constraints,
        "metadata": metadata,
        "extensions": extensions,
        "abouts": {name: entry.about for name, entry in sections.catalogue.items() if entry.about},
    }


def _know_common(sections: Sections) -> None:
    everything = {*COMMON_KEYS, *STAGE_KEYS, *PARAMETER_KEYS}
    for entry in sections.catalogue.values():
        everything.update(entry.keys)
    sections.know(COMMON, everything)
    if OLDER_COMMON in sections:
        sections.know(OLDER_COMMON, everything)
        sections.report.warn(
            OLDER_COMMON, "", "", "is an older name of [common]", "write [common]", "older_spelling"
        )
    if "metadata" in sections:
        sections.know("metadata", [*METADATA_KEYS, *sections.texts["metadata"]])
    if COMMON not in sections:
        near = sections.report.near(COMMON, sections.texts)
        hint = near or "with parnames, outcome_types and strategy_names"
        sections.report.problem(COMMON, "", "", "the section is missing", hint, "missing_section")


def _names(sections: Sections, key: str, what: str, taken: Sequence[str]) -> list[str]:
    """The names in a list of ``[common]`` that are usable: not empty, not twice, nobody else's section."""
    report, found = sections.report, sections.find([], key)
    if found is None:
        if COMMON in sections:
            own = {**sections.texts.get(COMMON, {}), **sections.texts.get(OLDER_COMMON, {})}
            hint = report.near(key, [k for k in own if k not in COMMON_KEYS]) or f"{key} = [a, b]"
            report.problem(COMMON, key, "", "is missing", hint, "missing_key")
        return []
    try:
        given = values.texts(found.text)
    except ValueError as error:
        report.problem(found.section, key, found.text, str(error), "a list: [a, b]")
        return []
    if not given:
        report.problem(found.section, key, found.text, "is an empty list", f"the name of each {what}")
    if len(given) > ini.MOST_SECTIONS:
        detail = f"has {len(given)} names; at most {ini.MOST_SECTIONS} are accepted"
        report.problem(found.section, key, found.text, detail, code="too_large")
        return []
    names: dict[str, None] = {}
    for name in given:
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            detail = f"a {what}'s name must have 1 to {LONGEST_NAME} printable characters"
        elif name in names:
            detail = f"'{name}' stands twice"
        elif name in _RESERVED:
            detail = f"'{name}' is the name of another section"
        elif name in taken:
            detail = f"'{name}' is also the name of a parameter"
        else:
            names[name] = None
            continue
        report.problem(found.section, key, found.text, detail, code="bad_name")
    return list(names)


def _leftovers(sections: Sections, names: Sequence[str], stage_names: Sequence[str]) -> None:
    """Warn of sections without a role, and of keys that don't belong where they stand."""
    report = sections.report
    for section, keys in sections.texts.items():
        if sections.is_known(section):
            continue
        if section in sections.catalogue or section in OLDER_CLASSES or "class" in keys:
            report.warn(section, "", "", "no stage uses this section", code="unused_section")
        else:
            hint = report.near(
                section, [*names, *stage_names, COMMON, "metadata", "constraints", *sections.catalogue]
            )
            report.warn(section, "", "", "the section has no meaning", hint, "unknown_section")
    for section, key, text, known in sections.unknown_keys():
        report.warn(section, key, text, "the key has no meaning here", report.near(key, known), "unknown_key")
