"""The record: append-only messages, projections computed from them, migrations and export.

`record` appends and reads, `lock` keeps a second writer out, `export` gives tables; `tables` is the schema,
`message` the form of a message and its hash, `projections` what its change adds to the other tables. The
public names are here; each is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fechner.database.export import long_frame, to_csv, trials_frame
    from fechner.database.form.message import Entry, Message
    from fechner.database.keeping.lock import RecordLock
    from fechner.database.record import Record, RecordError

__all__ = ["Entry", "Message", "Record", "RecordError", "RecordLock", "long_frame", "to_csv", "trials_frame"]

_HOME = {
    "Entry": "form.message",
    "Message": "form.message",
    "Record": "record",
    "RecordError": "errors",
    "RecordLock": "keeping.lock",
    "long_frame": "export",
    "to_csv": "export",
    "trials_frame": "export",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"fechner.database.{_HOME[name]}"), name)
