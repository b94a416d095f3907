"""Replay a record: into a session, into strategies, into a dataframe; verify every ask by recomputing it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fechner.server.session import Change, Session, proposal_of
from fechner.strategies.strategy import Strategy, propose

if TYPE_CHECKING:
    import pandas as pd
    from fechner.database.record import Record


def fold(session: str, changes: Iterable[Change]) -> Session:
    """The session that `changes` made; computes nothing."""
    result = Session(session)
    for change in changes:
        result.apply(change)
    return result


@dataclass(frozen=True)
class Difference:
    """The first recorded ask that recomputing does not give again."""

    seq: int
    what: str
    recorded: Any
    recomputed: Any


@dataclass(frozen=True)
class Verification:
    """What verifying a session found: how many asks were recomputed, and the first difference, if any."""

    asks: int
    difference: Difference | None = None
    broken_chain: int | None = None

    @property
    def identical(self) -> bool:
        """Whether all is as recorded."""
        return self.difference is None and self.broken_chain is None


Propose = Callable[..., dict[str, Any]]


def walk(record: Record, session: str) -> Iterator[tuple[int, Change, Session]]:
    """Each change of a recorded session with the session as it was before it."""
    state = Session(session)
    for seq, _, change in record.changes(session):
        yield seq, change, state
        state.apply(change)


def verify(
    record: Record,
    session: str,
    compute: Propose = propose,
    progress: Callable[[int], None] = lambda asks: None,
) -> Verification:
    """Recompute every ask of a session from the state before it, and compare to the last bit.

    Args:
        record: an open record.
        session: its id.
        compute: `propose`, or what runs it elsewhere.
        progress: told the number of asks after each.
    """
    broken = record.verify_chain(session)
    asks = 0
    for seq, change, before in walk(record, session):
        if change["type"] != "ask":
            continue
        state = before.strategies[change["strategy"]].state
        recorded = proposal_of(change)
        recomputed = compute(state, change["n"], change["fixed"])
        asks += 1
        progress(asks)
        for what in sorted({*recorded, *recomputed}):
            if recorded.get(what) != recomputed.get(what):
                difference = Difference(seq, what, recorded.get(what), recomputed.get(what))
                return Verification(asks, difference, broken)
    return Verification(asks, None, broken)


def strategies(record: Record, session: str) -> list[Strategy]:
    """The strategies of a recorded session, as they were left, ready to ask, tell and query."""
    folded = fold(session, (change for _, _, change in record.changes(session)))
    return [Strategy.of(strategy.state) for strategy in folded.strategies]


def dataframe(record: Record, session: str | None = None) -> pd.DataFrame:
    """One row per trial of a session (None: of all), with the columns of `fechner export`."""
    from fechner.database.export import trials_frame

    return trials_frame(record, None if session is None else [session])
