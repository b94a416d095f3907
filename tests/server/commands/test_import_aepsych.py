"""`fechner import-aepsych`: sessions of AEPsych's files become sessions that export, replay and go on."""

from __future__ import annotations

import csv
import json
import pickle
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fechner.database.form.origins import of_session
from fechner.database.record import Record
from fechner.server import Server

from .command_line import Run


def written(aepsych: Any, path: Path) -> Any:
    """A newer file of two sessions."""
    file = aepsych.AepsychFile(path)
    one, two = file.session(), file.session("seeing", participant_id="p02")
    file.setup(one)
    extra = {"eye": "left", "extra_info": {"responseTime": 0.75}}
    file.trial(one, {"frequency": 500, "side": "left"}, {"outcome_1": 1}, extra=extra)
    file.trial(one, {"frequency": 1000.25, "side": "right"}, {"outcome_1": 0})
    file.trial(one, {"frequency": 9000, "side": "right"}, {"outcome_1": 0})
    file.trial(one, {"frequency": 500, "side": "left"}, {"outcome_1": 1}, model_data=False)
    file.setup(two, aepsych.CONFIG.replace("SobolGenerator", "NoSuchGenerator"))
    file.trial(two, {"level_stimuli0": 1, "level_stimuli1": 2, "side": "left"}, {"heard": 1, "sure": 2.5})
    return file


def imported(run: Run, *arguments: Any) -> tuple[int, Any]:
    """Exit code and JSON."""
    result = run("import-aepsych", *arguments, "--json")
    return result.exit_code, json.loads(result.stdout)


