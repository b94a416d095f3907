"""`fechner plot`: a session's trials and what its model makes of them, as a picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fechner.server.commands.output import USAGE, fail, name_record
from fechner.server.commands.record import find_session, open_for_reading, read_back
from fechner.strategies._lazy import Lazy
from fechner.strategies.errors import FechnerError
from fechner.strategies.numerics.threads import fix

if TYPE_CHECKING:  # numpy, which is imported after `fix`
    from fechner.server.session import replay
    from fechner.strategies.analysis import plots, slices
else:
    replay = Lazy("fechner.server.session.replay")
    plots, slices = Lazy("fechner.strategies.analysis.plots"), Lazy("fechner.strategies.analysis.slices")

ENDINGS = (".png", ".pdf", ".svg")


def plot(db: str, wanted: str, to: str, number: int | None, target: float | None, x: list[str]) -> None:
    """Draw one strategy of a session."""
    if Path(to).suffix.lower() not in ENDINGS:
        fail(f"{to}: a picture's name ends with {', '.join(ENDINGS)}", USAGE)
    if target is not None and not math.isfinite(target):
        fail(f"--target {target}: give a number", USAGE)
    held = dict(_held(one) for one in x)
    fix()
    with open_for_reading(db) as record:
        id_ = find_session(record, wanted)
        with read_back(record, id_):
            found, rows = replay.strategies(record, id_), record.strategies(id_)
    if number is not None and number >= len(found):
        fail(f"session {id_} has no strategy {number}; its last one is {len(found) - 1}")
    number = len(found) - 1 if number is None else number
    row = rows[number]
    try:
        slice_ = slices.slice_of(found[number], target=target, held=held)
    except FechnerError as error:
        fail(f"{error.detail}{'; ' + error.hint if error.hint else ''}")
    title = " · ".join(filter(None, [row["name"], row["participant"]]))
    try:
        plots.figure_of(slice_, title).savefig(to, dpi=200)
    except OSError as error:
        fail(f"can't write {to}: {error.strerror}")
    name_record(db, False)
    print(f"strategy {number} of session {id_} drawn in {to}")


def _held(text: str) -> tuple[str, Any]:
    """NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals:
        fail(f"--x {text}: give NAME=VALUE", USAGE)
    try:
        return name.strip(), float(value)
    except ValueError:
        return name.strip(), value.strip()
