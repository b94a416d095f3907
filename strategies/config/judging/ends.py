"""When a stage ends: what its keys say together, and whether they say it at all."""

from __future__ import annotations

from typing import Any, Literal

from fechner.strategies.config.reading.sections import Sections
from fechner.strategies.config.tables.keys import STAGE_KEYS
from fechner.strategies.config.tables.registry import CLASSES
from fechner.strategies.specification import Component

_ENDS = ("min_asks", "min_total_tells", "min_total_outcome_occurrences", "max_asks", "min_post_range")


def read_older_end(sections: Sections, name: str, read: dict[str, Any]) -> None:
    found = sections.find([name], "n_trials")
    if found is None:
        return
    if sections.find([name], "min_asks"):
        detail = "stands beside min_asks, which is used"
    else:
        detail = "is an older spelling of min_asks"
        read["min_asks"] = sections.read([name], "n_trials", STAGE_KEYS["n_trials"]) or 0
    sections.report.warn(
        found.section, "n_trials", found.text, detail, f"min_asks = {found.text}", "older_spelling"
    )


def check_end(
    sections: Sections,
    name: str,
    read: dict[str, Any],
    generator: Component | None,
    model: Component | None,
    no_end: Literal["error", "warning"],
) -> None:
    _check_counts(sections, name, read)
    _check_range(sections, name, read, model)
    given = [sections.find([name], key) for key in (*_ENDS, "n_trials", "stop")]
    finite = generator is not None and sections.catalogue[generator.name].finite
    if finite or read["run_indefinitely"] or any(found and found.text.strip("0. ") for found in given):
        return
    hint = "min_asks = 10, or min_total_tells, max_asks, run_indefinitely = True"
    note = sections.report.problem if no_end == "error" else sections.report.warn
    note(name, "min_asks", "", "nothing says when the stage ends", hint, "no_end")


def _check_counts(sections: Sections, name: str, read: dict[str, Any]) -> None:
    report = sections.report
    if read["min_asks"] and read["min_total_tells"]:
        detail = "min_asks and min_total_tells are both given: the stage ends only when both hold"
        report.warn(
            name, "min_total_tells", str(read["min_total_tells"]), detail, "one of them is usually meant"
        )
    if read["max_asks"] is not None and read["max_asks"] < read["min_asks"]:
        detail = f"the stage ends here, before min_asks = {read['min_asks']} is reached"
        report.warn(name, "max_asks", str(read["max_asks"]), detail)


def _check_range(sections: Sections, name: str, read: dict[str, Any], model: Component | None) -> None:
    """Note a range of predictions that can't be reached; without a model it counts for nothing."""
    report = sections.report
    if read["min_post_range"] is not None and model is None:
        found = sections.find([name], "min_post_range")
        if found and found.section == name and not sections.find([name], "model"):
            report.problem(
                name, "min_post_range", found.text, "needs a model", "model = GPClassificationModel"
            )
        read["min_post_range"] = None
    elif (read["min_post_range"] or 0.0) >= 1.0 and model is not None:
        entry = CLASSES.get(model.name)
        if entry is not None and entry.outcome == "binary":
            detail = "is never reached: probabilities lie between 0 and 1"
            report.warn(name, "min_post_range", f"{read['min_post_range']:g}", detail, "0.9, say")
