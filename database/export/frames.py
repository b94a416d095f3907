"""The record as tables for analysis: wide (one row per trial) and long, in memory or as files.

The columns are those of docs/reference/record.md, "Export".

Everything is read in one transaction and a page at a time, so that a record of any size goes to a file while
a server writes to it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fechner.database._lazy import Lazy
from fechner.database.export import bids, files
from fechner.database.export.columns import AFTER, BEFORE
from fechner.database.export.long import long as long_form
from fechner.database.export.pages import frames
from fechner.database.export.plan import Plan, plan
from fechner.database.record import Record

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa
else:
    pd = Lazy("pandas")

__all__ = ["AFTER", "BEFORE", "FORMATS", "long_frame", "to_csv", "trials_frame", "write"]

#: Formats by the ending of a file's name.
FORMATS = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".tsv": "bids"}


def trials_frame(record: Record, sessions: Sequence[str] | None = None) -> pd.DataFrame:
    """The trials of some sessions, or of all, one row each, by session (oldest first) and trial.

    Columns: session, name, participant, strategy, stage, trial, status, asked_at, told_at (UTC); the
    parameters, as they were shown (``par.NAME`` where a fixed column has the name; ``NAME_1`` and ``NAME_2``
    where trials have two stimuli); the outcomes (``outcome`` for a strategy's only one if it has no name of
    its own); response_time, confidence, post_mean, post_sd; ``extra.KEY`` for what the client added; and,
    where something else than asked was shown, ``asked.NAME``.

    Numbers are ``float64``, or ``Int64`` where the configuration says that they are whole. Units, as the
    configurations name them, are in ``attrs["units"]``, by column.
    """
    with _plan(record, sessions) as (connection, columns):
        frame = pd.concat(frames(connection, columns), ignore_index=True)
    frame.attrs["units"] = columns.units
    return frame


def long_frame(record: Record, sessions: Sequence[str] | None = None) -> pd.DataFrame:
    """The same, one row for each value: of each parameter, of each stimulus, and of each outcome of a trial.

    Columns: the same up to told_at; ``kind`` (parameter, outcome, or asked: where something else was shown);
    ``variable``, its name; ``stimulus``, 1 or 2 where a trial has two, else 0; ``value``, a number, or
    ``text``; ``unit``.
    """
    with _plan(record, sessions) as (connection, columns):
        return pd.concat(
            (long_form(page, columns) for page in frames(connection, columns)), ignore_index=True
        )


def to_csv(record: Record, to: str | os.PathLike[str], sessions: Sequence[str] | None = None) -> int:
    """Write `trials_frame` to a CSV file and say how many rows it has; floats are written to the last bit."""
    return write(record, to, sessions, "csv")


def write(
    record: Record,
    to: str | os.PathLike[str],
    sessions: Sequence[str] | None = None,
    form: str | None = None,
    *,
    long: bool = False,
) -> int:
    """Write some sessions, or all, to a file, and say how many rows it has.

    Args:
        record: an open record.
        to: the file.
        sessions: ids; None for all.
        form: ``csv``, ``parquet`` (needs pyarrow), ``jsonl`` (the messages as they are on record, one in a
            line) or ``bids`` (an events file of one session, with a JSON file that describes it beside); None
            goes by the file's ending.
        long: one row for each value instead of one for each trial (csv and parquet).

    Raises:
        ValueError: there is no such format, or it can't be long.
        ImportError: Parquet without pyarrow.
    """
    form = form or FORMATS.get(os.path.splitext(os.fspath(to))[1].lower())
    if form == "jsonl" and not long:
        with _connection(record) as connection:
            return files.write_messages(connection, to, sessions)
    with _plan(record, sessions) as (connection, columns):
        if form == "csv":
            return files.write_csv(connection, columns, to, long)
        if form == "parquet":
            return files.write_parquet(connection, columns, to, long)
        if form == "bids" and not long:
            return bids.write_events(connection, columns, to)
    raise ValueError(f"a long table is written as csv or parquet, not as {form}" if long else f"{to}: {form}")


@contextmanager
def _connection(record: Record) -> Iterator[sa.Connection]:
    with record.snapshot() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield connection


@contextmanager
def _plan(record: Record, sessions: Sequence[str] | None) -> Iterator[tuple[sa.Connection, Plan]]:
    with _connection(record) as connection:
        yield connection, plan(connection, sessions)
