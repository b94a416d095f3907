"""What prepared statements save of the processor's time to put an ask and a tell on record.

    python benchmarks/prepared.py

Each message is a group of its own, in a record in memory, by turns in one way and the other.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median

import sqlalchemy as sa

from fechner.database.form.changes import AskChange, Change, SetupChange, TellChange
from fechner.database.keeping.prepared import Row, Statements
from fechner.database.record import Entry, Record

ROUNDS, WARM_UP = 2_000, 100
SETUP: SetupChange = {
    "type": "setup", "strategy": 0, "name": "hearing", "participant": "p01", "description": None,
    "metadata": {}, "config": "", "no_end": "error", "seed": 1, "stages": ["init"], "outcomes": [],
    "parameters": [],
}  # fmt: skip


def ask(trial: int) -> AskChange:
    """A trial with two parameters is handed out."""
    return {
        "type": "ask", "strategy": 0, "stage": "init", "n": 1, "fixed": {}, "beyond": False,
        "trials": [{"trial": trial, "config": {"frequency": 1000.0, "level": 30.5}}], "tier": "generator",
        "left": {"stage": 0, "points": [[[0.25, 0.75]]], "tier": "generator"},
        "post_mean": None, "post_sd": None,
    }  # fmt: skip


def tell(trial: int) -> TellChange:
    """It is answered."""
    return {
        "type": "tell",
        "trials": [
            {
                "trial": trial, "strategy": 0, "asked": True, "stage": "init", "config": None, "shown": None,
                "outcome": {"outcome_1": 1.0}, "model_data": True, "response_time": 0.25, "confidence": None,
                "client_time": None, "extra": {},
            }
        ],
    }  # fmt: skip


def append(record: Record, change: Change) -> float:
    """Put a change on record; the processor's time for it, in ms."""
    text, now = "{}" * 100, datetime.now(UTC)
    entry = Entry("s", None, "1", change["type"], text, text, True, now, 1.0, None, change)
    begun = time.thread_time()
    [failure] = record.append([[entry]])
    taken = 1000 * (time.thread_time() - begun)
    assert failure is None, failure
    return taken


def unprepared(
    self: Statements, connection: sa.Connection, statement: sa.Insert | sa.Update, rows: Sequence[Row]
) -> int:
    """`Statements.execute` as SQLAlchemy does it."""
    return connection.execute(statement, list(rows)).rowcount


def main() -> None:
    """Print the medians."""
    ways = {"prepared": Statements.execute, "SQLAlchemy's": unprepared}
    found: dict[tuple[str, str], list[float]] = {}
    with Record.open(":memory:") as record:
        append(record, SETUP)
        for trial in range(1, ROUNDS + 1):
            way = list(ways)[trial % len(ways)]
            Statements.execute = ways[way]  # type: ignore[method-assign]
            for change in (ask(trial), tell(trial)):
                found.setdefault((change["type"], way), []).append(append(record, change))
    for (kind, way), times in sorted(found.items()):
        print(f"{kind:5}{way:14}{median(times[WARM_UP:]):.2f} ms")


if __name__ == "__main__":
    main()
