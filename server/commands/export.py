"""`fechner export`: sessions as tables for analysis, or as the messages they are made of."""

from __future__ import annotations

from pathlib import Path

from fechner.database.export import FORMATS, write
from fechner.server.commands.output import USAGE, fail, name_record
from fechner.server.commands.record import find_session, open_for_reading


def export(db: str, wanted: str | None, everything: bool, to: str, form: str | None, long: bool) -> None:
    """One session, or all, into a file."""
    if (wanted is None) == (not everything):
        fail(
            "name one session or give --all, not both" if wanted else "name one session, or give --all", USAGE
        )
    form = form or FORMATS.get(Path(to).suffix.lower())
    if form is None:
        fail(f"{to}: name a file with the ending {', '.join(FORMATS)}, or give --format", USAGE)
    if long and form not in ("csv", "parquet"):
        fail("--long goes with csv and parquet", USAGE)
    with open_for_reading(db) as record:
        if form == "bids" and everything and len(record.sessions()) != 1:
            fail("an events file holds one session: name it", USAGE)
        ids = None if wanted is None else [find_session(record, wanted)]
        try:
            n_rows = write(record, to, ids, form, long=long)
        except OSError as error:
            fail(f"can't write {to}: {error.strerror}")
        except ImportError:
            fail("Parquet needs pyarrow: pip install 'fechner[parquet]'")
        except ValueError as error:
            fail(str(error), USAGE)
    name_record(db, False)
    rows = "messages" if form == "jsonl" else "values" if long else "trials"
    beside = f", described in {Path(to).with_suffix('.json')}" if form == "bids" else ""
    print(f"{n_rows} {rows} written to {to}{beside}")
