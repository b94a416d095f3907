"""`fechner backup`, `fechner bundle`: copies of a whole record, and of one session to share."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fechner.database.errors import RecordError
from fechner.database.form.changes import environment_of
from fechner.database.form.tables import HEAD
from fechner.database.record import Record
from fechner.database.upkeep.backup import backup as copy_record
from fechner.database.upkeep.backup import copy_sessions
from fechner.server.commands.output import fail, name_record, show_json
from fechner.server.commands.record import find_session, open_for_reading
from fechner.server.version import __version__
from fechner.strategies._lazy import Lazy

if TYPE_CHECKING:  # pandas
    from fechner.database import export
    from fechner.database.export import files as written
else:
    export, written = Lazy("fechner.database.export"), Lazy("fechner.database.export.files")

#: The time of every file in a bundle, so that the same session gives the same bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def backup(db: str, to: str, as_json: bool) -> None:
    """Copy a record that may be in use, and check the copy."""
    try:
        copy = copy_record(db, to)
    except RecordError as error:
        fail(str(error))
    name_record(db, as_json)
    size = os.path.getsize(to)
    if as_json:
        show_json(
            {
                "to": to,
                "bytes": size,
                "sessions": copy.n_sessions,
                "messages": copy.n_messages,
                "broken_chains": copy.broken,
            }
        )
    else:
        many = f"{copy.n_sessions} sessions with {copy.n_messages} messages"
        print(f"{many} copied to {to} ({size / 1e6:.1f} MB) and checked")
    if copy.broken:
        places = ", ".join(f"message {seq} of session {id_}" for id_, seq in copy.broken.items())
        fail(f"the record isn't sound, and the copy is like it: {places} changed, missing or out of place")


def bundle(db: str, wanted: str, to: str, as_json: bool) -> None:
    """One session as a zip file."""
    with open_for_reading(db) as record, tempfile.TemporaryDirectory() as folder:
        id_ = find_session(record, wanted)
        files = _files(record, id_, Path(folder))
        try:
            _zip(files, to)
        except OSError as error:
            fail(f"can't write {to}: {error.strerror}")
    name_record(db, as_json)
    if as_json:
        show_json({"to": to, "session": id_, "files": {name: len(data) for name, data in files.items()}})
    else:
        print(f"session {id_} written to {to}: {', '.join(files)}")


def _files(record: Record, id_: str, folder: Path) -> dict[str, bytes]:
    """What a bundle holds, by name."""
    copy_sessions(record, [id_], folder / "record.db")
    export.write(record, folder / "messages.jsonl", [id_])
    export.write(record, folder / "trials.csv", [id_])
    units = export.trials_frame(record, [id_]).attrs["units"]
    strategies = record.strategies(id_)
    files: dict[str, bytes] = {"README.md": _readme(record, id_, strategies, units).encode()}
    for strategy in strategies:
        ending = "ini" if strategy["config_format"] == "ini" else "json"
        files[f"configuration_{strategy['strategy']}.{ending}"] = strategy["config"].encode()
    for name in ("record.db", "messages.jsonl", "trials.csv"):
        files[name] = (folder / name).read_bytes()
    files["versions.json"] = _text(_versions(record, id_))
    return files


def _versions(record: Record, id_: str) -> dict[str, Any]:
    """What wrote the bundle, and what computed the session."""
    environments = [
        {"seq": seq, **environment}
        for seq, _, change in record.changes(id_)
        if (environment := environment_of(change))
    ]
    return {"fechner": __version__, "record_revision": HEAD, "session": id_, "computed_by": environments}


def _readme(record: Record, id_: str, strategies: list[dict[str, Any]], units: dict[str, str]) -> str:
    row = next(row for row in record.sessions() if row["session"] == id_)
    lines = [
        f"# Session {id_}",
        "",
        f"{row['name'] or 'A session'}{', participant ' + row['participant'] if row['participant'] else ''}, "
        f"begun {row['created_at']:%Y-%m-%d %H:%M} UTC: {row['n_trials']} trials, {row['n_told']} with an "
        f"outcome. Written by Fechner {__version__}.",
        "",
        "| file | holds |",
        "|---|---|",
        "| trials.csv | one row for each trial; times in UTC |",
        *(
            f"| configuration_{one['strategy']}.{'ini' if one['config_format'] == 'ini' else 'json'} | the "
            f"configuration of strategy {one['strategy']} (seed {one['seed']}) |"
            for one in strategies
        ),
        "| messages.jsonl | every request and reply as it was sent, one in a line, chained by `hash` |",
        "| record.db | the same and the tables computed from it: an SQLite file that Fechner opens |",
        "| versions.json | the program and the libraries that computed the session |",
        "",
        "Units: " + ", ".join(f"{title} in {unit}" for title, unit in units.items()) + ".",
        "",
        "    pandas.read_csv('trials.csv', parse_dates=['asked_at', 'told_at'])",
        "    fechner replay last --verify --db record.db",
        "",
    ]
    return "\n".join(lines)


def _text(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _zip(files: dict[str, bytes], to: str) -> None:
    with written.whole(to) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, _NO_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            info.create_system = 3
            archive.writestr(info, data)
