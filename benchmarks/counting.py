"""What it costs to count: for each message, for each page of metrics, for each status.

In this process, on an engine that is driven without sockets or disk: what a tell has counted on its way, the
longest part of a page (the loop does others between parts) and all of it, and the reply to `status` with
many sessions.

    python benchmarks/counting.py --sessions 500
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from typing import Any

from machine import describe, sentence
from results import show
from throughput import CONFIG

from fechner.server.engine.effects import Commit, Load
from fechner.server.engine.engine import Engine
from fechner.server.engine.events import Committed, Connected, Event, Loaded, Now, Received
from fechner.server.observing.counters import Counters
from fechner.server.protocol.dialects import NATIVE
from fechner.server.protocol.errors import CODES
from fechner.server.protocol.kinds import MESSAGES
from fechner.server.shell.metrics_text import Page

NOW = Now(0.0, datetime(2024, 5, 6, tzinfo=UTC))


def drive(engine: Engine, event: Event) -> None:
    """Take an event in; the record answers at once."""
    for effect in engine.handle(event, NOW):
        if isinstance(effect, Commit) and effect.token is not None:
            drive(engine, Committed(effect.token))
        elif isinstance(effect, Load):
            drive(engine, Loaded(effect.token, None))


def with_sessions(count: int) -> Engine:
    """An engine with so many connections, each with a session."""
    engine = Engine(random.Random(1).randbytes)
    for number in range(1, count + 1):
        drive(engine, Connected(number, True, f"127.0.0.1:{number}"))
        drive(engine, request(number, "setup", config=CONFIG, seed=number))
    return engine


def request(number: int, type: str, **message: Any) -> Received:
    """A request of version 1."""
    return Received(number, {"version": "1", "type": type, "message": message})


def microseconds(call: Callable[[], object], times: int, repeats: int) -> float:
    """The median time of a call, of `repeats` batches."""
    found = []
    for _ in range(repeats):
        begun = time.perf_counter()
        for _ in range(times):
            call()
        found.append(1e6 * (time.perf_counter() - begun) / times)
    return median(found)


def page_ms(engine: Engine, repeats: int) -> tuple[float, float]:
    """The median time of a whole page, and of its longest part."""
    whole, longest = [], []
    page = Page(engine.state)
    for _ in range(repeats):
        parts, times = page.parts(), []
        while True:
            begun = time.perf_counter()
            done = next(parts, None) is None
            times.append(1e3 * (time.perf_counter() - begun))
            if done:
                break
        whole.append(sum(times))
        longest.append(max(times))
    return median(whole), median(longest)


def measure(sessions: int, repeats: int) -> dict[str, float]:
    """All of it."""
    engine = with_sessions(sessions)
    connection, counters = engine.state.connections[1], engine.counters
    told = NATIVE.parse({"version": "1", "type": "tell", "message": {"trial": 1, "outcome": 1}})

    def count() -> None:
        counters.bytes_in += 100
        engine.state.count_reply(connection, told, "ok", 0.0)
        counters.replies += 1
        counters.bytes_out += 100
        counters.count_commit(1, 0, 0.001)

    counting = microseconds(count, 10_000, repeats)
    tell = request(1, "tell", config={"x": 0.25, "y": 0.75}, outcome=1)
    telling = microseconds(lambda: drive(engine, tell), 200, repeats)
    status = microseconds(lambda: drive(engine, request(1, "status")), 10, repeats) / 1e3
    fill(engine.counters)
    whole, longest = page_ms(engine, repeats)
    return {
        "count_us": counting,
        "tell_us": telling,
        "status_ms": status,
        "page_ms": whole,
        "longest_part_ms": longest,
    }


def fill(counters: Counters) -> None:
    """Every label that is likely, so that a page is as long as it gets."""
    for type_ in MESSAGES:
        for code in ("ok", *list(CODES)[:4]):
            counters.count_reply(type_, "1", code, 0.01)
    for function in ("propose", "query"):
        for tier in ("model", "scan", "previous_fit"):
            for source in ("request", "eager", "speculative", "replay"):
                counters.count_computation(function, tier, source, 0.1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    machine, found = describe(), measure(options.sessions, options.repeats)
    if options.json:
        print(json.dumps({"machine": machine, "runs": [{"sessions": options.sessions, **found}]}))
        return
    show(
        ("counting a tell, us", "the engine's tell, us", "status, ms", "metrics, ms", "longest part, ms"),
        [tuple(f"{value:.2f}" for value in found.values())],
        f"{options.sessions} sessions. {sentence(machine)}",
    )


if __name__ == "__main__":
    main()
