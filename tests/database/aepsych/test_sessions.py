"""Files of AEPsych are read: both generations, nothing executed, what is refused named."""

from __future__ import annotations

import os
import pickle
import random
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from fechner.database.aepsych.sessions import read_file
from fechner.database.aepsych.shapes import config_of
from fechner.database.record import RecordError


class _Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch owned",)


def test_trials_of_newer_files_come_from_the_tables(aepsych: ModuleType, tmp_path: Path) -> None:
    """Names, values, times, metadata, of several sessions; the tells among the messages don't come again."""
    file = aepsych.AepsychFile(tmp_path / "a.db")
    one, two = file.session(), file.session("seeing", participant_id=None, extra_metadata=None)
    file.setup(one)
    file.message(one, "ask", {"type": "ask", "message": ""})
    file.message(one, "tell", pickle.dumps(np.ones(2)))
    file.trial(one, {"frequency": 500.5, "side": "left"}, {"outcome_1": 1}, extra={"eye": "left", "n": [1]})
    file.setup(two)
    file.trial(two, {"a_stimuli0": 1, "a_stimuli1": 2, "b_stimuli0": 3}, {"x": 0, "y": 2.5}, model_data=False)
    foreign = read_file(file.path)
    assert foreign.refused == []
    first, second = foreign.sessions
    assert (first.name, first.participant, first.description) == ("hearing", "p01", "d")
    assert first.metadata == {"aepsych_unique_id": 1, "room": 3}
    assert (second.name, second.participant) == ("seeing", None)
    assert first.refused == second.refused == []
    assert [event.type for event in first.events] == ["setup", "trial"]
    assert config_of(first.events[0].content) == aepsych.CONFIG
    assert first.events[1].content == {
        "config": {"frequency": "500.5", "side": "left"},
        "outcome": {"outcome_1": 1.0},
        "model_data": True,
        "extra": {"eye": "left", "n": [1]},
    }
    assert first.events[1].at == datetime(2023, 2, 3, 12, 0, 4, 250000, UTC)
    assert second.events[1].content["config"] == {"a": ["1", "2"], "b_stimuli0": "3"}
    assert second.events[1].content["outcome"] == {"x": 0.0, "y": 2.5}
    assert second.events[1].content["model_data"] is False


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_trials_of_the_oldest_files_come_from_the_messages(
    aepsych: ModuleType, tmp_path: Path, protocol: int
) -> None:
    """Setup, resume, tell and update, whole requests or only their messages."""
    file = aepsych.AepsychFile(tmp_path / "old.db", old=True)
    one = file.session(experiment_id="abc")
    file.message(one, "setup", {"type": "setup", "message": {"config_str": "[common]"}}, protocol=protocol)
    file.message(one, "ask", {"type": "ask", "message": ""}, protocol=protocol)
    tell = {"config": {"x": [0.5]}, "outcome": 1}
    request = {"type": "tell", "message": tell, "extra_info": {"eye": "left"}}
    file.message(one, "tell", request, protocol=protocol)
    file.message(one, "update", tell, protocol=protocol)
    file.message(one, "resume", {"type": "resume", "message": {"strat_id": "0"}}, protocol=protocol)
    [session] = read_file(file.path).sessions
    assert [(event.type, event.content) for event in session.events] == [
        ("setup", {"config_str": "[common]"}),
        ("tell", tell),
        ("tell", tell),
        ("resume", {"strat_id": "0"}),
    ]
    assert session.events[1].extra == {"eye": "left"}
    assert session.participant is None
    assert session.metadata["experiment_id"] == "abc"
    assert session.refused == []


