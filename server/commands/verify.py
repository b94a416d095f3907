"""`fechner verify`: whether the record is whole; its projections made anew."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import typer

from fechner.database.errors import RecordError
from fechner.database.keeping.lock import RecordLock
from fechner.database.record import Record
from fechner.server.commands.output import FAILED, USAGE, fail, name_record, plain, show_json
from fechner.server.commands.record import find_session, open_for_reading

#: Differences printed for people; --json has all.
SHOWN = 20


def verify(db: str, wanted: str | None, rebuild: bool, as_json: bool) -> None:
    """Check chains and projections of one session or of all; make the projections anew."""
    if rebuild and wanted is not None:
        fail("--rebuild makes the tables of all sessions anew; don't name one", USAGE)
    with _open_for_writing(db) if rebuild else open_for_reading(db) as record:
        name_record(db, as_json)
        damage = record.check_storage()
        try:
            sessions = record.all_sessions() if wanted is None else [_session(record, wanted)]
            broken = [found for session in sessions for found in record.check_chain(session)]
            differences = list(record.check_projections(sessions))
        except RecordError as error:
            if not damage:
                raise
            _say_damage(damage, str(error), as_json)
            raise typer.Exit(FAILED) from None
        sound = not damage and not broken
        forgotten = record.forgotten()
        # What is left of damaged messages is evidence: nothing is made of it.
        n_messages = record.rebuild() if rebuild and sound else None
        left = list(record.check_projections(sessions)) if n_messages is not None else differences
    whole = sound and not left
    if as_json:
        result: dict[str, Any] = {
            "sound": whole,
            "sessions": len(sessions),
            "storage": damage,
            "messages": [asdict(one) for one in broken],
            "projections": [asdict(one) for one in differences],
            "forgotten": forgotten,
        }
        if rebuild:
            result["rebuilt"] = n_messages is not None
        show_json(result)
    else:
        _say(len(sessions), damage, broken, differences, n_messages, rebuild)
        if forgotten and wanted is None:
            count = "1 session was" if len(forgotten) == 1 else f"{len(forgotten)} sessions were"
            print(f"{count} removed on request; the table forgotten says when, and each one's last hash")
    if not whole:
        raise typer.Exit(FAILED)


def _say_damage(damage: list[str], unreadable: str, as_json: bool) -> None:
    """What the database finds wrong with its file, where more can't be read."""
    if as_json:
        show_json({"sound": False, "storage": damage, "unreadable": unreadable})
    else:
        for text in damage:
            print(f"the file is damaged: {text}")
    print(f"fechner: {plain(unreadable)}", file=sys.stderr)


def _say(
    n_sessions: int,
    damage: list[str],
    broken: list[Any],
    differences: list[Any],
    n_messages: int | None,
    rebuild: bool,
) -> None:
    for text in damage:
        print(f"the file is damaged: {text}")
    for one in (*broken, *differences[:SHOWN]):
        print(plain(one))
    if len(differences) > SHOWN:
        print(f"… {len(differences)} differences in all; --json shows every one")
    counted = "1 session" if n_sessions == 1 else f"{n_sessions} sessions"
    if n_messages is not None:
        print(f"all tables made anew from {n_messages} messages of {counted}")
    elif rebuild:
        print("nothing was made anew: what is on record of damaged messages stays as it is")
    elif not (damage or broken or differences):
        print(f"{counted}: every message as recorded, every table as the messages give it")
    elif differences and not (damage or broken):
        print("`fechner verify --rebuild` makes the tables anew from the messages")


def _session(record: Record, wanted: str) -> str:
    """A session by its id, the beginning of it or `last`; its row may be what is missing."""
    begun = [session for session in record.all_sessions() if wanted and session.startswith(wanted.lower())]
    return begun[0] if len(begun) == 1 else find_session(record, wanted)


@contextmanager
def _open_for_writing(db: str) -> Iterator[Record]:
    """The record, for writing, while nobody else writes it."""
    with open_for_reading(db):  # don't make a record, or a lock beside one, where there is none
        pass
    try:
        with RecordLock(db, "fechner verify --rebuild"), Record.open(db) as record:
            yield record
    except RecordError as error:
        fail(str(error))
