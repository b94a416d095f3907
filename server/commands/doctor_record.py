"""Checks of `fechner doctor` about the record and the folder that it is in. Nothing of it is written."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from fechner.database.errors import RecordError
from fechner.database.form.tables import HEAD
from fechner.database.keeping.connection import Database
from fechner.database.keeping.network import refuse_network
from fechner.database.keeping.schema import recorded_revision
from fechner.database.keeping.urls import record_file, record_url
from fechner.database.record import Record
from fechner.server.commands.finding import Finding, judge
from fechner.server.commands.output import without_password
from fechner.server.shell.disk import LEAST_BYTES, LEAST_PART

#: Commits measured.
COMMITS = 30
#: Milliseconds of a commit from which it is slow, and from which participants wait for it.
SLOW_MS, BAD_MS = 20.0, 250.0
#: Room with which a server can't go on.
NO_ROOM = 20_000_000


def folder(db: str) -> list[Finding]:
    """Whether the record's folder keeps what is written, how fast, and how much more."""
    try:
        file = record_file(record_url(db))
    except RecordError as error:
        return [Finding("folder", "bad", str(error), "name a file, or a PostgreSQL server's URL")]
    if file is None:
        return []  # on a database server
    where = file.absolute().parent
    if not where.is_dir():
        return [Finding("folder", "bad", f"there is no folder {where}", "make it, or name another with --db")]
    return [_network(file), _room(where), _commits(where)]


def _network(file: Path) -> Finding:
    try:
        refuse_network(file)
    except RecordError as error:
        fault, _, advice = str(error).partition(". ")
        return Finding("file system", "bad", fault, advice)
    return Finding("file system", "ok", "on this machine")


def _room(where: Path) -> Finding:
    total, _, free = shutil.disk_usage(where)
    value = f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free"
    details = {"free_bytes": free, "total_bytes": total}
    if free < NO_ROOM:
        return Finding("room", "bad", value, "make room: nothing more can be put on record", details)
    if free < LEAST_BYTES or free < LEAST_PART * total:
        return Finding("room", "warning", value, "make room before the next experiment", details)
    return Finding("room", "ok", value, details=details)


def _commits(where: Path) -> Finding:
    """Durable commits in the record's folder, in a database of their own."""
    try:
        with tempfile.TemporaryDirectory(prefix=".fechner-doctor-", dir=where) as own:
            commits, syncs = _commit_times(Path(own)), _sync_times(Path(own))
    except (OSError, sqlite3.Error) as error:
        advice = "let the server's user write there: record, log and lock lie in that folder"
        return Finding("commit", "bad", f"can't write in {where}: {error}", advice)
    middle, worst, sync = median(commits), max(commits), median(syncs)
    value = f"median {middle:.1f} ms, worst of {COMMITS} {worst:.1f} ms; fsync {sync:.1f} ms"
    verdict = judge(middle, SLOW_MS, BAD_MS)
    advice = "" if verdict == "ok" else "each tell and ask waits for one: put the record on a local SSD"
    return Finding(
        "commit", verdict, value, advice, {"median_ms": middle, "worst_ms": worst, "fsync_ms": sync}
    )


def _commit_times(own: Path) -> list[float]:
    times = []
    with closing(sqlite3.connect(own / "probe.db", isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "fullfsync=ON"):
            connection.execute(f"PRAGMA {pragma}").fetchone()
        connection.execute("CREATE TABLE probe (text TEXT)")
        for _ in range(COMMITS):
            begun = time.perf_counter()
            connection.execute("INSERT INTO probe VALUES (?)", ("x" * 1000,))
            times.append(1e3 * (time.perf_counter() - begun))
    return times


def _sync_times(own: Path) -> list[float]:
    times = []
    with (own / "probe").open("wb", buffering=0) as file:
        for _ in range(COMMITS):
            begun = time.perf_counter()
            file.write(b"\0" * 4096)
            os.fsync(file.fileno())
            times.append(1e3 * (time.perf_counter() - begun))
    return times


def record(db: str) -> list[Finding]:
    """Whether the record opens, of which revision it is, and who writes it."""
    name = without_password(db)
    try:
        file = record_file(record_url(db))
        if file is not None and not file.exists():
            return [Finding("record", "ok", f"{name} isn't there yet: `fechner serve` makes it")]
        findings = [_opened(db)]
    except RecordError as error:
        advice = "`fechner verify` looks closer; `fechner backup` copies what can be read"
        return [Finding("record", "bad", str(error), advice)]
    return [*findings, *([] if file is None else [_writer(file)])]


def _opened(db: str) -> Finding:
    """Open it as readers do; an older one is migrated in a private copy."""
    database = Database(db, read_only=True)
    try:
        revision = recorded_revision(database)
    finally:
        database.close()
    if revision is None:
        return Finding("record", "ok", f"{database.name} is empty: `fechner serve` makes the tables")
    begun = time.perf_counter()
    with Record.open(db, read_only=True) as opened:
        sessions = opened.sessions()
    took = time.perf_counter() - begun
    value = f"revision {revision}, {len(sessions)} session{'s' * (len(sessions) != 1)}, read in {took:.2f} s"
    details = {"revision": revision, "newest_revision": HEAD, "sessions": len(sessions), "seconds": took}
    last = max((row["last_at"] for row in sessions if row["last_at"] is not None), default=None)
    now = datetime.now(UTC)
    if last is not None and _utc(last) > now + timedelta(minutes=5):
        advice = f"its last message is of {_utc(last):%Y-%m-%d %H:%M} UTC: is the clock right?"
        return Finding("record", "warning", value, advice, details)
    if revision != HEAD:
        advice = f"`fechner serve` brings it to {HEAD}; `fechner backup` first keeps a copy"
        return Finding("record", "warning", value, advice, details)
    return Finding("record", "ok", value, details=details)


def _writer(file: Path) -> Finding:
    """Who has the right to write it, as the lock beside it says."""
    try:
        said = json.loads(Path(f"{file.resolve()}.lock").read_text("utf-8") or "{}")
        pid, text = int(said["pid"]), str(said["text"])
        os.kill(pid, 0)
    except PermissionError:
        pass  # it runs, as somebody else
    except (OSError, ValueError, KeyError, TypeError):
        return Finding("writer", "ok", "nobody writes it")
    return Finding("writer", "ok", f"process {pid} writes it ({text})", details={"pid": pid})


def _utc(time_: datetime) -> datetime:
    return time_ if time_.tzinfo is not None else time_.replace(tzinfo=UTC)
