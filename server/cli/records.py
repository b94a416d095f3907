"""Commands for whole records: copy, share, forget, check, combine, import."""

from __future__ import annotations

from typing import Annotated

import typer

from fechner.server import commands
from fechner.server.cli.options import DEFAULT_DB, Db, Json, Session


def backup(
    to: Annotated[str, typer.Option("--to", metavar="FILE", help="The copy; it must not be there yet.")],
    db: Db = DEFAULT_DB,
    as_json: Json = False,
) -> None:
    """Copy a record, also while a server writes to it, and check the copy."""
    commands.copies.backup(db, to, as_json)


def bundle(
    session: Session,
    to: Annotated[str, typer.Option("--to", metavar="FILE.zip", help="Where to write.")],
    db: Db = DEFAULT_DB,
    as_json: Json = False,
) -> None:
    """Put one session into a zip file to share: configuration, data, messages, record, versions."""
    commands.copies.bundle(db, session, to, as_json)


def forget(
    participant: Annotated[
        str, typer.Option("--participant", metavar="NAME", help="Whose sessions, as setups name them.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    db: Db = DEFAULT_DB,
    as_json: Json = False,
) -> None:
    """Remove a person's sessions from the record for good, and overwrite the space they took."""
    commands.forget.forget(db, participant, yes, as_json)


def verify(
    session: Annotated[
        str | None,
        typer.Argument(
            metavar="ID", help="A session's id, the beginning of it, or 'last'; all unless given."
        ),
    ] = None,
    db: Db = DEFAULT_DB,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make all tables anew from the messages, if these are sound.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check that the record is whole.

    Every message is as it was recorded and in its place, and every table is what the messages give. Exits 0
    if so, 1 with what differs.
    """
    commands.verify.verify(db, session, rebuild, as_json)


def combine(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="The records, two or more.")],
    to: Annotated[str, typer.Option("--to", metavar="FILE.db", help="The record to write.")],
    as_json: Json = False,
) -> None:
    """Combine records into a new one.

    A session that several have is taken once, from the one that has most of it. Sessions that go on
    differently are named, and then nothing is written.
    """
    commands.combine.combine(files, to, as_json)


def import_aepsych(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An SQLite file that AEPsych wrote.")],
    db: Db = DEFAULT_DB,
    timezone: Annotated[
        str, typer.Option(metavar="NAME", help="Time zone of the file's times, for instance Europe/Berlin.")
    ] = "UTC",
    as_json: Json = False,
) -> None:
    """Import the sessions of an AEPsych database, without executing anything from it.

    What is on record already doesn't come twice. Exits 1 if anything was refused, naming it; the rest comes.
    """
    commands.import_aepsych.import_aepsych(file, db, timezone, as_json)
