"""`fechner replay ID`: recompute every ask of a session and compare it with the record, or only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from fechner.database.form.changes import environment_of
from fechner.server.commands.output import FAILED, USAGE, fail, name_record, plain, show_json
from fechner.server.commands.record import find_session, open_for_reading, read_back
from fechner.server.shell.environment import differences, environment
from fechner.strategies._lazy import Lazy
from fechner.strategies.numerics.threads import fix

if TYPE_CHECKING:
    from rich import console, progress

    from fechner.database.record import Record
    from fechner.server.session import replay as replaying
    from fechner.server.session.replay import Difference, Verification
    from fechner.server.session.session import Session
else:
    console, progress = Lazy("rich.console"), Lazy("rich.progress")
    replaying = Lazy("fechner.server.session.replay")  # numpy, which is imported after `fix`


def replay(
    db: str, wanted: str, verify: bool, skip_computations: bool, tolerance: float, as_json: bool
) -> None:
    """Replay a session: recompute every ask and compare, or only read."""
    if verify and skip_computations:
        fail("--verify computes; it can't go with --skip-computations", USAGE)
    fix()
    with open_for_reading(db) as record:
        id_ = find_session(record, wanted)
        name_record(db, as_json)
        with read_back(record, id_):
            _replay(record, id_, skip_computations, tolerance, as_json)


def _replay(record: Record, id_: str, skip_computations: bool, tolerance: float, as_json: bool) -> None:
    session = replaying.fold(id_, (change for _, _, change in record.changes(id_)))
    found = replaying.Verification(0, None, record.verify_chain(id_))
    if not skip_computations:
        total = sum(change["type"] == "ask" for _, _, change in record.changes(id_))
        with _progress(total, as_json) as advance:
            found = replaying.verify(record, id_, progress=advance, tolerance=tolerance)
    explained = [] if found.difference is None else _explained(record, id_, found.difference)
    if as_json:
        _show_json(session, found, skip_computations, explained)
    else:
        _show(session, found, skip_computations, explained)
    if not found.identical:
        raise typer.Exit(FAILED)


def _explained(record: Record, id_: str, difference: Difference) -> list[str]:
    """How what computed then differs from what computes here."""
    recorded: dict[str, Any] = {}
    for at, _, change in record.changes(id_):
        if at > difference.seq:
            break
        recorded = environment_of(change) or recorded
    then, now = ({"device": device} for device in difference.devices)
    return differences({**recorded, **then}, {**environment(), **now}) if recorded else []


def _show_json(session: Session, found: Verification, skipped: bool, explained: list[str]) -> None:
    result: dict[str, Any] = {
        "session": session.id,
        "identical": None if skipped else found.identical,
        "asks": found.asks,
        "trials": session.counts(),
    }
    if found.difference is not None:
        difference = found.difference
        result["first_difference"] = {
            "seq": difference.seq,
            "recorded": {difference.what: difference.recorded},
            "recomputed": {difference.what: difference.recomputed},
        }
        result["environment"] = explained
    if found.broken_chain is not None:
        result["broken_chain"] = found.broken_chain
    show_json(result)


def _show(session: Session, found: Verification, skipped: bool, explained: list[str]) -> None:
    for strategy in session.strategies:
        state = strategy.state
        print(
            f"strategy {state.index}: stage {plain(state.current.name)}, {state.asked} points asked, "
            f"{state.n} outcomes modelled"
        )
    if found.broken_chain is not None:
        print(f"message {found.broken_chain} was changed, is missing or stands in the wrong place")
    if found.difference is not None:
        difference = found.difference
        print(f"message {difference.seq} is the first that differs, in its {difference.what}:")
        print(f"  recorded    {plain(difference.recorded)[:200]}")
        print(f"  recomputed  {plain(difference.recomputed)[:200]}")
        for line in explained:
            print(f"  {plain(line)}")
        hint = "--tolerance 1e-6 lets last bits differ" if explained else "the environment is as it was"
        print(f"  {hint}")
    elif skipped:
        print("read back; nothing computed")
    else:
        print(f"identical: {found.asks} asks recomputed")


@contextmanager
def _progress(total: int, quiet: bool) -> Iterator[Any]:
    shown = console.Console(stderr=True)
    with progress.Progress(console=shown, disable=quiet, transient=True) as bar:
        task = bar.add_task("recomputing asks", total=total)
        yield lambda asks: bar.update(task, completed=asks)
