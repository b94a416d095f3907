"""A disk that commits when it is told to."""

from __future__ import annotations

import json

from fechner.database.form.changes import Change, read
from fechner.database.record import Entry
from fechner.server.engine.effects import Commit, Find, Load
from fechner.server.engine.events import Committed, Found, Loaded
from fechner.server.session.replay import fold


class Disk:
    """A record in memory that keeps what it is told to commit, and fails when it is told to."""

    def __init__(self) -> None:
        self.entries: dict[str, list[Entry]] = {}
        self.order: list[str] = []

    def commit(self, effect: Commit) -> Committed | None:
        for entry in effect.entries:
            assert entry.ok or entry.change is None
            json.loads(entry.request)
            if entry.ok and entry.client_id is not None:
                assert self._find(entry.session, entry.client_id) is None, "an id is used twice"
            self.entries.setdefault(entry.session, []).append(entry)
            self.order.append(entry.session)
        return None if effect.token is None else Committed(effect.token)

    def load(self, effect: Load) -> Loaded:
        id_ = effect.session
        if id_ == "last":
            mine = [one for one in self.order if effect.anybody or self.owner(one) == effect.owner]
            id_ = mine[-1] if mine else ""
        if id_ not in self.entries:
            return Loaded(effect.token, None)
        ids = frozenset(e.client_id for e in self.entries[id_] if e.ok and e.client_id is not None)
        return Loaded(effect.token, fold(id_, self.changes(id_)), ids)

    def find(self, effect: Find) -> Found:
        entry = self._find(effect.session, effect.client_id)
        if entry is None:
            return Found(effect.token, None, None)
        return Found(effect.token, entry.request, entry.reply)

    def changes(self, session: str) -> list[Change]:
        """What the session's messages did, through JSON and back as a real record gives it."""
        return [read(json.dumps(e.change)) for e in self.entries[session] if e.change is not None]

    def owner(self, session: str) -> str | None:
        """Whose a session is."""
        first = next(iter(self.changes(session)), None)
        return first.get("owner") if first is not None and first["type"] == "setup" else None

    def _find(self, session: str, client_id: str) -> Entry | None:
        found = [e for e in self.entries.get(session, ()) if e.ok and e.client_id == client_id]
        return found[0] if found else None