def test_what_is_not_plain_is_named_and_the_rest_comes(
    aepsych: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values in the tables come even if what is pickled beside them doesn't; nothing is executed."""
    monkeypatch.chdir(tmp_path)
    file = aepsych.AepsychFile(tmp_path / "a.db")
    one = file.session()
    file.message(one, "setup", pickle.dumps({"type": "setup", "message": _Evil()}))
    raw = file.trial(one, {"x": 1}, {"outcome": 1}, extra=pickle.dumps({"rt": np.float64(2)}))
    file.insert("strat_data", strat=pickle.dumps(_Evil()), master_table_id=one)
    file.insert("config_data", config=pickle.dumps(_Evil()), master_table_id=one)
    [session] = read_file(file.path).sessions
    assert [event.type for event in session.events] == ["setup", "trial"]
    assert session.events[1].content["config"] == {"x": "1"}
    assert len(session.refused) == 3
    assert session.refused[0].startswith("replay_data 1: message_contents: it asks for ")
    assert "system" in session.refused[0]
    assert f"raw_data {raw}: extra_data: it asks for numpy" in session.refused[1]
    assert "config_data" in session.refused[2]
    assert not (tmp_path / "owned").exists()


def test_the_configuration_may_stand_in_config_data(aepsych: ModuleType, tmp_path: Path) -> None:
    """Where no setup message has it."""
    file = aepsych.AepsychFile(tmp_path / "a.db")
    one = file.session()
    file.trial(one, {"x": 1}, {"outcome": 1})
    file.insert("config_data", config=pickle.dumps(aepsych.CONFIG), master_table_id=one)
    [session] = read_file(file.path).sessions
    assert [event.type for event in session.events] == ["setup", "trial"]
    assert config_of(session.events[0].content) == aepsych.CONFIG


def test_ids_follow_from_the_file_alone(aepsych: ModuleType, tmp_path: Path) -> None:
    """The same session has the same id after it has grown; sessions of other files have others."""
    file = aepsych.AepsychFile(tmp_path / "a.db")
    one = file.session(experiment_id="one")
    file.setup(one)
    [before] = read_file(file.path).sessions
    file.trial(one, {"x": 1}, {"outcome": 1})
    foreign = read_file(file.path)
    assert foreign.sessions[0].id == before.id
    other = aepsych.AepsychFile(tmp_path / "b.db")
    other.setup(other.session(experiment_id="two"))
    assert read_file(other.path).sessions[0].id != before.id


def test_times_are_of_the_zone_that_is_named(aepsych: ModuleType, tmp_path: Path) -> None:
    """The file doesn't name one."""
    file = aepsych.AepsychFile(tmp_path / "a.db")
    file.setup(file.session())
    [session] = read_file(file.path, ZoneInfo("Europe/Berlin")).sessions
    assert session.events[0].at == datetime(2023, 2, 3, 11, 0, 1, 250000, UTC)


def test_the_file_stays_as_it_is(aepsych: ModuleType, tmp_path: Path) -> None:
    """To the byte."""
    file = aepsych.AepsychFile(tmp_path / "a.db")
    file.setup(file.session())
    before = file.path.read_bytes()
    read_file(file.path)
    assert file.path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db"]


def test_other_files_are_refused_by_name(aepsych: ModuleType, tmp_path: Path) -> None:
    """None there, no database, somebody else's tables; views and virtual tables aren't read."""
    with pytest.raises(RecordError, match=r"no file .*none\.db"):
        read_file(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("no database" * 500)
    with pytest.raises(RecordError, match=r"text\.db can't be read"):
        read_file(tmp_path / "text.db")
    with sqlite3.connect(tmp_path / "notes.db") as connection:
        connection.execute("CREATE TABLE notes (text TEXT)")
        connection.execute("CREATE VIEW master AS SELECT 1 AS unique_id")
        connection.execute("CREATE TABLE replay_data (unique_id INTEGER)")
    connection.close()
    with pytest.raises(RecordError, match=r"notes\.db is no database of AEPsych"):
        read_file(tmp_path / "notes.db")


def test_odd_rows_do_no_harm(aepsych: ModuleType, tmp_path: Path) -> None:
    """Times that are none, rows of no session, wrong metadata, texts that aren't UTF-8, odd types."""
    file = aepsych.AepsychFile(tmp_path / "a.db")
    one = file.session(b"\xff\xfe", extra_metadata="{not json")
    file.setup(one)
    raw = file.trial(one, {"x": 1}, {"outcome": None}, extra=b"garbage")
    file.trial(99, {"x": 1}, {"outcome": 1})
    connection = file.connection()
    with connection:
        connection.execute("UPDATE raw_data SET timestamp = 'yesterday' WHERE unique_id = ?", (raw,))
        connection.execute("UPDATE param_data SET param_value = CAST(x'ff00' AS TEXT)")
    connection.close()
    foreign = read_file(file.path)
    [session] = foreign.sessions
    assert foreign.refused == ["raw_data: 1 rows of no session in master"]
    assert session.metadata["extra_metadata"] == "{not json"
    assert session.events[1].at is None
    assert session.events[1].content["outcome"] == {"outcome": None}
    [refused] = session.refused
    assert refused.startswith(f"raw_data {raw}: extra_data: the pickle is damaged")


def test_damaged_files_are_read_or_refused(aepsych: ModuleType, tmp_path: Path) -> None:
    """Whatever bytes are changed or missing; never another error."""
    file = aepsych.AepsychFile(tmp_path / "a.db")
    one = file.session()
    file.setup(one)
    file.trial(one, {"x": 1}, {"outcome": 1}, extra={"eye": "left"})
    whole = file.path.read_bytes()
    chance = random.Random(1)
    refused = 0
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 5, 50])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        file.path.write_bytes(data[: chance.choice([len(data), chance.randrange(len(data))])])
        try:
            read_file(file.path)
        except RecordError:
            refused += 1
    assert 0 < refused < 150
