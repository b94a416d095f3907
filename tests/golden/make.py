"""Makes a golden record: one short session with every message type, by a virtual clock and fixed entropy.

Run once for each release, `python tests/golden/make.py tests/golden/record-VERSION.db`; the file is kept for
ever and every later version has to open it.
"""

from __future__ import annotations

import dataclasses
import json
import random
import sqlite3
import sys
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fechner.strategies.numerics.threads import fix

fix()

from fechner.database.record import Record  # noqa: E402
from fechner.server.engine.effects import Compute, Send  # noqa: E402
from fechner.server.engine.engine import Engine  # noqa: E402
from fechner.server.engine.events import Computed, Connected, Event, Now, Received  # noqa: E402
from fechner.server.shell.execution import run  # noqa: E402
from fechner.server.shell.storage import StorageEffect, perform  # noqa: E402

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
ENVIRONMENT = {"versions": {"fechner": "0.1.0", "numpy": "2.4.6"}, "threads": 1, "processor": "golden"}
CONFIG = """
[common]
parnames = [frequency, side, tone]
outcome_types = [binary]
strategy_names = [init, opt]
[frequency]
par_type = continuous
lower_bound = 250
upper_bound = 8000
log_scale = True
[side]
par_type = fixed
value = left
[tone]
par_type = fixed
value = 7
[init]
generator = SobolGenerator
min_asks = 3
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 4
[OptimizeAcqfGenerator]
acqf = EAVC
[EAVC]
target = 0.75
"""
PAIRS = {
    "common": {"parnames": ["p", "eye"], "outcome_types": ["binary"], "stimuli_per_trial": 2,
               "strategy_names": ["pairs"]},
    "p": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
    "eye": {"par_type": "categorical", "choices": ["left", "right"]},
    "pairs": {"generator": "SobolGenerator", "max_asks": 5},
}  # fmt: skip


class Booth:
    """One client, one engine, one record, and no clock but its own."""

    def __init__(self, record: Record) -> None:
        self._record, self._milliseconds = record, 0.0
        options = {}
        if "environment" in Engine.__init__.__code__.co_varnames:
            options["environment"] = lambda: ENVIRONMENT
        self._engine = Engine(random.Random(1).randbytes, "golden.db", **options)
        self._id = 0
        self._replies: list[bytes] = []
        self._happen(Connected(1, True, "golden"))

    def _happen(self, event: Event) -> None:
        events = deque([event])
        while events:
            self._milliseconds += 1.25
            passed = timedelta(milliseconds=self._milliseconds)
            effects = self._engine.handle(events.popleft(), Now(passed.total_seconds(), NOON + passed))
            storage = [effect for effect in effects if isinstance(effect, StorageEffect)]
            events += perform(self._record, storage)
            for effect in effects:
                if isinstance(effect, Send):
                    self._replies.append(effect.data)
                elif isinstance(effect, Compute):
                    done = run(effect)
                    events.append(
                        dataclasses.replace(done, compute_ms=2.5) if isinstance(done, Computed) else done
                    )

    def send(self, type_: str, message: dict[str, Any], ok: bool = True, **more: Any) -> Any:
        """Send a request of version 1; its reply's message, or its error."""
        self._id += 1
        envelope = {"version": "1", "type": type_, "id": f"c-{self._id}", "message": message, **more}
        self._happen(Received(1, envelope))
        reply = json.loads(self._replies.pop())
        assert reply["ok"] == ok, reply
        return reply["message" if ok else "error"]


def course(booth: Booth) -> str:
    """The session; returns its id."""
    names = {"name": "hearing", "participant": "P 7", "description": "golden", "metadata": {"room": "ü\0"}}
    session: str = booth.send("setup", {"config": CONFIG, "seed": 11, **names})["session"]
    booth.send("parameters", {})
    booth.send("ask", {"n": 2})
    booth.send("tell", {"trial": 1, "outcome": 1, "response_time": 0.25, "confidence": 0.5})
    booth.send("skip", {"trial": 2, "reason": "cough", "again": True})
    booth.send("ask", {})
    booth.send("tell", {"trial": 3, "outcome": 0, "extra": {"block": 3, "eye": [1, 2]}, "client_time": 17})
    booth.send("tell", {"trial": 99, "outcome": 0}, ok=False)
    booth.send("tell", {"config": {"frequency": 1000, "side": "left", "tone": 7}, "outcome": 1})
    booth.send("ask", {"fixed": {"frequency": 500.0}})
    booth.send("update", {"tell": {"trial": 5, "outcome": 0}, "ask": {}})
    shown = {"frequency": 4000.5, "side": "left", "tone": 7}
    booth.send("tell", {"trial": 6, "outcome": 1, "shown": shown})
    booth.send("correct", {"trial": 3, "outcome": 1})
    booth.send("ask", {})
    booth.send("correct", {"trial": 6, "remove": True})
    booth.send("query", {"query": "threshold", "y": 0.75, "parameter": "frequency"})
    booth.send("finish_strategy", {})
    booth.send("setup", {"config": PAIRS, "seed": 12, "name": "pairs", "participant": "P 7"})
    booth.send("ask", {"n": 2})
    booth.send("tell", {"trial": 8, "outcome": 1})
    booth.send("get_config", {})
    booth.send("info", {})
    booth.send("exit", {})
    booth.send("resume", {"session": session, "strategy": 0})
    booth.send("tell", {"trial": 7, "outcome": 0, "model_data": False})
    booth.send("replay", {"session": session, "verify": True})
    return session


def main(to: Path) -> None:
    """Write the golden record."""
    to.unlink(missing_ok=True)
    with Record.open(to) as record:
        session = course(Booth(record))
        assert record.verify_chain(session) is None
    with sqlite3.connect(to) as connection:  # one file, without a log beside it
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
