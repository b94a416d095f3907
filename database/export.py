"""The record as a table for analysis: one row per trial (design.md 10)."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fechner.database.record import Record
from fechner.database.tables import Row

if TYPE_CHECKING:
    import pandas as pd

#: The columns that every export has, before and after those of parameters and outcomes.
BEFORE = ("session", "name", "participant", "strategy", "stage", "trial", "status", "asked_at", "told_at")
AFTER = ("response_time", "confidence", "post_mean", "post_sd")
_FIXED = frozenset((*BEFORE, "outcome", *AFTER))
_WHOLE = ("binary", "ordinal", "integer")


class _Columns:
    """Columns that appear as they are met, each as long as the last row that it has a value in."""

    def __init__(self) -> None:
        self.values: dict[str, list[Any]] = {}
        self.types: dict[str, set[str | None]] = {}

    def declare(self, title: str, kind: str | None) -> None:
        """Give a column its place, and the type that a setup gives it."""
        self.values.setdefault(title, [])
        self.types.setdefault(title, set()).add(kind)

    def put(self, row: int, title: str, value: Any) -> None:
        column = self.values.setdefault(title, [])
        column.extend([None] * (row - len(column)))
        column.append(value)

    def fill(self, table: dict[str, Any], n_rows: int) -> None:
        """Add the columns to a table: floats, whole numbers where the type says so, else as they are."""
        import pandas as pd

        for title, column in self.values.items():
            if not column and f"{title}_1" in self.values:
                continue  # declared as one, but every trial had two stimuli
            values = column + [None] * (n_rows - len(column))
            kinds = self.types.get(title, {None})
            if any(isinstance(value, str) for value in values):
                table[title] = pd.Series(values, dtype=object)
            elif all(kind in _WHOLE for kind in kinds) and all(
                value is None or value == int(value) for value in values
            ):
                table[title] = pd.Series(values, dtype="Int64")
            else:
                table[title] = pd.Series(values, dtype="float64")


def trials_frame(record: Record, sessions: Sequence[str] | None = None) -> pd.DataFrame:
    """The trials of some sessions, or of all, one row each, by session (oldest first) and trial.

    Columns: session, name, participant, strategy, stage, trial, status, asked_at, told_at (UTC); the
    parameters, as they were shown (``par.NAME`` where a fixed column has the name; ``NAME_1`` and ``NAME_2``
    where trials have two stimuli); the outcomes (``outcome`` for a strategy's only one if it has no name of
    its own); response_time, confidence, post_mean, post_sd; ``extra.KEY`` for what the client added; and,
    where something else than asked was shown, ``asked.NAME``.
    """
    import pandas as pd

    parameters, outcomes, asked, extra = _Columns(), _Columns(), _Columns(), _Columns()
    fixed: dict[str, list[Any]] = {name: [] for name in (*BEFORE, *AFTER)}
    n_rows = 0
    for session in [row["session"] for row in record.sessions()]:
        if sessions is not None and session not in sessions:
            continue
        strategies = {row["strategy"]: row for row in record.strategies(session)}
        for strategy in strategies.values():
            for name, kind in _declared(strategy["parameters"]):
                parameters.declare(_parameter(name), kind)
            for name, kind in _declared(strategy["outcomes"]):
                outcomes.declare(_outcome(name, strategy), kind)
        for trial in record.trials(session):
            strategy = strategies[trial["strategy"]]
            for name in BEFORE:
                fixed[name].append(strategy[name] if name in ("name", "participant") else trial[name])
            for name in AFTER:
                fixed[name].append(trial[name])
            shown = trial["shown"] or {}
            for name, value in (trial["config"] | shown).items():
                _put(parameters, n_rows, _parameter(name), value)
            for name in shown:
                _put(asked, n_rows, f"asked.{name}", trial["config"].get(name))
            for name, value in (trial["outcome"] or {}).items():
                outcomes.put(n_rows, _outcome(name, strategy), value)
            extras = {} if trial["client_time"] is None else {"client_time": trial["client_time"]}
            for name, value in (extras | (trial["extra"] or {})).items():
                plain = json.dumps(value) if isinstance(value, list | dict) else value
                extra.put(n_rows, f"extra.{name}", plain)
            n_rows += 1

    table: dict[str, Any] = {
        name: pd.Series(fixed[name], dtype="datetime64[us, UTC]") if name.endswith("_at") else fixed[name]
        for name in BEFORE
    }
    parameters.fill(table, n_rows)
    outcomes.fill(table, n_rows)
    for name in AFTER:
        table[name] = pd.Series(fixed[name], dtype="float64")
    for title, column in extra.values.items():
        values = column + [None] * (n_rows - len(column))
        table[title] = pd.Series(values, dtype=object).infer_objects()
    asked.fill(table, n_rows)
    return pd.DataFrame(table)


def to_csv(record: Record, to: str | os.PathLike[str], sessions: Sequence[str] | None = None) -> int:
    """Write `trials_frame` to a CSV file and say how many rows it has; floats are written to the last bit."""
    frame = trials_frame(record, sessions)
    frame.to_csv(os.fspath(to), index=False)
    return len(frame)


def _declared(items: list[Any]) -> list[tuple[str, str | None]]:
    """Names and types as a setup declared them: plain names, or objects with name and type."""
    return [
        (item["name"], item.get("type")) if isinstance(item, dict) else (str(item), None) for item in items
    ]


def _parameter(name: str) -> str:
    return f"par.{name}" if name in _FIXED else name


def _outcome(name: str, strategy: Row) -> str:
    if name == "outcome_1" and len(strategy["outcomes"]) == 1:
        return "outcome"
    taken = {title for title, _ in _declared(strategy["parameters"])}
    return f"outcome.{name}" if name in taken or (name in _FIXED and name != "outcome") else name


def _put(columns: _Columns, row: int, title: str, value: Any) -> None:
    """Put a parameter's value: one column, or one per stimulus."""
    if not isinstance(value, list):
        columns.put(row, title, value)
    elif len(value) == 1:
        columns.put(row, title, value[0])
    else:
        for stimulus, one in enumerate(value, 1):
            columns.put(row, f"{title}_{stimulus}", one)
