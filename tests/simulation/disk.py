"""The disk: what was committed is there, through every crash; the writer takes its time, and fails."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from fechner.database.errors import RecordError
from fechner.database.form.message import NO_HASH, Entry, Message, Owner, chain, escape_id, to_json
from fechner.server.engine.effects import Commit
from fechner.server.engine.events import Event
from fechner.server.shell.storage import StorageEffect, perform
from fechner.server.shell.writer import Groups

from .weather import Weather

if TYPE_CHECKING:
    from .server import Process


#: A commit is long here that is nothing in the world: some in every session are.
LONG_BYTES = 2_000

CANT_READ = "the disk can't be read"


@dataclass(frozen=True, slots=True)
class Row:
    """A message on the disk: its columns as the record stores them, and the entry it was."""

    columns: dict[str, Any]
    entry: Entry


class Disk:
    """A record in memory, as `storage.perform` uses `Record`."""

    def __init__(self, weather: Weather) -> None:
        self.weather = weather
        self.read_only = False
        self.happened: Counter[str] = Counter()
        self.rows: dict[str, list[Row]] = {}
        self.newest = ""
        self.faults: list[str] = []

    def append(self, group: Sequence[Sequence[Entry]]) -> list[RecordError | None]:
        """Put requests on record; each alone may fail, and of some nobody can say it."""
        weather = self.weather
        results: list[RecordError | None] = []
        stuck: RecordError | None = None
        for request in group:
            if stuck is not None:
                results.append(RecordError("nobody can write now"))
            elif weather.happens(weather.commit_fails):
                self.happened["commit failed"] += 1
                results.append(RecordError("the disk is full"))
            elif weather.happens(weather.unsettled):
                self.happened["commit unsettled"] += 1
                stuck = RecordError("the disk doesn't say")
                stuck.unsettled = True
                if weather.happens(0.5):
                    self._write(request)
                results.append(stuck)
            else:
                results.append(self._write(request))
        return results

    def _write(self, request: Sequence[Entry]) -> RecordError | None:
        if self.read_only:
            self.faults.append(f"a server for reading only writes {request[0].type}")
        for entry in request:
            twice = entry.ok and entry.client_id is not None and self._row(entry.session, entry.client_id)
            if twice:
                self.faults.append(f"the id {entry.client_id!r} is used twice in session {entry.session}")
                return RecordError("an id is used twice")
            if entry.change is not None and not entry.ok:
                self.faults.append(f"a failed {entry.type} changes session {entry.session}")
        for entry in request:
            rows = self.rows.setdefault(entry.session, [])
            columns = {
                "session": entry.session,
                "seq": len(rows) + 1,
                "client_id": None if entry.client_id is None else escape_id(entry.client_id),
                "received_at": entry.received_at.astimezone(UTC),
                "duration_ms": float(entry.duration_ms),
                "dialect": entry.dialect,
                "type": escape_id(entry.type),
                "request": entry.request,
                "reply": entry.reply,
                "ok": entry.ok,
                "tier": entry.tier,
                "change": None if entry.change is None else to_json(entry.change),
            }
            columns["hash"] = chain(rows[-1].columns["hash"] if rows else NO_HASH, columns)
            rows.append(Row(columns, entry))
            self.newest = entry.session
        return None

    def _row(self, session: str, client_id: str) -> Row | None:
        for row in self.rows.get(session, ()):
            if row.entry.ok and row.entry.client_id == client_id:
                return row
        return None

    def _may_fail(self) -> None:
        if self.weather.happens(self.weather.read_fails):
            self.happened["read failed"] += 1
            raise RecordError(CANT_READ)

    def exists(self, session: str) -> bool:
        self._may_fail()
        return session in self.rows

    def whose(self, session: str) -> Owner | None:
        self._may_fail()
        if session not in self.rows:
            return None
        return Owner((self.rows[session][0].entry.change or {}).get("owner"))

    def last(self, owner: str | None = None, *, anybody: bool = True) -> str | None:
        self._may_fail()
        return self.newest or None

    def changes(self, session: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
        self._may_fail()
        for row in self.rows.get(session, ()):
            if row.columns["change"] is not None:
                yield row.columns["seq"], row.entry.type, json.loads(row.columns["change"])

    def ids(self, session: str) -> frozenset[str]:
        self._may_fail()
        entries = [row.entry for row in self.rows.get(session, ())]
        return frozenset(e.client_id for e in entries if e.ok and e.client_id is not None)

    def find(self, session: str, client_id: str) -> Message | None:
        self._may_fail()
        row = self._row(session, client_id)
        if row is None:
            return None
        return Message(**{**row.columns, "client_id": client_id, "change": row.entry.change})

    def verify_chain(self, session: str) -> int | None:
        """The first message whose hash doesn't follow."""
        previous = NO_HASH
        for i, row in enumerate(self.rows.get(session, ()), 1):
            if row.columns["seq"] != i or row.columns["hash"] != chain(previous, row.columns):
                return i
            previous = row.columns["hash"]
        return None


class SlowWriter:
    """The writer's thread: takes a group of what waits, carries it out bit by bit, then says so."""

    def __init__(self, server: Process, disk: Disk) -> None:
        self.server, self.disk = server, disk
        self.waiting = Groups(LONG_BYTES, 2 * LONG_BYTES)
        self.busy = False

    @property
    def idle(self) -> bool:
        return not self.busy and not self.waiting

    def put(self, effect: StorageEffect) -> None:
        """Carry an effect out, in its turn."""
        self.waiting.add(effect)
        if not self.busy:
            self.busy = True
            self.server.loop.call_soon(self._take)

    def _take(self) -> None:
        batch = self.waiting.take()
        pieces: list[list[StorageEffect]] = []
        for effect in batch:
            if isinstance(effect, Commit) and pieces and isinstance(pieces[-1][0], Commit):
                pieces[-1].append(effect)
            else:
                pieces.append([effect])
        self._do(pieces, [])

    def _do(self, pieces: list[list[StorageEffect]], events: list[Event]) -> None:
        weather, loop = self.disk.weather, self.server.loop
        if pieces:
            loop.call_later(weather.lasts(weather.commit), self._done, pieces[0], pieces[1:], events)
        else:  # told later than done: a crash in between leaves on disk what nobody acknowledged
            loop.call_later(weather.lasts(weather.commit / 4), self._tell, events)

    def _done(self, piece: list[StorageEffect], rest: list[list[StorageEffect]], events: list[Event]) -> None:
        done = perform(self.disk, piece)  # type: ignore[arg-type]
        for event in done:
            error = getattr(event, "error", "")
            if error and CANT_READ not in error:
                self.disk.faults.append(f"reading the record gives {error}")
        self._do(rest, [*events, *done])

    def _tell(self, events: list[Event]) -> None:
        if events:
            self.server.loop.call_soon(self.server.deliver, *events)
        self.busy = bool(self.waiting)
        if self.busy:
            self.server.loop.call_soon(self._take)
