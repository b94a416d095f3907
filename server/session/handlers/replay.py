"""replay: recompute the asks of a session on record and compare; nothing is written.

Its asks are computed one by one, each when no session in progress waits for a worker.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

from fechner.database.form.changes import Change
from fechner.server.session.handlers.results import Answer, Computation, Priority
from fechner.server.session.replay import Arguments, Verification, recomputation


def replay(
    changes: Sequence[tuple[int, Change]], verify: bool, broken_chain: int | None = None
) -> Answer | Computation:
    """The answer for a session of these changes, or the first ask to recompute.

    `broken_chain` is the first message that isn't what was recorded: then nothing is identical.
    """
    if not verify:
        asks = sum(change["type"] == "ask" for _, change in changes)
        return Answer({"identical": None, "asks": asks})
    return _step(recomputation(changes), broken_chain)


def _step(
    steps: Generator[Arguments, dict[str, Any], Verification],
    broken_chain: int | None,
    result: dict[str, Any] | None = None,
) -> Answer | Computation:
    try:
        arguments = next(steps) if result is None else steps.send(result)
    except StopIteration as end:
        return _answer(replace(end.value, broken_chain=broken_chain))
    return Computation(
        "propose", arguments, lambda proposal: _step(steps, broken_chain, proposal), Priority.REPLAY
    )


def _answer(found: Verification) -> Answer:
    message: dict[str, Any] = {"identical": found.identical, "asks": found.asks}
    if found.broken_chain is not None:
        message["broken_chain"] = found.broken_chain
    difference = found.difference
    if difference is None:
        return Answer(message)
    first = {
        "seq": difference.seq,
        "recorded": {difference.what: difference.recorded},
        "recomputed": {difference.what: difference.recomputed},
    }
    return Answer({**message, "first_difference": first})