def exported(run: Run, tmp_path: Path) -> list[dict[str, str]]:
    """All trials as rows."""
    assert run("export", "--all", "--to", "all.csv").exit_code == 0
    with open(tmp_path / "all.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_newer_files_come_with_values_times_and_metadata(aepsych: Any, run: Run, tmp_path: Path) -> None:
    """A table says what came; the export has it all."""
    file = written(aepsych, tmp_path / "a.db")
    result = run("import-aepsych", file.path)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("record: fechner.db\n")
    assert "5 new trials in 2 sessions" in result.stdout
    assert "NoSuchGenerator" in result.stdout
    assert "1 of its trials are not modelled" in result.stdout
    rows = exported(run, tmp_path)
    assert len(rows) == 5
    first, _, outside, _, other = rows
    assert (first["name"], first["participant"], first["status"]) == ("hearing", "p01", "told")
    assert (float(first["frequency"]), first["side"], first["response_time"]) == (500, "left", "0.75")
    assert first["told_at"].startswith("2023-02-03T12:00:02.25")
    assert first["extra.eye"] == "left"
    assert float(outside["frequency"]) == 9000
    assert "9000" in outside["extra.not_modelled"]
    assert (other["participant"], other["side"]) == ("p02", "left")
    assert (float(other["level_1"]), float(other["level_2"])) == (1, 2)
    assert (float(other["heard"]), float(other["sure"])) == (1, 2.5)


def test_sessions_verify_and_replay(aepsych: Any, run: Run, tmp_path: Path) -> None:
    """Those with a stand-in, too; the projections are those that the messages give."""
    written(aepsych, tmp_path / "a.db")
    _, found = imported(run, tmp_path / "a.db")
    for one in found["sessions"]:
        assert run("replay", one["session"]).exit_code == 0
        assert run("show", one["session"]).exit_code == 0
    assert run("verify").exit_code == 0
    with Record.open("fechner.db", read_only=True) as record:
        trials = record.trials(found["sessions"][0]["session"])
        assert [trial["model_data"] for trial in trials] == [True, True, False, False]
        [strategy] = record.strategies(found["sessions"][1]["session"])
        assert [item["name"] for item in strategy["outcomes"]] == ["heard", "sure"]
        change: Any = next(record.changes(found["sessions"][1]["session"]))[2]
        assert "NoSuchGenerator" in change["given_config"]
        with record.snapshot() as connection:
            [origin] = of_session(connection, found["sessions"][0]["session"])
        assert (origin["source"], origin["kind"]) == (str(tmp_path / "a.db"), "aepsych")


def test_a_valid_configuration_can_be_continued(aepsych: Any, run: Run, tmp_path: Path) -> None:
    """Resume, ask, tell; the model has the imported data; a stand-in hands nothing out."""
    file = written(aepsych, tmp_path / "a.db")
    _, found = imported(run, file.path)
    good, bad = (one["session"] for one in found["sessions"])
    with Server(tmp_path / "fechner.db") as server:

        def send(type_: str, message: Any, session: str) -> Any:
            reply = channel.request({"version": "1", "type": type_, "session": session, "message": message})
            assert reply["ok"], reply
            return reply["message"]

        channel = server.connect()
        assert send("resume", {"session": good}, good)["trials"]["told"] == 4
        trial = send("ask", {}, good)["trials"][0]
        assert trial["trial"] == 5
        assert set(trial["config"]) == {"frequency", "side"}
        assert send("tell", {"trial": 5, "outcome": 1}, good)["modelled"] == 1
        channel.close()
        channel = server.connect()
        send("resume", {"session": bad}, bad)
        assert send("ask", {}, bad)["trials"] == []
    assert run("replay", good).exit_code == 0
    again = aepsych.AepsychFile(tmp_path / "a.db")
    assert again.path == file.path
    written(aepsych, tmp_path / "a.db")
    code, found = imported(run, file.path)
    assert (code, [one["n_new"] for one in found["sessions"]]) == (0, [0, 0])
    file.trial(1, {"frequency": 700, "side": "left"}, {"outcome_1": 1})
    code, found = imported(run, file.path)
    assert code == 1
    assert "was continued here" in found["refused"][0]


def test_the_same_file_comes_once_and_a_grown_one_adds_what_is_new(
    aepsych: Any, run: Run, tmp_path: Path
) -> None:
    """Also from elsewhere; what was changed in the file is refused, and the session stays as it is."""
    file = written(aepsych, tmp_path / "a.db")
    assert imported(run, file.path)[0] == 0
    before = exported(run, tmp_path)
    moved = tmp_path / "elsewhere.db"
    moved.write_bytes(file.path.read_bytes())
    code, found = imported(run, moved, "--timezone", "Europe/Berlin")
    assert code == 0
    assert [one["n_new"] for one in found["sessions"]] == [0, 0]
    assert exported(run, tmp_path) == before
    file.trial(1, {"frequency": 700, "side": "left"}, {"outcome_1": 1})
    file.trial(2, {"level_stimuli0": 9, "level_stimuli1": 2, "side": "up"}, {"heard": 0, "sure": 1})
    code, found = imported(run, file.path)
    assert (code, [one["n_new"] for one in found["sessions"]]) == (0, [1, 1])
    assert len(exported(run, tmp_path)) == 7
    for one in found["sessions"]:
        assert run("replay", one["session"]).exit_code == 0
    assert run("verify").exit_code == 0
    connection = file.connection()
    with connection:
        connection.execute("UPDATE outcome_data SET outcome_value = 0 WHERE unique_id = 1")
    connection.close()
    code, found = imported(run, file.path)
    assert code == 1
    assert "raw_data 1 is not what it was" in found["refused"][0]
    assert len(exported(run, tmp_path)) == 7


def test_the_oldest_files_come_from_their_messages(aepsych: Any, run: Run, tmp_path: Path) -> None:
    """Lists are several trials; two setups are two strategies, and a resume goes back to the first."""
    file = aepsych.AepsychFile(tmp_path / "old.db", old=True)
    one = file.session()
    config = aepsych.CONFIG.replace("[frequency, side]", "[frequency]")
    file.setup(one, config)
    file.message(one, "ask", {"type": "ask", "message": ""})
    file.message(one, "tell", {"type": "tell", "message": {"config": {"frequency": [500]}, "outcome": 1}})
    many = [
        {"config": {"frequency": [600.5]}, "outcome": 0},
        {"config": {"frequency": [700]}, "outcome": "1"},
    ]
    file.message(one, "tell", {"type": "tell", "message": many})
    pair = config.replace("[binary]", "[binary]\nstimuli_per_trial = 2")
    file.setup(one, pair)
    file.message(one, "tell", {"config": {"frequency": [[300, 400]]}, "outcome": 1, "eye": "left"})
    file.message(one, "resume", {"type": "resume", "message": {"strat_id": "0"}})
    file.message(one, "update", {"config": {"frequency": [800]}, "outcome": 1})
    file.message(one, "tell", {"config": "nonsense", "outcome": 1})
    file.message(one, "tell", pickle.dumps({"config": {"frequency": np.ones(1)}, "outcome": 1}))
    code, found = imported(run, file.path)
    assert code == 1
    assert len(found["refused"]) == 2
    assert "replay_data 9" in " ".join(found["refused"])
    assert "numpy" in " ".join(found["refused"])
    [session] = found["sessions"]
    assert (session["n_new"], session["notes"]) == (5, [])
    rows = exported(run, tmp_path)
    assert [row["strategy"] for row in rows] == ["0", "0", "0", "1", "0"]
    values = [row["frequency"] or (row["frequency_1"], row["frequency_2"]) for row in rows]
    assert [float(v) if isinstance(v, str) else tuple(map(float, v)) for v in values] == [
        500, 600.5, 700, (300, 400), 800,
    ]  # fmt: skip
    assert [float(row["outcome"]) for row in rows] == [1, 0, 1, 1, 1]
    assert rows[3]["extra.eye"] == "left"
    assert run("replay", session["session"]).exit_code == 0


def test_trials_without_any_configuration_come_too(aepsych: Any, run: Run, tmp_path: Path) -> None:
    """With odd names and values, constants, texts; nothing is dropped."""
    file = aepsych.AepsychFile(tmp_path / "a.db")
    one = file.session()
    file.trial(one, {"x": "0.5", "kind": "a, b", "c": "7"}, {"hit": 1})
    file.trial(one, {"x": "[1.5]", "kind": "tensor(3)", "c": "7"}, {"hit": None})
    two = file.session("odd")
    file.trial(two, {"common": "1", "": "2", "a,b": "nan"}, {"y": "x"})
    three = file.session("empty")
    code, found = imported(run, file.path)
    assert code == 0
    assert [one["n_new"] for one in found["sessions"]] == [2, 1, 0]
    assert "there is no configuration" in found["sessions"][0]["notes"][0]
    assert found["sessions"][2]["notes"] == ["holds no setup and no trial"]
    assert three == 3
    rows = exported(run, tmp_path)
    assert [row["kind"] for row in rows] == ["a, b", "tensor(3)", ""]
    assert [row["x"] for row in rows][:2] == ["0.5", "1.5"]
    assert rows[2]["a,b"] == "nan"
    for one in found["sessions"][:2]:
        assert run("replay", one["session"]).exit_code == 0
    assert run("verify").exit_code == 0


def test_a_forgotten_session_is_not_brought_back(aepsych: Any, run: Run, tmp_path: Path) -> None:
    """It is named, and the other comes."""
    written(aepsych, tmp_path / "a.db")
    assert imported(run, tmp_path / "a.db")[0] == 0
    assert run("forget", "--participant", "p01", "--yes").exit_code == 0
    code, found = imported(run, tmp_path / "a.db")
    assert code == 1
    assert [one["n_new"] for one in found["sessions"]] == [0, 0]
    assert found["refused"][0].startswith(f"session {found['sessions'][0]['session']}: it was forgotten")
    assert {row["participant"] for row in exported(run, tmp_path)} == {"p02"}


def test_sessions_come_into_postgresql(aepsych: Any, run: Run, tmp_path: Path, postgres_schema: Any) -> None:
    """Too, with their origins; and once."""
    written(aepsych, tmp_path / "a.db")
    url = postgres_schema()
    for wanted in ([4, 1], [0, 0]):
        code, found = imported(run, tmp_path / "a.db", "--db", url)
        assert (code, [one["n_new"] for one in found["sessions"]]) == (0, wanted)
    for one in found["sessions"]:
        assert run("replay", one["session"], "--db", url).exit_code == 0
    with Record.open(url, read_only=True) as record, record.snapshot() as connection:
        assert len(of_session(connection, found["sessions"][0]["session"])) == 1


def test_the_model_sees_imported_trials(aepsych: Any, run: Run, tmp_path: Path) -> None:
    """After finish_strategy an ask of the model's stage comes from all of them, and replays."""
    config = """[common]
parnames = [x]
outcome_types = [binary]
strategy_names = [init, opt]
target = 0.75
[x]
par_type = continuous
lower_bound = 0
upper_bound = 1
[init]
generator = SobolGenerator
min_asks = 3
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 9
[OptimizeAcqfGenerator]
acqf = EAVC
"""
    file = aepsych.AepsychFile(tmp_path / "a.db")
    one = file.session()
    file.setup(one, config)
    for i in range(20):
        file.trial(one, {"x": (i * 7 % 20) / 20}, {"outcome": int((i * 7 % 20) > 9)})
    _, found = imported(run, file.path)
    assert found["sessions"][0]["notes"] == []
    session = found["sessions"][0]["session"]
    with Server(tmp_path / "fechner.db") as server:
        channel = server.connect()
        for type_, message in (("resume", {"session": session}), ("finish_strategy", {}), ("ask", {})):
            reply = channel.request({"version": "1", "type": type_, "message": message, "session": session})
            assert reply["ok"], reply
    assert reply["message"]["stage"] == "opt"
    assert reply["timing"]["tier"] == "model"
    assert 0.2 < reply["message"]["trials"][0]["config"]["x"] < 0.8
    assert run("replay", session).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["none.db"], 1), (["text.db"], 1), (["a.db", "--timezone", "Mars/Olympus"], 2), ([], 2)],
)
def test_what_cannot_be_imported(run: Run, tmp_path: Path, arguments: list[str], code: int) -> None:
    """The reason stands on standard error, and no record is made."""
    (tmp_path / "text.db").write_text("no database" * 500)
    result = run("import-aepsych", *arguments)
    assert result.exit_code == code
    assert result.stderr
    assert not (tmp_path / "fechner.db").exists()


