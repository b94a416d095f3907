"""Makes SQLite files with the tables that AEPsych writes, from what is known of them."""

from __future__ import annotations

import json
import pickle
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONFIG = """[common]
parnames = [frequency, side]
outcome_types = [binary]
strategy_names = [init, opt]

[frequency]
par_type = continuous
lower_bound = 250
upper_bound = 8000

[side]
par_type = categorical
choices = [left, right]

[init]
generator = SobolGenerator
min_asks = 3

[opt]
generator = RandomGenerator
min_asks = 2

[metadata]
lab = A
"""

_OLD = """
CREATE TABLE master (unique_id INTEGER PRIMARY KEY, experiment_name VARCHAR(256),
  experiment_description VARCHAR(2048), experiment_id VARCHAR(10) UNIQUE);
CREATE TABLE replay_data (unique_id INTEGER PRIMARY KEY, timestamp DATETIME, message_type VARCHAR(64),
  message_contents BLOB, master_table_id INTEGER);
CREATE TABLE strat_data (unique_id INTEGER PRIMARY KEY, timestamp DATETIME, strat BLOB,
  master_table_id INTEGER);
CREATE TABLE config_data (unique_id INTEGER PRIMARY KEY, timestamp DATETIME, config BLOB,
  master_table_id INTEGER);
"""
_NEW = """
ALTER TABLE master ADD COLUMN participant_id VARCHAR(50);
ALTER TABLE master ADD COLUMN extra_metadata VARCHAR(4096);
ALTER TABLE replay_data ADD COLUMN extra_info BLOB;
CREATE TABLE raw_data (unique_id INTEGER PRIMARY KEY, timestamp DATETIME, model_data BOOLEAN,
  extra_data BLOB, master_table_id INTEGER);
CREATE TABLE param_data (unique_id INTEGER PRIMARY KEY, param_name VARCHAR(50), param_value VARCHAR(50),
  iteration_id INTEGER);
CREATE TABLE outcome_data (unique_id INTEGER PRIMARY KEY, outcome_name VARCHAR(50), outcome_value FLOAT,
  iteration_id INTEGER);
"""


class AepsychFile:
    """A file being written: `old` without the tables of trials. Seconds count up from noon, one each row."""

    def __init__(self, path: Path, *, old: bool = False) -> None:
        self.path, self.old, self.seconds = path, old, 0
        if path.exists():
            path.unlink()
        with self.connection() as connection:
            connection.executescript(_OLD + ("" if old else _NEW))

    def connection(self) -> sqlite3.Connection:
        """A connection; it commits at the end of a `with`."""
        return sqlite3.connect(self.path)

    def insert(self, table: str, **values: Any) -> int:
        """Add a row; gives its number."""
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        connection = self.connection()
        with connection:
            cursor = connection.execute(
                f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values())
            )
        connection.close()
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def now(self) -> str:
        """The next second."""
        self.seconds += 1
        return f"2023-02-03 12:{self.seconds // 60:02d}:{self.seconds % 60:02d}.250000"

    def session(self, name: str | None = "hearing", **more: Any) -> int:
        """A row of master."""
        if not self.old:
            more = {"participant_id": "p01", "extra_metadata": json.dumps({"room": 3})} | more
        return self.insert("master", experiment_name=name, experiment_description="d", **more)

    def message(self, master: int, type_: str, content: Any, extra: Any = None, protocol: int = 4) -> int:
        """A row of replay_data; bytes are stored as they are."""
        values = {"message_contents": content, "extra_info": {} if extra is None else extra}
        if self.old:
            del values["extra_info"]
        stored = {
            name: value if isinstance(value, bytes) else pickle.dumps(value, protocol)
            for name, value in values.items()
        }
        return self.insert(
            "replay_data", timestamp=self.now(), message_type=type_, master_table_id=master, **stored
        )

    def setup(self, master: int, config: str = CONFIG) -> int:
        """A setup message."""
        return self.message(master, "setup", {"type": "setup", "message": {"config_str": config}})

    def trial(
        self,
        master: int,
        config: Mapping[str, Any],
        outcome: Mapping[str, Any],
        model_data: bool = True,
        extra: Any = None,
    ) -> int:
        """A row of raw_data with its values."""
        data = extra if isinstance(extra, bytes) else pickle.dumps(json.dumps(extra or {}))
        raw = self.insert(
            "raw_data", timestamp=self.now(), model_data=model_data, extra_data=data, master_table_id=master
        )
        for name, value in config.items():
            self.insert("param_data", param_name=name, param_value=str(value), iteration_id=raw)
        for name, value in outcome.items():
            self.insert("outcome_data", outcome_name=name, outcome_value=value, iteration_id=raw)
        return raw
