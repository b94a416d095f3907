"""`fechner import-aepsych FILE`: sessions of AEPsych's databases come on record."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import typer

from fechner.database.aepsych.sessions import read_file
from fechner.database.errors import RecordError
from fechner.database.keeping.lock import RecordLock
from fechner.database.record import Record
from fechner.server.commands.output import FAILED, USAGE, fail, name_record, plain, show_json, show_table
from fechner.server.importing.record import import_sessions


def import_aepsych(file: str, db: str, timezone: str, as_json: bool) -> None:
    """Import what the file has and the record hasn't, and say what came and what was refused."""
    zone = _zone(timezone)
    try:
        foreign = read_file(Path(file), zone)
        with RecordLock(db, f"fechner import-aepsych {file}"), Record.open(db) as record:
            reports = import_sessions(record, foreign, file)
    except RecordError as error:
        fail(str(error))
    refused = [f"session {one.session}: {what}" for one in reports for what in one.refused]
    refused += foreign.refused
    name_record(db, as_json)
    if as_json:
        show_json({"sessions": [asdict(one) for one in reports], "refused": refused})
    else:
        show_table(
            ("session", "in the file", "name", "participant", "trials", "new"),
            (
                (one.session, one.unique_id, one.name, one.participant, one.n_trials, one.n_new)
                for one in reports
            ),
        )
        for one in reports:
            for note in one.notes:
                print(f"session {one.session}: {plain(note)}")
        print(f"{sum(one.n_new for one in reports)} new trials in {len(reports)} sessions")
    for what in refused:
        print(f"refused: {plain(what)}", file=sys.stderr)
    if refused:
        raise typer.Exit(FAILED)


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        fail(f"there is no time zone {name}", USAGE)
