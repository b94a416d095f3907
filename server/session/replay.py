"""Replay a record: into a session, into strategies, into a dataframe; verify every ask by recomputing it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fechner.database.form.changes import AskChange, Change
from fechner.server.protocol.errors import FechnerError
from fechner.server.session.session import Session, proposal_of
from fechner.strategies._lazy import Lazy
from fechner.strategies.core.state import State
from fechner.strategies.core.strategy import propose
from fechner.strategies.plugins.extensions import at_fault
from fechner.strategies.strategy import Strategy
from fechner.strategies.tiers import CUT_SHORT

if TYPE_CHECKING:
    import pandas as pd

    import fechner.database.export as export
    from fechner.database.record import Record
else:
    export = Lazy("fechner.database.export")  # pandas is for those who want a dataframe


def fold(session: str, changes: Iterable[Change]) -> Session:
    """The session that `changes` made; computes nothing."""
    result = Session(session)
    for change in changes:
        result.apply(change)
    return result


@dataclass(frozen=True)
class Difference:
    """The first recorded ask that recomputing does not give again; `devices` computed its scans."""

    seq: int
    what: str
    recorded: Any
    recomputed: Any
    devices: tuple[str | None, str | None] = (None, None)


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


#: What an ask computes: state before it, number of points, fixed values, and the tier that a deadline left.
Arguments = tuple[State, int, Mapping[str, Any], str | None]
Propose = Callable[..., Mapping[str, Any]]

#: What a client sees of an ask, or the next one depends on; compared where machines may differ in last bits.
_VISIBLE = ("stage", "points", "tier", "again", "post_mean", "post_sd")


def recomputation(
    changes: Iterable[tuple[int, Change]], tolerance: float = 0.0
) -> Generator[Arguments, Mapping[str, Any], Verification]:
    """Verify a session without computing: yields what each ask needs and is sent what it gives.

    Raises:
        FechnerError: storage_failed, naming the first message that can't be applied after those before it;
            bad_config where an extension is gone, or another one than at setup.

    Args:
        changes: the session's changes, with their sequence numbers.
        tolerance: 0 compares everything to the last bit; else points and posterior may differ by so much,
            relative to their size or to 1.
    """
    session = Session("")
    asks = 0
    for seq, change in changes:
        try:
            arguments = _arguments(session, change) if change["type"] == "ask" else None
            recorded = proposal_of(change) if change["type"] == "ask" else {}
        except Exception as error:
            raise _damaged(seq, error) from error
        if arguments:
            recomputed = yield arguments
            asks += 1
            devices = recorded.get("device"), recomputed.get("device")
            for what in sorted({*recorded, *recomputed} - {"device"}) if not tolerance else _VISIBLE:
                if not _same(recorded.get(what), recomputed.get(what), tolerance):
                    difference = Difference(seq, what, recorded.get(what), recomputed.get(what), devices)
                    return Verification(asks, difference)
        try:
            session.apply(change)
        except Exception as error:
            raise _damaged(seq, error) from error
    return Verification(asks)


def _arguments(session: Session, change: AskChange) -> Arguments:
    """What an ask computed from."""
    cut = change.get("deadline_ms") is not None and change["tier"] in CUT_SHORT
    tier = change["tier"] if cut else None
    return session.strategies[change["strategy"]].state, change["n"], change["fixed"], tier


def _damaged(seq: int, error: Exception) -> FechnerError:
    if isinstance(error, FechnerError) and at_fault(error):
        return error
    return FechnerError(
        "storage_failed",
        f"message {seq} doesn't follow from those before it ({type(error).__name__}: {error})",
        hint="`fechner verify` names what is damaged",
    )


def _same(one: Any, other: Any, tolerance: float) -> bool:
    if not tolerance:
        return bool(one == other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(a, b, tolerance) for a, b in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, int | float):
        return abs(one - other) <= tolerance * max(1.0, abs(one))
    return bool(one == other)


def verify(
    record: Record,
    session: str,
    compute: Propose = propose,
    progress: Callable[[int], None] = lambda asks: None,
    tolerance: float = 0.0,
) -> Verification:
    """Recompute every ask of a session from the state before it, and compare it with the record.

    Args:
        record: an open record.
        session: its id.
        compute: `propose`, or what runs it elsewhere.
        progress: told the number of asks after each.
        tolerance: see `recomputation`.
    """
    broken = record.verify_chain(session)
    steps = recomputation(((seq, change) for seq, _, change in record.changes(session)), tolerance)
    result: Mapping[str, Any] | None = None
    asks = 0
    while True:
        try:
            arguments = next(steps) if result is None else steps.send(result)
        except StopIteration as end:
            found: Verification = end.value
            return Verification(found.asks, found.difference, broken)
        result = compute(*arguments)
        asks += 1
        progress(asks)


def strategies(record: Record, session: str) -> list[Strategy]:
    """The strategies of a recorded session, as they were left, ready to ask, tell and query."""
    folded = fold(session, (change for _, _, change in record.changes(session)))
    return [Strategy.of(strategy.state) for strategy in folded.strategies]


def dataframe(record: Record, session: str | None = None) -> pd.DataFrame:
    """One row per trial of a session (None: of all), with the columns of `fechner export`."""
    return export.trials_frame(record, None if session is None else [session])
