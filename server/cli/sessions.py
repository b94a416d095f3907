"""Commands that read: a configuration, or sessions on record."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from fechner.server import commands
from fechner.server.cli.options import DEFAULT_DB, Db, Extensions, Json, Session, allow


class FormatName(StrEnum):
    """Values of --format."""

    csv = "csv"
    parquet = "parquet"
    jsonl = "jsonl"
    bids = "bids"


def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A configuration.")],
    allow_extensions: Extensions = None,
    as_json: Json = False,
) -> None:
    """Check a configuration and say what it will do."""
    allow(allow_extensions)
    commands.check.check_file(file, as_json)


def sessions(db: Db = DEFAULT_DB, as_json: Json = False) -> None:
    """List the sessions on record."""
    commands.record.sessions(db, as_json)


def show(session: Session, db: Db = DEFAULT_DB, as_json: Json = False) -> None:
    """Show one session: stages, trials, warnings."""
    commands.record.show(db, session, as_json)


def replay(
    session: Session,
    db: Db = DEFAULT_DB,
    verify: Annotated[
        bool, typer.Option("--verify", help="Recompute every ask and compare (the default).")
    ] = False,
    skip_computations: Annotated[
        bool, typer.Option("--skip-computations", help="Only read the session back.")
    ] = False,
    tolerance: Annotated[
        float, typer.Option(min=0, metavar="X", help="Let numbers differ by X (another machine's last bits).")
    ] = 0.0,
    allow_extensions: Extensions = None,
    as_json: Json = False,
) -> None:
    """Replay a session and compare every ask.

    Exits 0 if all come out identical, 1 with the first that differs.
    """
    allow(allow_extensions)
    commands.replay.replay(db, session, verify, skip_computations, tolerance, as_json)


def export(
    to: Annotated[
        str, typer.Option("--to", metavar="FILE", help="Where to write: .csv, .parquet, .jsonl or .tsv.")
    ],
    session: Annotated[
        str | None, typer.Argument(metavar="ID", help="A session's id, the beginning of it, or 'last'.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All sessions.")] = False,
    long: Annotated[
        bool, typer.Option("--long", help="One row per value instead of one per trial (csv, parquet).")
    ] = False,
    form: Annotated[
        FormatName | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="csv, parquet, jsonl (the messages themselves) or bids (an events file and its description)."
            "  [default: by the ending]",
        ),
    ] = None,
    db: Db = DEFAULT_DB,
) -> None:
    """Export one row per trial."""
    commands.export.export(db, session, all_, to, None if form is None else form.value, long)


def plot(
    session: Session,
    to: Annotated[str, typer.Option("--to", metavar="FILE", help="The picture: .png, .pdf or .svg.")],
    strategy: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Which of its strategies.  [default: the last]")
    ] = None,
    target: Annotated[
        float | None,
        typer.Option(metavar="Y", help="The outcome at the threshold.  [default: the configuration's]"),
    ] = None,
    x: Annotated[
        list[str] | None,
        typer.Option("--x", metavar="NAME=VALUE", help="Hold a parameter at a value; once for each."),
    ] = None,
    db: Db = DEFAULT_DB,
    allow_extensions: Extensions = None,
) -> None:
    """Draw the trials of a session and what its model makes of them.

    One free parameter gives a curve with its threshold, two give a surface with the contour at the target.
    """
    allow(allow_extensions)
    commands.plot.plot(db, session, to, strategy, target, x or [])
