"""A record leaves as one row per trial, or per value, or as the messages it is made of."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from fechner.database.export import long_frame, to_csv, trials_frame, write
from fechner.database.export import plan as export_plan
from fechner.database.form.message import NO_HASH, chain
from fechner.database.form.tables import messages
from fechner.database.record import Entry, Record

from ..talk import Talk

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


def _ok(record: Record, *entries: Entry) -> None:
    assert record.append([[entry] for entry in entries]) == [None] * len(entries)


def test_each_trial_is_a_row_of_typed_columns(record: Record, talk: Talk) -> None:
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


def test_names_that_clash_are_told_apart(record: Record, talk: Talk) -> None:
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
    assert frame.iloc[0][["level", "par.trial", "outcome.level", "rating"]].tolist() == [0.1, 4.0, 0.5, 2.0]


def test_two_stimuli_have_two_columns(record: Record, talk: Talk) -> None:
    """A pair's values stand side by side; text stays text."""
    _ok(
        record,
        talk.setup(parameters=["level", "ear"]),
        talk.ask((1, {"level": [0.1, 0.7], "ear": ["left", "right"]})),
    )
    frame = trials_frame(record)
    assert frame.iloc[0][["level_1", "level_2", "ear_1", "ear_2"]].tolist() == [0.1, 0.7, "left", "right"]
    assert "level" not in frame


def test_what_was_shown_counts_and_what_was_asked_stays(record: Record, talk: Talk) -> None:
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


def test_sessions_can_be_chosen(record: Record, talk: Talk) -> None:
    """All sessions by default, or those named; none of them is an empty table with its columns."""
    other = type(talk)("other")
    _ok(record, talk.setup(), other.setup(), talk.ask((1, {"level": 0.1})), other.ask((1, {"level": 0.2})))
    assert len(trials_frame(record)) == 2
    assert list(trials_frame(record, ["other"])["level"]) == [0.2]
    empty = trials_frame(record, [])
    assert len(empty) == 0
    assert "asked_at" in empty


def test_a_csv_file_gives_the_same_numbers_back(record: Record, talk: Talk, tmp_path: Path) -> None:
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


def test_units_are_in_the_attributes(record: Record, talk: Talk) -> None:
    """As the configuration names them; where sessions differ, both."""
    other = type(talk)("0" * 36)
    level = {"name": "level", "type": "continuous"}
    _ok(
        record,
        talk.setup(parameters=[level | {"unit": "dB HL"}]),
        other.setup(parameters=[level | {"unit": "dB SPL"}]),
        talk.ask((1, {"level": 0.1})),
    )
    assert trials_frame(record, [talk.session]).attrs["units"] == {
        "asked_at": "UTC",
        "told_at": "UTC",
        "response_time": "s",
        "level": "dB HL",
    }
    assert set(trials_frame(record).attrs["units"]["level"].split(" or ")) == {"dB HL", "dB SPL"}


