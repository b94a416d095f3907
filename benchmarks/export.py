"""How long exporting a large record takes, and how much memory.

Fills an SQLite record with synthetic trials (sessions of 300 by default: two parameters, a binary outcome,
response times), then exports all of it in a process of its own for each format, and measures the time from
the start of that process to its end, and its greatest resident memory.

    python benchmarks/export.py --trials 1000000
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from fechner.database.record import Record
from fechner.server.commands.output import show_table

#: What exporting a million trials to Parquet may take.
SECONDS, MEGABYTES = 60.0, 1000.0

PARAMETERS = [
    {"name": "frequency", "type": "continuous", "unit": "kHz"},
    {"name": "level", "type": "continuous", "unit": "dB HL"},
]
OUTCOMES = [{"name": "outcome_1", "type": "binary"}]

#: Tables and how a row of theirs follows from its number k (from 0), `:size` trials to a session.
_ID = "printf('%08x-0000-4000-8000-%012x', k / :size, k / :size)"
_NUMBER = "k % :size + 1"
_TIME = "strftime('%Y-%m-%d %H:%M:%f', 1.7e9 + k * 0.437{}, 'unixepoch') || '123'"
_ROWS = "WITH RECURSIVE n(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM n WHERE k + 1 < :count)"
FILL = (
    f"""INSERT INTO sessions (session, created_at, last_at, n_messages, peer)
    {_ROWS.replace(":count", ":sessions")} SELECT {_ID.replace("k / :size", "k")},
    {_TIME.format("")}, {_TIME.format("")}, 0, NULL FROM n""",
    f"""INSERT INTO strategies (session, strategy, seq, name, participant, metadata_json, config,
    config_format, seed, stages_json, outcomes_json, parameters_json)
    {_ROWS.replace(":count", ":sessions")} SELECT {_ID.replace("k / :size", "k")},
    0, 1, 'hearing', 'P' || k, '{{}}', '', 'ini', '1', '["explore", "refine"]', :outcomes, :parameters
    FROM n""",
    f"""INSERT INTO trials (session, trial, strategy, stage, status, asked_at, asked_seq, told_at, told_seq,
    model_data, response_time, confidence, post_mean, post_sd)
    {_ROWS} SELECT {_ID}, {_NUMBER}, 0, iif(k % :size < 20, 'explore', 'refine'), 'told',
    {_TIME.format("")}, 2 * ({_NUMBER}), {_TIME.format(" + 0.4")}, 2 * ({_NUMBER}) + 1, 1,
    0.2 + (k * 7919 % 9973) / 9973.0, NULL, (k * 104729 % 9967) / 9967.0, 0.1 FROM n""",
    f"""INSERT INTO trial_parameters (session, trial, stimulus, name, number)
    {_ROWS} SELECT {_ID}, {_NUMBER}, 0, 'frequency', 0.25 + (k * 6151 % 9949) / 1284.0 FROM n""",
    f"""INSERT INTO trial_parameters (session, trial, stimulus, name, number)
    {_ROWS} SELECT {_ID}, {_NUMBER}, 0, 'level', -20 + (k * 3571 % 9941) / 71.0 FROM n""",
    f"""INSERT INTO trial_outcomes (session, trial, name, number)
    {_ROWS} SELECT {_ID}, {_NUMBER}, 'outcome_1', k * 2654435761 % 97 % 2 FROM n""",
)

#: Exports one record and says how many rows and how much memory that was.
EXPORT = """
import json, resource, sys
from fechner.database.export import write
from fechner.database.record import Record
with Record.open(sys.argv[1], read_only=True) as record:
    rows = write(record, sys.argv[2], long=sys.argv[3] == "long")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"rows": rows, "megabytes": peak * (1 if sys.platform == "darwin" else 1024) / 1e6}))
"""


def fill(file: Path, n_trials: int, size: int) -> None:
    """A record with so many trials, `size` to a session; only the tables that an export reads."""
    Record.open(file).close()
    values = {
        "count": n_trials,
        "size": size,
        "sessions": -(-n_trials // size),
        "outcomes": json.dumps(OUTCOMES),
        "parameters": json.dumps(PARAMETERS),
    }
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA synchronous=OFF")
        for statement in FILL:
            connection.execute(statement, {k: v for k, v in values.items() if f":{k}" in statement})


def measure(file: Path, to: Path, form: str) -> dict[str, Any]:
    """Export once, in a process of its own."""
    begin = time.perf_counter()
    command = [sys.executable, "-c", EXPORT, str(file), str(to), form]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - begin
    return {
        "to": to.suffix[1:] + (" long" if form == "long" else ""),
        "seconds": round(seconds, 2),
        "file_megabytes": round(to.stat().st_size / 1e6, 1),
        **{k: round(v, 1) for k, v in json.loads(done.stdout).items()},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=1_000_000)
    parser.add_argument("--per-session", type=int, default=300, help="trials in a session")
    parser.add_argument("--also", nargs="*", default=[], help="csv, long: exported as well")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "record.db"
        begin = time.perf_counter()
        fill(file, given.trials, given.per_session)
        filled = time.perf_counter() - begin
        size = os.path.getsize(file) / 1e6
        found.append(measure(file, Path(folder) / "trials.parquet", "wide"))
        if "csv" in given.also:
            found.append(measure(file, Path(folder) / "trials.csv", "wide"))
        if "long" in given.also:
            found.append(measure(file, Path(folder) / "long.parquet", "long"))
    if given.json:
        print(json.dumps({"trials": given.trials, "record_megabytes": round(size, 1), "runs": found}))
    else:
        print(f"{given.trials:,} trials in a record of {size:,.0f} MB (filled in {filled:.0f} s)")
        titles = ("to", "rows", "time (s)", "peak memory (MB)", "file (MB)")
        keys = ("to", "rows", "seconds", "megabytes", "file_megabytes")
        show_table(titles, ([f"{one[key]:,}" if key != "to" else one[key] for key in keys] for one in found))
    parquet = found[0]
    return int(parquet["seconds"] >= SECONDS or parquet["megabytes"] >= MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