def test_a_record_in_use_is_left_alone(aepsych: Any, run: Run, tmp_path: Path, db: Path) -> None:
    """A server that has it is named."""
    written(aepsych, tmp_path / "a.db")
    with Server(db):
        result = run("import-aepsych", tmp_path / "a.db", "--db", db)
    assert result.exit_code == 1
    assert "in use" in result.stderr
    with sqlite3.connect(db) as connection:
        assert connection.execute("SELECT count(*) FROM origins").fetchone() == (0,)
    connection.close()


def test_what_was_imported_warms_a_model(aepsych: Any, run: Run, tmp_path: Path) -> None:
    """Its trials are earlier ones like any other: those that the model saw, inside the box."""
    file = written(aepsych, tmp_path / "a.db")
    assert run("import-aepsych", file.path).exit_code == 0
    config = aepsych.CONFIG.replace("RandomGenerator", "auto\nseed_data_conditions = theirs")
    config += "[theirs]\nexperiment_name = hearing\nparticipant_id = p01\nlab = A\n"
    with Server(tmp_path / "fechner.db") as server:
        message = {"config": config, "seed": 1}
        reply = server.connect().request({"version": "1", "type": "setup", "message": message})
        assert reply["message"]["seed_data"] == {"theirs": 2}
        change: Any = next(iter(server.record.changes(reply["session"])))[2]
    rows = change["seed_data"]["theirs"]
    assert [row["config"] for row in rows] == [
        {"frequency": 500.0, "side": "left"},
        {"frequency": 1000.25, "side": "right"},
    ]
