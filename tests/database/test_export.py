"""A record leaves as one row per trial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from fechner.database.export import to_csv, trials_frame
from fechner.database.record import Record


def _ok(record: Record, *entries: Any) -> None:
    assert record.append([[entry] for entry in entries]) == [None] * len(entries)


def test_each_trial_is_a_row_of_typed_columns(record: Record, talk: Any) -> None:
    """Times, numbers and outcomes have their types, and untold trials are empty, not zero."""
    _ok(
        record,
        talk.setup(),
        talk.ask((1, {"level": 0.1}), (2, {"level": 1 / 3})),
        talk.tell(
            2, {"outcome_1": 1}, response_time=0.75, extra={"block": "a", "gaze": [1, 2]}, client_time=7
        ),
    )
    frame = trials_frame(record)
    assert list(frame.columns) == [
        "session", "name", "participant", "strategy", "stage", "trial", "status", "asked_at", "told_at",
        "level", "outcome",
        "response_time", "confidence", "post_mean", "post_sd",
        "extra.client_time", "extra.block", "extra.gaze",
    ]  # fmt: skip
    assert list(frame["trial"]) == [1, 2]
    assert list(frame["status"]) == ["pending", "told"]
    assert list(frame["level"]) == [0.1, 1 / 3]
    assert frame["outcome"].dtype == "Int64"
    assert frame["outcome"].isna().tolist() == [True, False]
    assert frame["outcome"][1] == 1
    assert str(frame["told_at"].dtype) == "datetime64[us, UTC]"
    assert frame["told_at"][1] == pd.Timestamp("2024-05-06 12:00:00.126456+00:00")
    assert list(frame["name"]) == ["hearing", "hearing"]
    assert frame["extra.gaze"][1] == "[1, 2]"
    assert frame["post_mean"][0] == 0.1 + 0.2


def test_names_that_clash_are_told_apart(record: Record, talk: Any) -> None:
    """A parameter called like a fixed column is par.NAME; several outcomes keep their names."""
    names = [{"name": "level", "type": "continuous"}, {"name": "rating", "type": "continuous"}]
    _ok(
        record,
        talk.setup(outcomes=names, parameters=["level", "trial", {"name": "size", "type": "integer"}]),
        talk.ask((1, {"level": 0.1, "trial": 4.0, "size": 3})),
        talk.tell(1, {"level": 0.5, "rating": 2.0}),
    )
    frame = trials_frame(record)
    assert list(frame.columns)[9:14] == ["level", "par.trial", "size", "outcome.level", "rating"]
    assert frame["size"].dtype == "Int64"
    assert frame.loc[0, ["level", "par.trial", "outcome.level", "rating"]].tolist() == [0.1, 4.0, 0.5, 2.0]


def test_two_stimuli_have_two_columns(record: Record, talk: Any) -> None:
    """A pair's values stand side by side; text stays text."""
    _ok(
        record,
        talk.setup(parameters=["level", "ear"]),
        talk.ask((1, {"level": [0.1, 0.7], "ear": ["left", "right"]})),
    )
    frame = trials_frame(record)
    assert frame.loc[0, ["level_1", "level_2", "ear_1", "ear_2"]].tolist() == [0.1, 0.7, "left", "right"]
    assert "level" not in frame


def test_what_was_shown_counts_and_what_was_asked_stays(record: Record, talk: Any) -> None:
    """Where another stimulus was shown, the parameter is the one shown, and the asked one stands beside."""
    _ok(
        record,
        talk.setup(),
        talk.ask((1, {"level": 0.1}), (2, {"level": 0.2})),
        talk.tell(2, {"outcome_1": 1}, shown={"level": 0.25}),
    )
    frame = trials_frame(record)
    assert list(frame["level"]) == [0.1, 0.25]
    assert frame["asked.level"].isna().tolist() == [True, False]
    assert frame["asked.level"][1] == 0.2


def test_sessions_can_be_chosen(record: Record, talk: Any) -> None:
    """All sessions by default, or those named; none of them is an empty table with its columns."""
    other = type(talk)("other")
    _ok(record, talk.setup(), other.setup(), talk.ask((1, {"level": 0.1})), other.ask((1, {"level": 0.2})))
    assert len(trials_frame(record)) == 2
    assert list(trials_frame(record, ["other"])["level"]) == [0.2]
    empty = trials_frame(record, [])
    assert len(empty) == 0
    assert "asked_at" in empty


def test_a_csv_file_gives_the_same_numbers_back(record: Record, talk: Any, tmp_path: Path) -> None:
    """Floats are written so that they read back as themselves, and whole numbers as whole numbers."""
    values = [0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308]
    asks = [talk.ask((number, {"level": value})) for number, value in enumerate(values, 1)]
    _ok(record, talk.setup(), *asks, talk.tell(1, {"outcome_1": 1}))
    file = tmp_path / "out.csv"
    assert to_csv(record, file) == 4
    frame = pd.read_csv(file, parse_dates=["asked_at"])
    assert list(frame["level"]) == values
    assert file.read_text().splitlines()[1].split(",")[10] == "1"
    assert frame["asked_at"][0] == pd.Timestamp("2024-05-06 12:00:00.123456+00:00") + pd.Timedelta(
        milliseconds=1
    )
