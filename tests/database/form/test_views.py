"""The views show people who bring SQL what the tables hold, the same in every kind of database."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fechner.database.form import views
from fechner.database.record import Entry, Record

from ..talk import Talk


def _rows(record: Record, statement: str) -> list[dict[str, Any]]:
    with record.snapshot() as connection:
        return [dict(row._mapping) for row in connection.exec_driver_sql(statement)]


def _ok(record: Record, *entries: Entry) -> None:
    assert record.append([[entry] for entry in entries]) == [None] * len(entries)


def test_v_trials_has_a_readable_row_for_each_trial(record: Record, talk: Talk) -> None:
    """Parameters and outcomes are JSON objects by name; what corrected a trial is named."""
    _ok(
        record,
        talk.setup(),
        talk.ask((1, {"level": 0.1, "ear": 'le"ft'}), (2, {"level": [1 / 3, -1e-300], "ear": "right"})),
        talk.tell(1, {"outcome_1": 1, "rating": "good"}, shown={"level": 0.2}),
        talk.entry("skip", {"type": "skip", "trial": 2, "reason": "late", "again": False}),
        talk.entry("correct", {"type": "correct", "trial": 1, "strategy": 0, "outcome": {"outcome_1": 0}}),
    )
    first, second = _rows(record, "SELECT * FROM v_trials ORDER BY trial")
    assert tuple(first) == views.COLUMNS["v_trials"]
    assert json.loads(first["parameters"]) == {"ear": 'le"ft', "level": 0.1}
    assert json.loads(first["outcomes"]) == {"outcome_1": 0}
    assert (first["name"], first["participant"], first["status"]) == ("hearing", "P 7", "told")
    assert (first["corrected_seq"], second["corrected_seq"]) == (5, None)
    assert json.loads(first["shown"]) == {"level": 0.2}
    assert json.loads(second["parameters"]) == {"ear": "right", "level": [1 / 3, -1e-300]}
    assert second["outcomes"] is None
    assert json.loads(second["extra"]) == {"reason": "late"}
    assert first["session"] == talk.session


def test_v_sessions_counts_the_trials_of_each_session(record: Record, talk: Talk) -> None:
    """Names are those of the newest strategy, the environment is the newest too."""
    other = type(talk)("other")
    first, second = {"threads": 1, "processor": "a"}, {"threads": 1, "processor": "b"}
    _ok(
        record,
        talk.setup(environment=first),
        talk.ask((1, {"level": 0.1}), (2, {"level": 0.2}), (3, {"level": 0.3})),
        talk.tell(1, {"outcome_1": 1}),
        talk.entry("skip", {"type": "skip", "trial": 2, "reason": "", "again": False}),
        talk.setup(strategy=1, name="second", environment=first),
        talk.entry("exit", {"type": "exit"}),
        talk.entry("resume", {"type": "resume", "strategy": 0, "environment": second}),
        talk.entry("info"),
        other.setup(participant="P 8"),
    )
    row, plain = _rows(record, "SELECT * FROM v_sessions ORDER BY participant")
    assert tuple(row) == views.COLUMNS["v_sessions"]
    assert (row["name"], row["participant"]) == ("second", "P 7")
    counted = [
        row[f"n_{what}"] for what in ("messages", "strategies", "trials", "pending", "told", "skipped")
    ]
    assert counted == [8, 2, 3, 1, 1, 1]
    assert json.loads(row["environment"]) == second
    assert row["ended_at"] is None
    assert (plain["environment"], plain["n_trials"]) == (None, 0)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.text(), st.floats(allow_subnormal=False) | st.text() | st.booleans(), min_size=1, max_size=4
    )
)
def test_any_value_comes_back_from_the_view(config: dict[str, Any]) -> None:
    """Numbers as near as SQLite writes them, texts whatever is in them (but NUL, which no table takes)."""
    config = {name.replace("\0", ""): value for name, value in config.items()}
    config = {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in config.items()
        if not any("\ud800" <= mark <= "\udfff" for mark in f"{name}{value}") and "\0" not in str(value)
    }
    trials = [{"trial": 1, "config": config}]
    with Record.open(":memory:") as record:

        def entry(change: Any) -> Entry:
            time = datetime(2026, 1, 1, tzinfo=UTC)
            return Entry("s", None, "1", change["type"], "{}", "{}", True, time, 1.0, None, change)

        setup = {"type": "setup", "strategy": 0, "config": ""}
        _ok(record, entry(setup), entry({"type": "ask", "strategy": 0, "trials": trials}))
        (row,) = _rows(record, "SELECT parameters FROM v_trials")
    found = json.loads(row["parameters"])
    assert set(found) == set(config)
    for name, value in config.items():  # SQLite's last digit is not always the right one; the tables have it
        assert found[name] == (
            value if isinstance(value, str) else pytest.approx(float(value), rel=1e-14, abs=0)
        )
