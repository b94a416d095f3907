"""A session as a BIDS events file: tab-separated, with a JSON file beside it that describes each column.

Names and meaning of the columns that every events file has are those of the Brain Imaging Data Structure
(Gorgolewski et al. 2016, doi 10.1038/sdata.2016.44): onset and duration in seconds, ``n/a`` where there is no
value. Onset counts from the session's first trial, because the record doesn't know the scanner's clock.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fechner.database._lazy import Lazy
from fechner.database.export.files import whole
from fechner.database.export.pages import frames
from fechner.database.export.plan import Plan

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = Lazy("pandas")

#: What the columns that each export has mean, in the order of the events file.
MEANINGS = {
    "onset": "Time of asking for the trial (of telling it, if nobody asked), from the session's first trial",
    "duration": "Time from asking for the trial to telling its outcome",
    "trial_type": "Stage of the strategy that the trial belongs to",
    "response_time": "Response time, as the experiment program told it",
    "trial": "Number of the trial in its session, from 1",
    "strategy": "Number of the strategy in its session, from 0",
    "status": "Whether the outcome is told",
    "confidence": "The participant's confidence, as the experiment program told it",
    "post_mean": "The model's prediction at the trial before it was answered",
    "post_sd": "Standard deviation of the model's prediction at the trial before it was answered",
}
_LEVELS = {
    "status": {
        "pending": "asked for, no outcome yet",
        "told": "has an outcome",
        "skipped": "given up without an outcome",
    }
}
_UNITS = {"onset": "s", "duration": "s", "response_time": "s"}
_KINDS = {
    "parameter": "Parameter {name} of the stimulus, as it was shown",
    "outcome": "Outcome {name}",
    "extra": "{name}, as the experiment program told it beside the outcome",
    "asked": "Parameter {name} of the stimulus as it was asked for, where something else was shown",
}


def write_events(connection: sa.Connection, plan: Plan, to: str | os.PathLike[str]) -> int:
    """Write the events file and, with the ending ``.json``, its description; gives the number of rows.

    Raises:
        ValueError: not exactly one session, or a name that would clash with the description's.
    """
    if len({session for session, _ in plan.strategies}) != 1:
        raise ValueError("an events file holds one session: name it")
    beside = Path(to).with_suffix(".json")
    if beside == Path(to):
        raise ValueError(f"{to}: an events file is called FILE.tsv; its description is FILE.json")
    trials = pd.concat(frames(connection, plan), ignore_index=True)
    table = _events(trials, plan)
    sidecar = _describe(trials, plan, [str(title) for title in table])
    with whole(to) as part:
        table.to_csv(part, sep="\t", index=False, na_rep="n/a", lineterminator="\n")
    with whole(beside) as part:
        part.write_text(json.dumps(sidecar, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return len(table)


def _events(trials: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    begin = trials["asked_at"].fillna(trials["told_at"])
    onset = (begin - begin.min()).dt.total_seconds()
    duration = (trials["told_at"] - trials["asked_at"]).dt.total_seconds()
    columns: dict[str, Any] = {
        "onset": onset.round(6),
        "duration": duration.where(duration >= 0).round(6),
        "trial_type": trials["stage"],
        "response_time": trials["response_time"],
        "trial": trials["trial"],
        "strategy": trials["strategy"],
        "status": trials["status"],
    }
    for title, column in plan.columns.items():
        values = trials[title]
        if column.dtype == "object":  # a tab or the end of a line would begin another cell
            values = values.map(lambda cell: " ".join(cell.split()) if isinstance(cell, str) else cell)
        columns[_title(title, columns)] = values
    columns |= {name: trials[name] for name in ("confidence", "post_mean", "post_sd")}
    return pd.DataFrame(columns).sort_values("onset", kind="stable")


def _title(title: str, taken: dict[str, Any]) -> str:
    return f"par.{title}" if title in taken else title


def _describe(trials: pd.DataFrame, plan: Plan, titles: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for title in titles:
        column = plan.columns.get(title.removeprefix("par.") if title not in plan.columns else title)
        if title in MEANINGS:
            about: dict[str, Any] = {"Description": MEANINGS[title]}
        else:
            assert column is not None
            about = {"Description": _KINDS[column.kind].format(name=column.name)}
            if column.stimulus:
                about["Description"] += f", stimulus {column.stimulus}"
        if title in _LEVELS:
            about["Levels"] = _LEVELS[title]
        elif title == "trial_type":
            about["Levels"] = {stage: f"stage {stage}" for stage in trials["stage"].dropna().unique()}
        unit = _UNITS.get(title) or (column.unit if column and title not in MEANINGS else "")
        if unit:
            about["Units"] = unit
        found[title] = about
    return found
