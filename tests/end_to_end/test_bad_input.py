"""Bad input over a socket: each fault has a named error with its place, before anything changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

Config = dict[str, dict[str, Any]]


def configuration(outcome: str = "binary", **opt: Any) -> Config:
    """Two parameters, one with a comma in a choice, and a stage with a model."""
    return {
        "common": {"parnames": ["p", "word"], "outcome_types": [outcome], "strategy_names": ["opt"]},
        "p": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "word": {"par_type": "categorical", "choices": ["one", "two, or three"]},
        "opt": {"generator": "SobolGenerator", "min_asks": 5, **opt},
        "OrdinalLikelihood": {"n_levels": 3},
    }


@pytest.fixture(scope="module")
def server(tools: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One server for all."""
    one = tools.Served(tmp_path_factory.mktemp("bad"), "--workers", "0")
    yield one
    one.close()


FITS = {"p": 0.5, "word": "one"}
NOT_FINITE = "nan", "inf", "-Infinity"


@pytest.mark.parametrize(
    ("outcome", "told", "code", "where"),
    [
        *(
            ("binary", {"config": FITS, "outcome": wrong}, "bad_outcome", "message.outcome")
            for wrong in (2, -1, 0.5, "yes", "1", None, [], [0, 1])
        ),
        ("binary", {"config": FITS, "outcome": {"heard": 1}}, "bad_outcome", "message.outcome.heard"),
        *(
            ("ordinal", {"config": FITS, "outcome": wrong}, "bad_outcome", "message.outcome")
            for wrong in (3, -1, 1.5, "high", True)
        ),
        *(
            ("continuous", {"config": FITS, "outcome": wrong}, "bad_outcome", "message.outcome")
            for wrong in ("loud", *NOT_FINITE, 1e200, True)
        ),
        ("binary", {"config": {"p": 1.1, "word": "one"}, "outcome": 1}, "out_of_bounds", "message.config.p"),
        ("binary", {"config": {"p": -9, "word": "one"}, "outcome": 1}, "out_of_bounds", "message.config.p"),
        *(
            ("binary", {"config": {"p": wrong, "word": "one"}, "outcome": 1}, "bad_value", "message.config.p")
            for wrong in ("half", *NOT_FINITE, None, [0.1, 0.2], {})
        ),
        ("binary", {"config": {"p": 0.5}, "outcome": 1}, "unknown_parameter", "message.config"),
        (
            "binary",
            {"config": {**FITS, "pp": 1}, "outcome": 1},
            "unknown_parameter",
            "message.config.pp",
        ),
        *(
            ("binary", {"config": {"p": 0.5, "word": wrong}, "outcome": 1}, None, "message.config.word")
            for wrong in ("two", "or three", "two,or three", "three", 1, "")
        ),
        ("binary", {"trial": 99, "outcome": 1}, "unknown_trial", "message.trial"),
        ("binary", {"config": FITS, "outcome": 1, "otcome": 1}, "unknown_field", "message.otcome"),
    ],
)
def test_a_bad_tell_changes_nothing(server: Any, outcome: str, told: Any, code: Any, where: str) -> None:
    """Code and place; counts stay, and the next ask is that of a session that never heard of it."""
    wire, other = server.wire(), server.wire()
    for one in (wire, other):
        one.call("setup", {"config": configuration(outcome), "seed": 3})
        one.call("tell", {"config": {"p": 0.25, "word": "two, or three"}, "outcome": 1})
    before = wire.call("info")
    reply = wire.exchange({"version": "1", "type": "tell", "message": told})
    assert reply["ok"] is False
    assert reply["error"]["code"] in ({code} if code else {"out_of_bounds", "bad_value"})
    assert reply["error"]["where"] == where
    assert reply["error"]["detail"]
    assert wire.call("info") == before
    assert wire.call("ask") == other.call("ask")
    many = {"trials": [{"config": FITS, "outcome": 1}, told]}
    assert wire.exchange({"version": "1", "type": "tell", "message": many})["ok"] is False
    assert wire.call("info")["trials"]["told"] == 1
    wire.close()
    other.close()


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_no_json(server: Any, literal: str) -> None:
    """The stream is refused by name."""
    wire = server.wire()
    wire.call("setup", {"config": configuration("continuous"), "seed": 3})
    text = '{"version":"1","type":"tell","message":{"config":{"p":0.5,"word":"one"},"outcome":%s}}'
    wire.socket.sendall((text % literal).encode())
    assert json.loads(wire.line())["error"]["code"] == "bad_json"
    assert wire.line() == b""