def test_pages_don_t_show(record: Record, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pages it takes, many sessions and one of many trials give the same table, in order."""
    many = [type(talk)(f"{number:036d}") for number in range(5)]
    for session in (*many, talk):
        _ok(record, session.setup())
        n = 7 if session is talk else 2
        _ok(record, *(session.ask((trial, {"level": trial / 3})) for trial in range(1, n + 1)))
    _ok(record, talk.tell(5, {"outcome_1": 1}, shown={"level": 0.5}, extra={"eye": "left"}))
    whole = trials_frame(record)
    assert list(whole["trial"]) == [1, 2] * 5 + list(range(1, 8))
    monkeypatch.setattr(export_plan, "PAGE_TRIALS", 3)
    monkeypatch.setattr(export_plan, "PAGE_SESSIONS", 2)
    pd.testing.assert_frame_equal(trials_frame(record), whole)
    some = [many[3].session, talk.session]
    pd.testing.assert_frame_equal(
        trials_frame(record, some), whole[whole["session"].isin(some)].reset_index(drop=True)
    )


def test_the_long_table_has_a_row_for_each_value(record: Record, talk: Talk) -> None:
    """Parameters of each stimulus, outcomes, and what was asked where something else was shown."""
    _ok(
        record,
        talk.setup(parameters=[{"name": "level", "type": "continuous", "unit": "dB"}, "ear"]),
        talk.ask((1, {"level": [0.1, 0.7], "ear": "left"}), (2, {"level": [0.2, 0.3], "ear": "right"})),
        talk.tell(1, {"outcome_1": 1}, shown={"level": [0.1, 0.6]}),
    )
    frame = long_frame(record)
    rows = frame[["trial", "kind", "variable", "stimulus", "value", "text", "unit"]]
    assert [
        tuple(None if cell != cell else cell for cell in row) for row in rows.itertuples(index=False)
    ] == [
        (1, "parameter", "level", 1, 0.1, None, "dB"),
        (1, "parameter", "level", 2, 0.6, None, "dB"),
        (1, "parameter", "ear", 0, None, "left", None),
        (1, "outcome", "outcome_1", 0, 1.0, None, None),
        (1, "asked", "level", 1, 0.1, None, "dB"),
        (1, "asked", "level", 2, 0.7, None, "dB"),
        (2, "parameter", "level", 1, 0.2, None, "dB"),
        (2, "parameter", "level", 2, 0.3, None, "dB"),
        (2, "parameter", "ear", 0, None, "right", None),
    ]
    assert len(long_frame(record, [])) == 0


def test_extras_keep_their_type(record: Record, talk: Talk) -> None:
    """Truth values, whole numbers of any size, other numbers, text and what is mixed."""
    _ok(record, talk.setup(), talk.ask(*((number, {"level": 0.1}) for number in (1, 2, 3))))
    _ok(
        record,
        talk.tell(1, {"outcome_1": 1}, extra={"b": True, "n": 7, "x": 0.5, "t": "a", "big": 2**60 + 1}),
    )
    _ok(record, talk.tell(2, {"outcome_1": 0}, extra={"b": False, "n": None, "x": 2, "t": 3}))
    frame = trials_frame(record)
    assert [str(frame[f"extra.{name}"].dtype) for name in ("b", "n", "x")] == ["boolean", "Int64", "float64"]
    assert frame["extra.t"].tolist() == ["a", 3, None]
    assert frame["extra.big"][0] == 2**60 + 1


@pytest.mark.parametrize("long", [False, True])
def test_parquet_gives_the_table_back(record: Record, talk: Talk, tmp_path: Path, long: bool) -> None:
    """The same values, types and units; also of no trial at all."""
    pytest.importorskip("pyarrow")
    _ok(
        record,
        talk.setup(parameters=[{"name": "level", "type": "continuous", "unit": "dB"}, "ear"]),
        talk.ask((1, {"level": 0.1, "ear": "left"}), (2, {"level": 1 / 3, "ear": "right"})),
        talk.tell(2, {"outcome_1": 1}, response_time=0.75, extra={"block": "a", "ok": True}),
    )
    table = long_frame if long else trials_frame
    wanted: tuple[list[str] | None, ...] = (None, [])
    for sessions in wanted:
        file = tmp_path / "out.parquet"
        frame = table(record, sessions)
        assert write(record, file, sessions, long=long) == len(frame)
        back = pd.read_parquet(file)
        assert back.attrs == frame.attrs
        assert list(back) == list(frame)
        for name in frame:
            assert back[name].isna().tolist() == frame[name].isna().tolist()
            assert back[name].dropna().tolist() == frame[name].dropna().tolist()
            if sessions is None and frame[name].dtype != object:
                assert back[name].dtype == frame[name].dtype
    assert not list(tmp_path.glob("*.part"))


def test_json_lines_are_the_messages(record: Record, talk: Talk, tmp_path: Path) -> None:
    """Every column of every message, so that the hashes can be computed from the file alone."""
    _ok(record, talk.setup(), talk.ask((1, {"level": 0.1})), talk.entry("query", ok=False, reply="é"))
    file = tmp_path / "out.jsonl"
    assert write(record, file) == 3
    rows = [json.loads(line) for line in file.read_text("ascii").splitlines()]
    assert [row["type"] for row in rows] == ["setup", "ask", "query"]
    previous = NO_HASH
    for row in rows:
        assert list(row) == [column.name for column in messages.columns]
        previous = chain(previous, row | {"received_at": datetime.fromisoformat(row["received_at"])})
        assert previous == row["hash"]


def test_an_events_file_and_its_description(record: Record, talk: Talk, tmp_path: Path) -> None:
    """Onset in seconds from the first trial, n/a for what isn't there, and each column described."""
    _ok(
        record,
        talk.setup(parameters=[{"name": "level", "type": "continuous", "unit": "dB"}, "duration"]),
        replace(talk.ask((1, {"level": 0.1, "duration": 2.0})), received_at=NOON),
        replace(
            talk.tell(1, {"outcome_1": 1}, response_time=0.75, extra={"note": "a\tb"}),
            received_at=NOON + timedelta(seconds=1.5),
        ),
        replace(talk.ask((2, {"level": 0.2, "duration": 2.0})), received_at=NOON + timedelta(seconds=4)),
    )
    file = tmp_path / "sub-01_task-hearing_events.tsv"
    assert write(record, file) == 2
    lines = [line.split("\t") for line in file.read_text("utf-8").splitlines()]
    assert lines[0][:4] == ["onset", "duration", "trial_type", "response_time"]
    assert lines[1][:4] == ["0.0", "1.5", "opt", "0.75"]
    assert lines[2][:4] == ["4.0", "n/a", "opt", "n/a"]
    assert lines[1][lines[0].index("extra.note")] == "a b"
    about = json.loads(file.with_suffix(".json").read_text("utf-8"))
    assert list(about) == lines[0]
    assert all(column["Description"] for column in about.values())
    assert about["level"]["Units"] == "dB"
    assert about["par.duration"]["Description"] == "Parameter duration of the stimulus, as it was shown"
    with pytest.raises(ValueError, match="one session"):
        write(record, file, [])


def test_what_can_t_be_written(record: Record, talk: Talk, tmp_path: Path) -> None:
    """An unknown ending, a long events file; a file that can't be written leaves the earlier one alone."""
    _ok(record, talk.setup())
    for name, long in (("out.xls", False), ("out.tsv", True), ("out.jsonl", True)):
        with pytest.raises(ValueError, match=r"out\.xls|long"):
            write(record, tmp_path / name, long=long)
    with pytest.raises(OSError, match="no-folder"):
        write(record, tmp_path / "no-folder" / "out.csv")
