"""`fechner combine A.db B.db --to C.db`: several records become one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict

from fechner.database.errors import RecordError
from fechner.database.upkeep.combine import combine as combine_records
from fechner.server.commands.output import USAGE, fail, show_json, show_table


def combine(files: Sequence[str], to: str, as_json: bool) -> None:
    """Combine records, or say which sessions stand in the way."""
    if len(files) < 2:
        fail("name at least two records to combine", USAGE)
    try:
        combined = combine_records(files, to)
    except RecordError as error:
        fail(f"{error}; nothing was written")
    if as_json:
        show_json(
            {"to": to, "sessions": [asdict(one) for one in combined.sessions], "broken": combined.broken}
        )
    else:
        show_table(
            ("session", "messages", "from", "also in"),
            ((one.session, one.n_messages, one.source, ", ".join(one.also_in)) for one in combined.sessions),
        )
        print(f"{len(combined.sessions)} sessions written to {to}")
    for session, seq in combined.broken.items():
        print(
            f"session {session}: message {seq} was changed, is missing or stands in the wrong place, "
            "as in the record that it came from",
            file=sys.stderr,
        )