def test_a_number_too_large_for_a_float_is_refused(server: Any) -> None:
    """1e999 is no finite outcome."""
    wire = server.wire()
    wire.call("setup", {"config": configuration("continuous"), "seed": 3})
    text = '{"version":"1","type":"tell","message":{"config":{"p":0.5,"word":"one"},"outcome":1e999}}'
    wire.socket.sendall(text.encode())
    reply = json.loads(wire.line())
    assert reply["error"]["code"] in ("bad_json", "bad_outcome")


def changed(section: str, outcome: str = "binary", **keys: Any) -> Config:
    config = configuration(outcome)
    config[section] = {**config.get(section, {}), **keys}
    return config


@pytest.mark.parametrize(
    ("config", "section", "key"),
    [
        (changed("opt", model="GPRegressionModel"), "opt", "model"),
        (changed("opt", "continuous", model="GPClassificationModel"), "opt", "model"),
        (changed("opt", "ordinal", model="GPRegressionModel"), "opt", "model"),
        (changed("opt", model="PairwiseProbitModel"), "opt", "model"),
        (changed("p", lower_bound=1), "p", "lower_bound"),
        (changed("p", lower_bound=2), "p", "lower_bound"),
        (changed("p", upper_bound="nan"), "p", "upper_bound"),
        (changed("p", upper_bound="inf"), "p", "upper_bound"),
        (changed("constraints", forbidden="p >= 0"), "constraints", "forbidden"),
        (changed("constraints", c="p >= 2"), "constraints", "c"),
        (changed("word", choices=[]), "word", "choices"),
        (changed("OrdinalLikelihood", "ordinal", n_levels=1), "OrdinalLikelihood", "n_levels"),
    ],
)
def test_a_bad_setup_begins_nothing(server: Any, config: Config, section: str, key: str) -> None:
    """A model that doesn't fit, an empty box, a forbidden region that leaves nothing; each with its mend."""
    wire = server.wire()
    error = wire.exchange({"version": "1", "type": "setup", "message": {"config": config}})["error"]
    assert error["code"] == "bad_config"
    [problem] = error["problems"]
    assert (problem["section"], problem["key"]) == (section, key)
    assert problem["hint"]
    reply = wire.exchange({"version": "1", "type": "ask", "message": {}})
    assert reply["error"]["code"] == "no_session"
    wire.close()


#: A file with ten mistakes, by section and key.
TEN = """
[common]
parnames = [contrast, size, ear, gain]
outcome_types = [binary]
strategy_names = [init, opt]
seed = twelve
[contrast]
par_type = continuos
lower_bound = 0
upper_bound = 1
[size]
par_type = continuous
lower_bound = 5
upper_bound = 1
[ear]
par_type = categorical
choices = [left]
[gain]
par_type = continuous
lower_bound = 0
[init]
generator = SobbolGenerator
min_asks = 10
[opt]
generator = OptimizeAcqfGenerator
model = GPRegressionModel
min_asks = ten
refit_every = 0
[OptimizeAcqfGenerator]
acqf = EAVC
[EAVC]
target = high
"""
MISTAKES = [
    ("common", "seed"),
    ("contrast", "par_type"),
    ("size", "lower_bound"),
    ("ear", "choices"),
    ("gain", "upper_bound"),
    ("init", "generator"),
    ("opt", "min_asks"),
    ("opt", "refit_every"),
    ("opt", "model"),
    ("EAVC", "target"),
]


def test_ten_mistakes_get_ten_messages_each_with_its_mend(server: Any, fechner: Any, tmp_path: Any) -> None:
    """By `fechner check` and by setup, all at once."""
    (tmp_path / "ten.ini").write_text(TEN)
    done = fechner("check", "ten.ini", "--json")
    assert done.returncode == 1
    checked = json.loads(done.stdout)["problems"]
    text = fechner("check", "ten.ini").stdout
    assert text.startswith("ten.ini: 10 problems\n")
    wire = server.wire()
    error = wire.exchange({"version": "1", "type": "setup", "message": {"config": TEN}})["error"]
    for problems in (checked, error["problems"]):
        assert [(one["section"], one["key"]) for one in problems] == MISTAKES
        assert all(one["hint"] and one["detail"] for one in problems), problems
    for one in checked:
        assert f"[{one['section']}] {one['key']}" in text
        assert f"({one['hint']})" in text
