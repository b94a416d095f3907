"""Exports as files: CSV, Parquet, and the raw messages as JSON Lines; written a page at a time.

A file appears under its name only when it is whole: until then it has ``.part`` behind its name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from fechner.database._lazy import Lazy
from fechner.database.errors import UnreadableError
from fechner.database.export.long import long as long_form
from fechner.database.export.pages import frames
from fechner.database.export.plan import Plan
from fechner.database.form.tables import messages, sessions

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyarrow import parquet
else:
    pa, parquet = Lazy("pyarrow"), Lazy("pyarrow.parquet")

#: Messages read at a time.
PAGE_MESSAGES = 1000


@contextmanager
def whole(to: str | os.PathLike[str]) -> Iterator[Path]:
    """A file to write that takes its name when it is written; an earlier one stays if that fails."""
    target = Path(to)
    part = target.with_name(f"{target.name}.part")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def write_csv(connection: sa.Connection, plan: Plan, to: str | os.PathLike[str], long: bool) -> int:
    """Write a CSV file; gives the number of rows."""
    n_rows = 0
    with whole(to) as part, part.open("w", encoding="utf-8", newline="") as file:
        for number, page in enumerate(_pages(connection, plan, long)):
            _write_times(page).to_csv(file, index=False, header=number == 0, lineterminator="\n")
            n_rows += len(page)
    return n_rows


def write_parquet(connection: sa.Connection, plan: Plan, to: str | os.PathLike[str], long: bool) -> int:
    """Write a Parquet file, each page a row group; units are in the metadata of table and columns."""
    n_rows = 0
    writer: Any = None
    with whole(to) as part:
        try:
            for page in _pages(connection, plan, long):
                if writer is None:
                    schema = _schema(page, plan.units)
                    writer = parquet.ParquetWriter(part, schema, compression="zstd")
                arrays = [_array(page[field.name], field.type, pa) for field in schema]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
                n_rows += len(page)
        finally:
            if writer is not None:
                writer.close()
    return n_rows


def write_messages(
    connection: sa.Connection, to: str | os.PathLike[str], wanted: Sequence[str] | None
) -> int:
    """Write the messages as they are on record, one JSON object in a line, sessions oldest first."""
    order = sa.select(sessions.c.session).order_by(sessions.c.created_at, sessions.c.session)
    ids = [id_ for id_ in connection.execute(order).scalars() if wanted is None or id_ in set(wanted)]
    n_rows = 0
    with whole(to) as part, part.open("w", encoding="ascii", newline="\n") as file:
        for line in message_lines(connection, ids):
            file.write(line)
            n_rows += 1
    return n_rows


def message_lines(connection: sa.Connection, ids: Sequence[str]) -> Iterator[str]:
    """The messages of some sessions as lines of JSON: every column, texts to the last character."""
    statement = (
        sa.select(messages)
        .where(messages.c.session == sa.bindparam("id"), messages.c.seq > sa.bindparam("after"))
        .order_by(messages.c.seq)
        .limit(PAGE_MESSAGES)
    )
    for id_ in ids:
        after, more = 0, True
        while more:
            rows = connection.execute(statement, {"id": id_, "after": after}).all()
            more = len(rows) == PAGE_MESSAGES
            for row in rows:
                after = row.seq
                values = dict(row._mapping)
                values["received_at"] = row.received_at.isoformat(timespec="microseconds")
                try:
                    yield json.dumps(values) + "\n"
                except TypeError as error:
                    raise UnreadableError(f"message {row.seq} of session {id_} can't be read") from error


def _pages(connection: sa.Connection, plan: Plan, long: bool) -> Iterator[pd.DataFrame]:
    for page in frames(connection, plan):
        yield long_form(page, plan) if long else page


def _write_times(page: pd.DataFrame) -> pd.DataFrame:
    """A page with times as ISO 8601 texts, always with microseconds, so that all lines look alike."""
    texts = {}
    for name in ("asked_at", "told_at"):
        times = page[name].dt.tz_localize(None).to_numpy()
        text = np.char.add(np.datetime_as_string(times, unit="us"), "+00:00").astype(object)
        text[np.isnat(times)] = None
        texts[name] = text
    return page.assign(**texts)


def _schema(page: pd.DataFrame, units: dict[str, str]) -> Any:
    """The Parquet schema of a page's columns; those of texts are strings, also where none has come yet."""
    empty = page.iloc[:0]
    plain = pa.Table.from_pandas(
        empty.astype({name: "str" for name in page if page[name].dtype == object}), preserve_index=False
    ).schema
    fields = []
    for field in plain:
        unit = units.get(field.name)
        kind = pa.string() if pa.types.is_large_string(field.type) else field.type
        fields.append(pa.field(field.name, kind, metadata={"unit": unit} if unit else None))
    return pa.schema(fields, metadata=plain.metadata)


def _array(series: Any, kind: Any, pa: Any) -> Any:
    if series.dtype == object:
        series = [None if cell is None else cell if isinstance(cell, str) else _text(cell) for cell in series]
    return pa.array(series, type=kind, from_pandas=True)


def _text(cell: Any) -> str:
    """A number or truth value that stands in a column of texts."""
    return json.dumps(cell)
