"""The same messages again, to an engine that nothing disturbs: the record must be the same."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from fechner.server.engine.effects import Commit, Compute, Find, Load
from fechner.server.engine.engine import Engine
from fechner.server.engine.events import Connected, Event, Now, Received
from fechner.server.engine.options import EngineOptions
from fechner.server.shell.storage import perform
from fechner.strategies.tiers import CUT_SHORT

from . import stand_in
from .disk import Disk, Row
from .server import NOON
from .weather import Weather

#: What a clock may decide, or where it was computed.
_APART = ("environment", "owner")


def differences(session: str, rows: Sequence[Row], real_models: bool = False) -> Iterator[str]:
    """Where the changes that a session's messages make undisturbed are not those on record."""
    rows = [row for row in rows if row.entry.ok and row.columns["change"] is not None]
    if not rows:
        return
    engine = _Calm(rows[0].entry.dialect, real_models)
    before = ""
    for row in rows:
        recorded = json.loads(row.columns["change"])
        if (before, recorded["type"]) == ("exit", "setup"):
            return  # its sender was told that the exit had failed; undisturbed this begins another session
        before = recorded["type"]
        if recorded.get("tier") in CUT_SHORT and recorded.get("deadline_ms") is not None:
            return  # where a deadline cut, a clock decided
        engine.seed = recorded.get("seed", 0)  # the one that the server drew, if the setup named none
        made = engine.change(_request(row))
        for what in sorted({*recorded, *made}):
            if what not in _APART and recorded.get(what) != made.get(what):
                yield (
                    f"session {session}, message {row.columns['seq']}: undisturbed, {what} is "
                    f"{made.get(what)!r}, not {recorded.get(what)!r}"
                )
                return


def _request(row: Row) -> dict[str, Any]:
    """The request of one recorded message: of an update, the part that this is."""
    value: dict[str, Any] = json.loads(row.entry.request)
    value.pop("id", None)
    if row.entry.dialect == "1" and value["type"] == "update":
        value = {**value, "type": "tell", "message": value["message"]["tell"]}
    elif value["type"] == "update":
        value = {**value, "type": "tell"}
    elif row.entry.dialect == "aepsych-0.1" and value["type"] == "setup":
        value = {**value, "version": "0.01"}  # else the first ask would come with it
    if row.entry.dialect == "1":
        value["session"] = row.entry.session
    return value


class _Calm:
    """An engine with one connection, whose disk and workers answer at once."""

    def __init__(self, dialect: str, real_models: bool) -> None:
        options = EngineOptions(dialect="native" if dialect == "1" else dialect)
        self._engine = Engine(random.Random(0).randbytes, options=options)
        self._engine.state.draw_seed = lambda: self.seed  # type: ignore[method-assign]
        self.seed = 0
        self._real = real_models
        self._disk = Disk(Weather(random.Random(0)))
        self._handle(Connected(1, True, "peer:1"))

    def change(self, value: dict[str, Any]) -> dict[str, Any]:
        """What the request changed."""
        self.changed: dict[str, Any] = {}
        self._handle(Received(1, value))
        return self.changed

    def _handle(self, event: Event) -> None:
        events = deque([event])
        while events:
            for effect in self._engine.handle(events.popleft(), Now(0.0, NOON)):
                if isinstance(effect, Commit):
                    for entry in effect.entries:
                        self.changed = json.loads(json.dumps(entry.change or {}))
                if isinstance(effect, Commit | Load | Find):
                    events += perform(self._disk, [effect])  # type: ignore[arg-type]
                elif isinstance(effect, Compute):
                    events.append(stand_in.compute(effect, 0.0, real=self._real))
