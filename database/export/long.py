"""The long form of a page: one row for each value of a trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fechner.database._lazy import Lazy
from fechner.database.export.columns import BEFORE
from fechner.database.export.plan import Plan

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = Lazy("pandas")

#: The columns behind those that a trial has.
VALUES = ("kind", "variable", "stimulus", "value", "text", "unit")


def long(page: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """A wide page as a long one; a trial's rows stand together, its parameters before its outcomes."""
    parts: list[tuple[Any, ...]] = []
    rows = [np.zeros(0, dtype=np.int64)]
    for column in plan.columns.values():
        if column.kind == "extra":
            continue
        series = page[column.title]
        found = np.flatnonzero(series.notna().to_numpy())
        if column.dtype == "object":
            cells = series.to_numpy()[found]
            is_text = np.array([isinstance(cell, str) for cell in cells], dtype=bool)
            numbers = np.where(is_text, np.nan, cells).astype(float)
            texts = np.where(is_text, cells, np.full(len(cells), None, dtype=object))
        else:
            numbers = series.to_numpy(dtype=float, na_value=np.nan)[found]
            texts = np.full(len(found), None, dtype=object)
        rows.append(found)
        parts.append((column, len(found), numbers, texts))
    where = np.concatenate(rows)
    order = np.argsort(where, kind="stable")
    sizes = [size for _, size, _, _ in parts]

    def repeat(values: list[Any]) -> Any:
        return np.repeat(np.array(values, dtype=object), sizes)[order] if parts else []

    table = page.loc[:, list(BEFORE)].iloc[where[order]].reset_index(drop=True)
    columns = [column for column, _, _, _ in parts]
    table["kind"] = pd.Series(repeat([column.kind for column in columns]), dtype="str")
    table["variable"] = pd.Series(repeat([column.name for column in columns]), dtype="str")
    table["stimulus"] = np.array(repeat([column.stimulus for column in columns]), dtype=np.int64)
    table["value"] = np.concatenate([np.zeros(0), *(numbers for _, _, numbers, _ in parts)])[order]
    texts = np.concatenate([np.zeros(0, dtype=object), *(texts for _, _, _, texts in parts)])[order]
    table["text"] = pd.Series(texts, dtype=object)
    table["unit"] = pd.Series(repeat([column.unit or None for column in columns]), dtype="str")
    table.attrs["units"] = {"asked_at": "UTC", "told_at": "UTC"}
    return table
