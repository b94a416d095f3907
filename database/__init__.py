"""The record: append-only messages, projections computed from them, migrations and export.

From the ground up: `form` is what a record consists of, messages and their changes and the tables that follow
from them; `keeping` opens, locks and writes it; `soundness` checks and rebuilds it. `record` is the front
door, which appends and reads. `export` gives tables, `upkeep` copies, combines and forgets, `seed_data` finds
earlier trials, and `aepsych` reads another program's files. The public names are here; each is imported when
it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fechner.database._lazy import homes

if TYPE_CHECKING:
    from fechner.database.export import long_frame, to_csv, trials_frame
    from fechner.database.form.message import Entry, Message
    from fechner.database.keeping.lock import RecordLock
    from fechner.database.record import Record, RecordError

__all__ = ["Entry", "Message", "Record", "RecordError", "RecordLock", "long_frame", "to_csv", "trials_frame"]

__getattr__ = homes(
    __name__,
    {
        "Entry": "form.message",
        "Message": "form.message",
        "Record": "record",
        "RecordError": "errors",
        "RecordLock": "keeping.lock",
        "long_frame": "export",
        "to_csv": "export",
        "trials_frame": "export",
    },
)
