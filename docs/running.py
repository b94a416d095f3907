"""What a running server shows, for the documentation: an engine driven by a script, on a clock of its own."""

from __future__ import annotations

import io
import logging
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from rich.console import Console

from fechner.server.commands.frames import Frame
from fechner.server.engine.effects import Commit, Compute, Effect, Load, Wake
from fechner.server.engine.engine import Engine
from fechner.server.engine.events import (
    CommitFailed,
    Committed,
    Computed,
    Connected,
    Event,
    Loaded,
    Now,
    Received,
)
from fechner.server.engine.status import status
from fechner.server.observing.counters import Histogram
from fechner.server.observing.logs import JsonLines, Log, TextLines
from fechner.server.shell.driver import Driver
from fechner.server.shell.execution import run
from fechner.server.shell.inline import Inline
from fechner.server.shell.ports import Peer
from fechner.server.shell.storage import StorageEffect

MORNING = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
CONFIG = """
[common]
parnames = [level]
outcome_types = [binary]
strategy_names = [init, opt]
[level]
par_type = continuous
lower_bound = 0
upper_bound = 100
[init]
generator = SobolGenerator
min_asks = 3
[opt]
generator = OptimizeAcqfGenerator
acqf = EAVC
model = GPClassificationModel
min_asks = 40
[EAVC]
target = 0.75
"""


class Served:
    """A server that answers at once: its log with the time of each line, and the replies by connection."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.lines: list[tuple[datetime, Log]] = []
        self.engine = Engine(random.Random(4).randbytes, "hearing.db", machine=self._machine)
        self.full = False
        self.driver = Driver(self.engine, self._now, self)
        self.peers = self.store = self.timers = self
        self.executor = _Inline(self)

    def _machine(self) -> dict[str, Any]:
        computing: dict[str, dict[str, int]] = {"running": {}, "waiting": {}}
        return {"workers": {"n": 3, "busy": 0, "deaths": 0}, "computations": computing}

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.seconds += seconds

    def log(self, line: Log) -> None:
        """Note a line."""
        self.lines.append((MORNING + timedelta(seconds=self.seconds), line))

    def event(self, event: Event) -> None:
        """Take an event in and carry out what comes of it."""
        self.driver.deliver(event)

    def _now(self) -> Now:
        self.seconds += 0.001
        return Now(self.seconds, MORNING + timedelta(seconds=self.seconds))

    def get(self, number: int) -> Peer | None:
        """Nobody reads the replies."""
        return None

    def forget(self, number: int) -> None:
        """Nobody is known."""

    def put(self, effect: StorageEffect) -> None:
        """Keep nothing, and say that it is kept unless the disk is full."""
        if isinstance(effect, Load):
            self.event(Loaded(effect.token, None))
        elif isinstance(effect, Commit) and effect.token is not None:
            if self.full:
                self.event(CommitFailed(effect.token, "…", kind="OperationalError (SQLITE_FULL)"))
            else:
                self.event(Committed(effect.token))

    def set(self, wake: Wake) -> None:
        """No deadline comes."""

    def silence(self, token: int) -> None:
        """None was to come."""

    def halt(self) -> None:
        """Nobody stops it."""

    def fail(self, effect: Effect, error: Exception) -> None:
        """Not here."""
        raise error

    def say(self, number: int, type: str, **message: Any) -> None:
        """A request of version 1."""
        self.event(Received(number, {"version": "1", "type": type, "message": message}))

    def connect(self, number: int, port: int) -> None:
        """A client comes."""
        self.event(Connected(number, True, f"127.0.0.1:{port}"))


class _Inline(Inline):
    """Every computation takes as long."""

    def __init__(self, served: Served) -> None:
        super().__init__(lambda call, task: call(task), served.event)
        self._served = served

    def _compute(self, task: Compute) -> None:
        self._served.seconds += 0.02
        done = run(task)
        assert isinstance(done, Computed)
        self._served.event(Computed(done.task, done.result, 20.0))


@cache
def morning() -> Served:
    """Two booths and a client of the 0.8 dialect."""
    served = Served()
    served.log(Log("info", "listening on port 5555"))
    for number, participant, trials in ((1, "p07", 5), (2, "p08", 2)):
        served.wait(40.2)
        served.connect(number, 50_000 + number)
        about = {"name": "hearing, left ear", "participant": participant, "seed": number}
        served.say(number, "setup", config=CONFIG, **about)
        for trial in range(1, trials + 1):
            served.say(number, "ask")
            served.wait(1.7)
            served.say(number, "tell", trial=trial, outcome=trial % 2)
        served.say(number, "ask")
    served.wait(12.5)
    served.connect(3, 50_003)
    served.event(Received(3, {"type": "setup", "message": {"config_str": CONFIG}}))
    served.event(Received(3, {"type": "ask", "message": {}}))
    return served


def status_frame() -> str:
    """What `fechner status` prints."""
    served = morning()
    served.wait(2.0)
    served.connect(9, 50_009)
    served.say(9, "ping")
    out = io.StringIO()
    frame = Frame(status(served.engine.state, served.engine.state.connections[9]))
    Console(file=out, width=96, highlight=False).print(frame)
    text = "\n".join(line.rstrip() for line in out.getvalue().splitlines())
    return f"```text\n{text}\n```"


def log_lines() -> str:
    """Lines of the log, for people."""
    text = "\n".join(_formatted(TextLines(), _troubled()))
    return f"```text\n{text}\n```"


def log_json() -> str:
    """The last of them, for programs."""
    *_, last = _formatted(JsonLines(), _troubled())
    return f"```json\n{last}\n```"


@cache
def _troubled() -> Served:
    """A session, and a disk that is full for a while."""
    served = Served()
    served.log(Log("info", "listening on port 5555"))
    served.wait(40.2)
    served.connect(1, 50_001)
    served.say(1, "setup", config=CONFIG, name="hearing", participant="p07", seed=1)
    for trial in range(1, 4):
        served.say(1, "ask")
        served.wait(1.7)
        served.say(1, "tell", trial=trial, outcome=trial % 2)
    served.full = True
    served.say(1, "ask")
    return served


def _formatted(formatter: logging.Formatter, served: Served) -> Iterator[str]:
    for time, line in served.lines:
        record = logging.LogRecord("fechner", getattr(logging, line.level.upper()), "", 0, "", (), None)
        record.created, record.line = time.timestamp(), line
        yield formatter.format(record)


def metrics() -> str:
    """Every metric: its name, its kind, its labels, what it counts."""
    from fechner.server.shell.metrics_text import families

    engine = Engine(random.Random(0).randbytes)
    engine.counters.free_bytes = engine.counters.record_bytes = 0
    rows = []
    for family in families(engine.state):
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = ", ".join(f"`{label}`" for label in family._labelnames)
        rows.append((f"`{name}`", family.type, labels, family.documentation))
    head = "| metric | kind | labels | what |\n|---|---|---|---|\n"
    bounds = ", ".join(f"{bound:g}" for bound in Histogram().bounds)
    body = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"{head}{body}\n\nBins of times end at {bounds} s."
