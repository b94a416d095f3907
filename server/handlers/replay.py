"""replay: recompute the asks of a session on record and compare; nothing is written.

Its asks are computed one by one, each when no session in progress waits for a worker.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from fechner.server.events import Priority
from fechner.server.handlers.registry import Answer, Computation
from fechner.server.replay import Arguments, Verification, recomputation
from fechner.server.session import Change


def replay(changes: Sequence[tuple[int, Change]], verify: bool) -> Answer | Computation:
    """The answer for a session of these changes, or the first ask to recompute."""
    if not verify:
        asks = sum(change["type"] == "ask" for _, change in changes)
        return Answer({"identical": None, "asks": asks})
    return _step(recomputation(changes), None)


def _step(
    steps: Generator[Arguments, dict[str, Any], Verification], result: dict[str, Any] | None
) -> Answer | Computation:
    try:
        arguments = next(steps) if result is None else steps.send(result)
    except StopIteration as end:
        return _answer(end.value)
    return Computation("propose", arguments, lambda proposal: _step(steps, proposal), Priority.REPLAY)


def _answer(found: Verification) -> Answer:
    difference = found.difference
    if difference is None:
        return Answer({"identical": True, "asks": found.asks})
    first = {
        "seq": difference.seq,
        "recorded": {difference.what: difference.recorded},
        "recomputed": {difference.what: difference.recomputed},
    }
    return Answer({"identical": False, "asks": found.asks, "first_difference": first})
