"""Requests of each wire version: parsed and rendered, and put to an engine with a session."""

from __future__ import annotations

import json
import random
from collections import deque
from datetime import UTC, datetime

from fechner.server.engine.effects import Close, Commit, Compute, Find, Load, ReadHistory, ReadSeedData, Send
from fechner.server.engine.engine import Engine
from fechner.server.engine.events import (
    Committed,
    ComputeFailed,
    Connected,
    Event,
    Found,
    HistoryRead,
    Loaded,
    Now,
    Received,
    SeedDataRead,
)
from fechner.server.engine.lanes import steps_of
from fechner.server.engine.options import EngineOptions
from fechner.server.observing.logs import Log
from fechner.server.protocol import jsontext
from fechner.server.protocol.dialects import DIALECTS
from fechner.server.protocol.dialects.base import Reply
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.limits import Limits

from .harness import Harness
from .streams import either

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)

#: Cases of one engine: what came before may matter, and it must not grow for ever.
CASES = 200

CONFIG = """
[common]
parnames = [p, q]
outcome_types = [binary]
strategy_names = [first, second]
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[q]
par_type = categorical
choices = [left, right]
[first]
generator = SobolGenerator
min_asks = 5
[second]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 5
[OptimizeAcqfGenerator]
acqf = MCLevelSetEstimation
"""


class Served:
    """An engine with one connection that has a session; disk and workers answer at once."""

    def __init__(self, dialect: str) -> None:
        self.engine = Engine(random.Random(0).randbytes, options=EngineOptions(dialect=dialect))
        self.cases = 0
        self.sent: list[bytes] = []
        self.closed = False
        self.handle(Connected(1, True, "10.0.0.1:1"))
        message = {"config": CONFIG, "seed": 1} if dialect == "native" else {"config_str": CONFIG}
        version = {"native": {"version": "1"}, "aepsych-0.1": {"version": "0.01"}}.get(dialect, {})
        self.handle(Received(1, {**version, "type": "setup", "message": message}))

    def handle(self, event: Event) -> None:
        """Take an event to the engine, and what follows from it."""
        events = deque([event])
        while events:
            for effect in self.engine.handle(events.popleft(), Now(0.0, NOON)):
                match effect:
                    case Send(_, data):
                        self.sent.append(data)
                    case Close():
                        self.closed = True
                    case Commit(token, entries):
                        for entry in entries:
                            json.loads(entry.request)
                            json.dumps(entry.change, allow_nan=False)
                            entry.reply.encode()
                        if token is not None:
                            events.append(Committed(token))
                    case Compute(task):
                        events.append(ComputeFailed(task, FechnerError("not_enough_data", "no models here")))
                    case Load(token):
                        events.append(Loaded(token, None))
                    case Find(token):
                        events.append(Found(token, None, None))
                    case ReadHistory(token):
                        events.append(HistoryRead(token, None))
                    case ReadSeedData(token):
                        events.append(SeedDataRead(token, {}))
                    case Log(text=text, fault=fault) if fault is not None and "\n" in fault.trace:
                        raise AssertionError(f"{text}\n{fault.detail or fault.trace}")


_served: dict[str, Served] = {}


def request(dialect_name: str, data: bytes) -> None:
    """A request is understood or refused; either way it can be rendered, and is answered once."""
    try:
        value = jsontext.parse(data, Limits())
    except FechnerError:
        return
    dialect = DIALECTS[dialect_name]
    if isinstance(value, dict):
        parsed = dialect.parse(value)
        assert (parsed.message is None) != (parsed.fault is None), "neither understood nor refused"
        if parsed.message is not None:
            assert steps_of(parsed)
        dialect.render(parsed, Reply(error=parsed.fault or FechnerError("internal", "x"))).encode()
    served = _served.get(dialect_name)
    if served is None or served.cases >= CASES or served.closed:
        served = _served[dialect_name] = Served(dialect_name)
    served.cases += 1
    served.sent.clear()
    try:
        served.handle(Received(1, value))
        assert len(served.sent) == 1, f"{len(served.sent)} replies: {served.sent}"
        assert not served.closed, "the connection was closed"
        _reply(dialect_name, served.sent[0])
    except BaseException:
        del _served[dialect_name]
        raise


def _reply(dialect: str, data: bytes) -> None:
    """A reply is JSON, but for the bare words of 0.1, and no reply tells of a fault of the server."""
    text = data.decode()
    assert '"code":"internal"' not in text, text
    assert "incident" not in text, text
    assert text.endswith("\n") == (dialect == "native")
    if text in ("acq", "Terminate", "bad request"):
        assert dialect == "aepsych-0.1"
        return
    jsontext.parse(text, Limits(depth=100, string_bytes=10**9, config_bytes=10**9))


NATIVE = Harness("native", lambda data: request("native", data), either)
AEPSYCH_08 = Harness("aepsych_08", lambda data: request("aepsych-0.8", data), either)
AEPSYCH_01 = Harness("aepsych_01", lambda data: request("aepsych-0.1", data), either)
