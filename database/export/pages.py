"""The rows of an export, a page at a time: columns as arrays, no object per row.

Within a page, sessions have a rank; a trial's key is ``rank * 2**32 + trial``. Rows stand in the order of
their keys, so parameters and outcomes find their row by bisection, whatever order they are read in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import sqlalchemy as sa

from fechner.database._lazy import Lazy
from fechner.database.export.columns import (
    AFTER,
    BEFORE,
    asked_title,
    merge_told,
    outcome_title,
    parameter_title,
    stimuli,
)
from fechner.database.export.plan import Page, Plan, in_page
from fechner.database.form.tables import trial_outcomes, trial_parameters, trials

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
else:
    pd = Lazy("pandas")

_TRIAL = (
    "session", "trial", "strategy", "stage", "status", "asked_at", "told_at", *AFTER,
    "shown_json", "client_time_json", "extra_json",
)  # fmt: skip


class _Cells:
    """The values of the planned columns in one page: numbers, and texts in columns that have any."""

    def __init__(self, plan: Plan, n_rows: int) -> None:
        self._columns = plan.columns
        self._values: dict[str, NDArray[Any]] = {}
        for title, column in plan.columns.items():
            text = column.dtype == "object"
            self._values[title] = np.full(n_rows, None if text else np.nan, dtype=object if text else float)

    def fill(self, title: str, rows: Ints, numbers: NDArray[Any], texts: NDArray[Any]) -> None:
        """Put numbers, or the texts that stand in for them, into rows."""
        values = self._values.get(title)
        if values is None:  # came after the plan was made
            return
        if values.dtype == object:
            values[rows] = np.where(_missing(texts), numbers, texts)
        else:
            values[rows] = numbers

    def get(self, title: str, row: int) -> Any:
        values = self._values.get(title)
        return None if values is None else values[row]

    def put(self, title: str, row: int, value: Any) -> None:
        values = self._values.get(title)
        if values is not None:
            values[row] = value if value is not None or values.dtype == object else np.nan

    def series(self, title: str) -> Any:
        """A column with its type."""
        values, dtype = self._values[title], self._columns[title].dtype
        if dtype == "object":
            plain = [None if cell != cell else cell for cell in values]  # NaN: no number, and no text
            return pd.Series(plain, dtype=cast(Any, object))
        if dtype == "float64":
            return pd.Series(values)
        missing = np.isnan(values)
        kind = bool if dtype == "boolean" else np.int64
        array: Any = pd.arrays.BooleanArray if dtype == "boolean" else pd.arrays.IntegerArray
        return pd.Series(array(np.where(missing, 0, values).astype(kind), missing))


def frames(connection: sa.Connection, plan: Plan) -> Iterator[pd.DataFrame]:
    """The pages as dataframes, all with the same columns; a single empty one if there is no trial."""
    if not plan.pages:
        yield _frame(connection, plan, Page((), 0, 0))
    for page in plan.pages:
        yield _frame(connection, plan, page)


def _frame(connection: sa.Connection, plan: Plan, page: Page) -> pd.DataFrame:
    found = connection.execute(sa.select(*(trials.c[name] for name in _TRIAL)).where(in_page(trials, page)))
    rows = list(zip(*found.all(), strict=True)) or [()] * len(_TRIAL)
    fetched = dict(zip(_TRIAL, rows, strict=True))
    rank = {session: index for index, session in enumerate(page.sessions)}
    keys = _keys(fetched["session"], fetched["trial"], rank)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    columns = {name: _objects(values)[order] for name, values in fetched.items()}
    cells = _Cells(plan, len(keys))
    _parameters(connection, page, cells, keys, rank)
    _outcomes(connection, plan, page, cells, keys, rank, columns)
    _fill_shown(cells, columns["shown_json"])
    _extras(cells, columns["client_time_json"], columns["extra_json"])

    whose = list(zip(columns["session"], columns["strategy"], strict=True))
    for name in ("name", "participant"):
        by_strategy = {key: plan.strategies[key][name] for key in set(whose)}
        columns[name] = _objects([by_strategy[key] for key in whose])
    table: dict[str, Any] = {}
    for name in BEFORE:
        if name.endswith("_at"):
            table[name] = pd.Series(columns[name], dtype="datetime64[us, UTC]")
        elif name in ("strategy", "trial"):
            table[name] = columns[name].astype(np.int64)
        else:
            table[name] = pd.Series(columns[name], dtype="str")
    kinds = ("parameter", "outcome", "", "extra", "asked")
    for kind in kinds:
        for title, column in plan.columns.items():
            if column.kind == kind:
                table[title] = cells.series(title)
        if not kind:
            table |= {name: columns[name].astype(float) for name in AFTER}
    frame = pd.DataFrame(table)
    frame.attrs["units"] = plan.units
    return frame


def _missing(values: NDArray[Any]) -> NDArray[np.bool]:
    none: Any = None
    found: NDArray[np.bool] = np.equal(values, none).astype(bool)
    return found


def _present(values: NDArray[Any]) -> list[int]:
    """Places of values that there are."""
    return [int(place) for place in np.flatnonzero(~_missing(values))]


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _keys(sessions: Sequence[str], numbers: Sequence[int], rank: dict[str, int]) -> Ints:
    ranks = np.fromiter((rank[session] for session in sessions), np.int64, len(sessions))
    return (ranks << 32) | np.array(numbers, dtype=np.int64)


def _values(
    connection: sa.Connection, table: sa.Table, page: Page, keys: Ints, rank: dict[str, int], *more: str
) -> tuple[Ints, list[Sequence[Any]], NDArray[Any], NDArray[Any]]:
    """Rows of the page, further columns, numbers and texts of a table of values."""
    wanted = ("session", "trial", "number", "text", *more)
    found = connection.execute(sa.select(*(table.c[name] for name in wanted)).where(in_page(table, page)))
    columns: list[Sequence[Any]] = list(zip(*found.all(), strict=True)) or [()] * len(wanted)
    rows = np.searchsorted(keys, _keys(columns[0], columns[1], rank))
    return rows.astype(np.int64), columns[4:], np.array(columns[2], dtype=float), _objects(columns[3])


def _parameters(
    connection: sa.Connection, page: Page, cells: _Cells, keys: Ints, rank: dict[str, int]
) -> None:
    rows, (names, stimulus), numbers, texts = _values(
        connection, trial_parameters, page, keys, rank, "name", "stimulus"
    )
    known = {name: index for index, name in enumerate(dict.fromkeys(names))}
    ids = np.fromiter((known[name] for name in names), np.int64, len(names))
    places = np.array(stimulus, dtype=np.int64)
    values = rows * max(1, len(known)) + ids  # one trial's one parameter
    places = np.where(np.isin(values, values[places == 1]), places + 1, 0)
    columns = ids * 3 + places
    for column in np.unique(columns):
        title = parameter_title(list(known)[column // 3], int(column % 3))
        chosen = columns == column
        cells.fill(title, rows[chosen], numbers[chosen], texts[chosen])


def _outcomes(
    connection: sa.Connection,
    plan: Plan,
    page: Page,
    cells: _Cells,
    keys: Ints,
    rank: dict[str, int],
    columns: dict[str, NDArray[Any]],
) -> None:
    rows, (names,), numbers, texts = _values(connection, trial_outcomes, page, keys, rank, "name")
    known = {key: index for index, key in enumerate(set(zip(*_whose(columns, rows), names, strict=True)))}
    titles: dict[str, list[int]] = {}
    for (session, strategy, name), index in known.items():
        titles.setdefault(outcome_title(name, plan.strategies[session, strategy]), []).append(index)
    whose = zip(*_whose(columns, rows), names, strict=True)
    ids = np.fromiter((known[key] for key in whose), np.int64, len(names))
    for title, members in titles.items():
        chosen = np.isin(ids, members)
        cells.fill(title, rows[chosen], numbers[chosen], texts[chosen])


def _whose(columns: dict[str, NDArray[Any]], rows: Ints) -> tuple[NDArray[Any], NDArray[Any]]:
    return columns["session"][rows], columns["strategy"][rows]


def _fill_shown(cells: _Cells, shown: NDArray[Any]) -> None:
    """Where something else than asked was shown: that counts, and what was asked stands beside."""
    for row in _present(shown):
        for name, value in json.loads(shown[row]).items():
            for key, one in stimuli(name, value):
                title = parameter_title(*key)
                cells.put(asked_title(*key), row, cells.get(title, row))
                cells.put(title, row, one)


def _extras(cells: _Cells, client_times: NDArray[Any], extras: NDArray[Any]) -> None:
    for row in sorted({*_present(client_times), *_present(extras)}):
        for name, value in merge_told(client_times[row], extras[row]).items():
            cells.put(f"extra.{name}", row, value)
