"""Outcome types, their names and the number of stimuli, of ``[common]`` or of the stages."""

from __future__ import annotations

from collections.abc import Sequence

from fechner.strategies import values
from fechner.strategies.config.reading.sections import COMMON, Found, Sections
from fechner.strategies.config.tables import keys, registry
from fechner.strategies.specification import Outcome

TYPES = ("binary", "continuous", "ordinal")
OLDER_TYPES = {
    "single_probit": ("binary", 1),
    "single_continuous": ("continuous", 1),
    "pairwise_probit": ("binary", 2),
}


def outcomes(sections: Sections, stages: Sequence[str]) -> tuple[tuple[Outcome, ...], int]:
    """The outcomes and the number of stimuli in a trial; what is usable comes back, problems are noted."""
    report = sections.report
    types, stimuli = _types(sections, stages)
    n_stimuli = _stimuli(sections, stages, stimuli)
    found = sections.find([], "outcome_names")
    names = [f"outcome_{index}" for index in range(1, len(types) + 1)]
    if found:
        try:
            given = values.texts(found.text)
        except ValueError as error:
            report.problem(found.section, found.key, found.text, str(error), "a list: [a, b]")
            given = names
        if types and len(given) != len(types):
            detail = f"has {len(given)} names for {len(types)} outcomes"
            report.problem(found.section, found.key, found.text, detail, "one name per outcome type")
        elif len(set(given)) < len(given) or not all(given):
            report.problem(
                found.section, found.key, found.text, "has a name twice, or is empty", "a name for each"
            )
        elif types:
            names = given
    n_levels = 0
    if "ordinal" in types:
        n_levels = sections.read(["OrdinalLikelihood"], "n_levels", keys.N_LEVELS)
        if "OrdinalLikelihood" in sections:
            sections.know("OrdinalLikelihood", ["n_levels"])
    return tuple(
        Outcome(name, kind, n_levels if kind == "ordinal" else 0)
        for name, kind in zip(names, types, strict=True)
    ), n_stimuli


def _types(sections: Sections, stages: Sequence[str]) -> tuple[list[str], int | None]:
    """The outcome types, and the number of stimuli if an older type says it."""
    report = sections.report
    places = [_written(sections, stage) for stage in stages] or [_written(sections, COMMON)]
    places = [found or _written(sections, COMMON) for found in places]
    given = [found for found in places if found]
    if len(given) < len(places) or not given:
        report.problem(
            COMMON,
            "outcome_types",
            "",
            "is missing",
            "outcome_types = [binary], or continuous, ordinal",
            "missing_key",
        )
        if not given:
            return [], None
    read = {found: _read_types(sections, found) for found in dict.fromkeys(given)}
    first = read[given[0]]
    for found, kinds in read.items():
        if kinds != first:
            detail = "stages with different outcome types are not supported yet"
            report.problem(
                found.section, found.key, found.text, detail, "one for all in [common]", "not_supported"
            )
    return first


def _written(sections: Sections, section: str) -> Found | None:
    inherited = section == COMMON
    chain = [] if inherited else [section]
    return sections.find(chain, "outcome_types", inherited) or sections.find(chain, "outcome_type", inherited)


def _read_types(sections: Sections, found: Found) -> tuple[list[str], int | None]:
    report, stimuli = sections.report, None
    if found.key == "outcome_type" and found.text not in OLDER_TYPES:
        hint = "outcome_types = [binary]"
        report.warn(found.section, found.key, found.text, "is an older spelling", hint, "older_spelling")
    try:
        given = values.texts(found.text)
    except ValueError as error:
        report.problem(found.section, found.key, found.text, str(error), "a list: [binary]")
        return [], None
    kinds = []
    for kind in given[:100]:
        if kind in OLDER_TYPES:
            name, stimuli = OLDER_TYPES[kind]
            more = ", stimuli_per_trial = 2" if stimuli == 2 else ""
            detail = f"'{kind}' is an older spelling"
            report.warn(
                found.section,
                found.key,
                found.text,
                detail,
                f"outcome_types = [{name}]{more}",
                "older_spelling",
            )
            kinds.append(name)
        elif kind.lower() in TYPES:
            kinds.append(kind.lower())
        else:
            near = report.near(kind, (*TYPES, *OLDER_TYPES)) or f"one of {', '.join(TYPES)}"
            detail = f"there is no outcome type '{kind}'"
            report.problem(found.section, found.key, found.text, detail, near, "unknown_name")
    if not given:
        report.problem(found.section, found.key, found.text, "is an empty list", f"one of {', '.join(TYPES)}")
    return kinds, stimuli


def _stimuli(sections: Sections, stages: Sequence[str], older: int | None) -> int:
    report, key = sections.report, keys.COMMON_KEYS["stimuli_per_trial"]
    counts: dict[int, Found] = {}
    for stage in stages or [COMMON]:
        found = sections.find([stage], "stimuli_per_trial")
        generator = sections.find([stage], "generator")
        if found:
            counts.setdefault(sections.read([stage], "stimuli_per_trial", key), found)
        elif generator and generator.text in registry.PAIRWISE_NAMES:
            counts.setdefault(2, generator)
        elif older is not None:
            counts.setdefault(older, Found(COMMON, "outcome_type", ""))
        else:
            counts.setdefault(1, Found(stage, "stimuli_per_trial", ""))
    if len(counts) > 1:
        found = list(counts.values())[-1]
        detail = "stages with different numbers of stimuli are not supported yet"
        report.problem(
            found.section,
            found.key,
            found.text,
            detail,
            "stimuli_per_trial for all in [common]",
            "not_supported",
        )
    return max(counts)
