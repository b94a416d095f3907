"""Putting the sessions of an AEPsych file on record, each whole or not at all, and each only once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from fechner.database.aepsych.sessions import Foreign, ForeignSession
from fechner.database.form.message import Entry, Message
from fechner.database.form.origins import forgotten_at, origin
from fechner.database.record import Record
from fechner.server.importing.session import CLOSING, DIALECT, Imported, entries


@dataclass
class Report:
    """What became of one session of the file.

    Attributes:
        session: its id here.
        unique_id: its id in the file's master table.
        name, participant: as the file has them.
        n_trials: how many trials the file has.
        n_new: how many of them came now.
        notes: what to know, for instance why it can't be continued.
        refused: what didn't come, and why.
    """

    session: str
    unique_id: str
    name: str | None
    participant: str | None
    n_trials: int
    n_new: int = 0
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def import_sessions(
    record: Record, foreign: Foreign, source: str, now: datetime | None = None
) -> list[Report]:
    """Put on record what isn't there yet.

    A session that is there already gets what the file has beyond it, unless it was continued here or the file
    says something else than it said; that is refused, and nothing of the session changes.

    Args:
        record: open for writing.
        foreign: what the file holds.
        source: the file's name, noted as the origin of each session.
        now: the time of the import.
    """
    at = now or datetime.now(UTC)
    return [_import(record, session, foreign.hash, source, at) for session in foreign.sessions]


def _import(record: Record, session: ForeignSession, hash_: str, source: str, at: datetime) -> Report:
    there = record.messages(session.id)
    recorded = {message.client_id: message.change for message in there if message.client_id}
    came = entries(session, at, recorded)
    report = Report(
        session.id,
        session.unique_id,
        session.name,
        session.participant,
        came.n_trials,
        notes=came.notes,
        refused=came.refused,
    )
    with record.snapshot() as connection:
        gone = forgotten_at(connection, session.id)
    if gone is not None:
        report.refused.append(f"it was forgotten here on {gone:%Y-%m-%d}, and isn't brought back")
        return report
    if not came.entries:
        report.notes.append("holds no setup and no trial")
        return report
    new = _new(came, there)
    if isinstance(new, str):
        report.refused.append(new)
        return report
    if new:
        [failure] = record.append([new])
        if failure is not None:
            report.refused.append(str(failure))
            return report
    report.n_new = sum(
        len(entry.change["trials"]) for entry in new if entry.change and entry.change["type"] == "tell"
    )
    record.note_origins([origin(session.id, source, "aepsych", hash_, at)])
    return report


def _new(came: Imported, there: list[Message]) -> list[Entry] | str:
    """The entries that the record lacks, or why they can't be added."""
    known = [(m.client_id, m.request) for m in there if m.dialect == DIALECT and m.type not in CLOSING]
    events = [entry for entry in came.entries if entry.type not in CLOSING]
    for (client_id, request), entry in zip(known, events, strict=False):
        if (client_id, request) != (entry.client_id, entry.request):
            return f"{entry.client_id} is not what it was when the session was imported; left as it is"
    new = events[len(known) :]
    if not new:
        return []
    if any(message.dialect != DIALECT for message in there):
        return f"the session was continued here, so what follows {known[-1][0]} wasn't added"
    return [*new, *(entry for entry in came.entries if entry.type in CLOSING)]
