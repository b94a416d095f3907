"""`fechner forget`: a person's sessions leave the record for good."""

from __future__ import annotations

import sys
from typing import Any

import typer

from fechner.database.errors import RecordError
from fechner.database.keeping.lock import RecordLock
from fechner.database.seed_data import copies
from fechner.database.upkeep.forget import forget as remove
from fechner.database.upkeep.forget import mentions, sessions_of
from fechner.server.commands.output import DONE, USAGE, fail, name_record, show_json, show_table, when
from fechner.server.commands.record import open_for_reading


def forget(db: str, participant: str, yes: bool, as_json: bool) -> None:
    """Show what would go, ask, remove, and say what was done."""
    if not participant.strip():
        fail("name a participant", USAGE)
    try:
        lock = RecordLock(db, "fechner forget")
    except RecordError as error:
        fail(f"{error}; stop it first")
    with lock:
        with open_for_reading(db) as record, record.snapshot() as connection:
            rows = sessions_of(connection, participant)
            ids = [row["session"] for row in rows]
            others = mentions(connection, participant, ids)
            copied = copies(connection, ids)
        name_record(db, as_json)
        if not rows:
            _say(as_json, [], others, copied, participant, done=False)
            fail(f"no session names the participant {participant}")
        if not yes:
            _say(as_json, rows, others, copied, participant, done=False)
            if not sys.stdin.isatty():
                fail("this can't be undone: give --yes to remove them", USAGE)
            if not typer.confirm(f"Remove {_many(rows)} for good?"):
                raise typer.Exit(DONE)
        try:
            rows = remove(db, participant, f"fechner forget, {_many(rows)} of one participant")
        except RecordError as error:
            fail(str(error))
    _say(as_json, rows, others, copied, participant, done=True)
    if lock.path is None:
        print("The database server's own log and copies may hold the data for a while yet.", file=sys.stderr)


def _many(rows: list[dict[str, Any]]) -> str:
    return "1 session" if len(rows) == 1 else f"{len(rows)} sessions"


def _say(
    as_json: bool,
    rows: list[dict[str, Any]],
    others: list[str],
    copied: list[str],
    participant: str,
    *,
    done: bool,
) -> None:
    if as_json:
        show_json({"done": done, "sessions": rows, "mentioned_in": others, "copied_into": copied})
        return
    if rows:
        show_table(
            ("session", "begun (UTC)", "name", "participant", "messages"),
            (
                (
                    row["session"],
                    when(row["created_at"]),
                    ", ".join(row["names"]),
                    ", ".join(row["participants"]),
                    row["n_messages"],
                )
                for row in rows
            ),
        )
    if done:
        messages = sum(row["n_messages"] for row in rows)
        print(
            f"{_many(rows)} with {messages} messages removed from every table, and the space they took was "
            "overwritten. The table forgotten keeps each one's id, when it was removed, its number of "
            "messages and its last hash. Backups, exports and bundles made before still hold the data."
        )
    for id_ in others:
        print(
            f"not removed: session {id_} has the text {participant!r} in a request, but isn't that person's"
        )
    for id_ in copied:
        print(
            f"not removed: session {id_} began with a copy of trials of these sessions (seed data): stimuli "
            "and outcomes, without a name"
        )
