"""Seed data warm a model, and are no trials."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from fechner.strategies import Strategy
from fechner.strategies.config import check
from fechner.strategies.core.dumps import dump, load
from fechner.strategies.core.seed_data import difference, fitting
from fechner.strategies.core.strategy import needs_model, propose
from fechner.strategies.errors import FechnerError

CONFIG = """
[common]
parnames = [level, ear]
outcome_types = [binary]
strategy_names = [init, opt]
[level]
par_type = continuous
lower_bound = 0
upper_bound = 10
[ear]
par_type = categorical
choices = [left, right]
[init]
generator = SobolGenerator
min_asks = 2
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 4
seed_data_conditions = pilots
[OptimizeAcqfGenerator]
acqf = MCLevelSetEstimation
samps = 32
restarts = 2
[pilots]
experiment_name = [pilot]
"""
ROWS = [
    {"config": {"level": level, "ear": ear}, "outcome": int(level > 5)}
    for level in (1, 4, 4.5, 5.5, 6, 9)
    for ear in ("left", "right")
]


def with_two_trials(strategy: Strategy) -> Strategy:
    for _ in range(2):
        point = strategy.ask()
        strategy.tell(point, int(point["level"] > 5))
    return strategy


def test_the_stages_model_sees_them_and_nothing_counts_them() -> None:
    """Only the stage with conditions; the session's trials stay the only trials."""
    strategy = with_two_trials(Strategy(CONFIG, 1, ROWS))
    state = strategy.state
    assert len(state.modelled()[1]) == 2
    assert state.n == 2
    assert sum(state.counts[0]) == 2
    strategy.ask()
    x, y = strategy.state.modelled()
    assert len(x) == len(y) == 14
    np.testing.assert_array_equal(y[:12, 0], [row["outcome"] for row in ROWS])
    assert strategy.state.n == 2
    assert len(strategy.data[1]) == 2
    assert strategy.finished is None


def test_they_change_the_asks() -> None:
    """A warm model asks elsewhere, and knows more at its first ask."""
    cold, warm = (with_two_trials(Strategy(CONFIG, 1, rows)) for rows in (None, ROWS))
    np.testing.assert_array_equal(cold.data[0], warm.data[0])
    proposals = [propose(one.state) for one in (cold, warm)]
    assert proposals[0]["points"] != proposals[1]["points"]
    assert propose(warm.state) == proposals[1]
    sure, unsure = (s.query("prediction", x={"level": [9], "ear": ["left"]})["sd"][0] for s in (warm, cold))
    assert sure < unsure / 2


def test_a_stage_that_begins_with_them_asks_its_model_at_once() -> None:
    """No trial of its own is needed, and a query is answered."""
    config = CONFIG.replace("[init, opt]", "[opt]")
    assert not needs_model(Strategy(config).state)
    strategy = Strategy(config, seed_data=ROWS)
    assert needs_model(strategy.state)
    assert strategy.query("prediction", x={"level": [9], "ear": ["left"]})["y"][0] > 0.6
    assert propose(strategy.state)["tier"] == "model"
    assert strategy.finished is None


def test_the_most_recent_are_kept() -> None:
    """keep_most_recent takes seed data for the oldest."""
    config = CONFIG.replace("[init, opt]", "[opt]").replace(
        "min_asks = 4", "min_asks = 4\nkeep_most_recent = 3"
    )
    strategy = Strategy(config, seed_data=ROWS)
    assert strategy.state.modelled()[1][:, 0].tolist() == [1, 1, 1]
    for n, level in enumerate((1, 2, 3, 4), start=1):
        strategy.tell({"level": level, "ear": "left"}, 0)
        expected = ([1, 1, 1] + [0] * n)[-3:]
        assert strategy.state.modelled()[1][:, 0].tolist() == expected


def test_a_dump_has_them() -> None:
    """They come back to the last bit; a state without them is read as before."""
    state = with_two_trials(Strategy(CONFIG, 1, ROWS)).state
    again = load(dump(state))
    assert set(again.seed_data) == {"opt"}
    for one, other in zip(state.seed_data["opt"], again.seed_data["opt"], strict=True):
        np.testing.assert_array_equal(one, other)
    assert propose(again) == propose(state)
    assert load(dump(Strategy(CONFIG).state)).seed_data == {}


def test_without_conditions_every_model_is_warmed() -> None:
    """In a notebook rows need no conditions; without any model they are refused."""
    config = CONFIG.replace("seed_data_conditions = pilots\n", "")
    assert set(Strategy(config, seed_data=ROWS).state.seed_data) == {"opt"}
    alone = config.replace("[init, opt]", "[init]")
    with pytest.raises(FechnerError, match="no stage has a model"):
        Strategy(alone, seed_data=ROWS)
    assert Strategy(alone, seed_data=[]).state.seed_data == {}


def test_a_row_that_does_not_fit_is_refused_where_a_program_brings_it() -> None:
    """With its fault."""
    with pytest.raises(FechnerError) as caught:
        Strategy(CONFIG, seed_data=[*ROWS, {"config": {"level": 11, "ear": "left"}, "outcome": 0}])
    assert caught.value.code == "out_of_bounds"


def test_rows_that_do_not_fit_are_told_apart() -> None:
    """Outside the box, a parameter or outcome missing, another value: each is left out with its reason."""
    fits = {"config": {"level": 10, "ear": "left"}, "outcome": {"outcome_1": 1}}
    bad: list[dict[str, Any]] = [
        {"config": {"level": 10.1, "ear": "left"}, "outcome": 1},
        {"config": {"level": 1}, "outcome": 1},
        {"config": {"level": 1, "ear": "middle"}, "outcome": 1},
        {"config": {"level": 1, "ear": "left", "more": 1}, "outcome": 1},
        {"config": {"level": [1, 2], "ear": ["left", "left"]}, "outcome": 1},
        {"config": {"level": 1, "ear": "left"}, "outcome": 2},
        {"config": {"level": 1, "ear": "left"}, "outcome": {}},
    ]
    kept, faults = fitting(check(CONFIG), [*bad, fits])
    assert [row["config"] for row in kept] == [{"level": 10.0, "ear": "left"}]
    assert kept[0]["outcome"] == {"outcome_1": 1.0}
    assert len(faults) == len(bad)
    assert all(faults)


@pytest.mark.parametrize(
    ("parameters", "outcomes", "said"),
    [
        ([("ear", "categorical"), ("level", "continuous")], [("outcome_1", "binary")], ""),
        ([("level", "continuous")], [("outcome_1", "binary")], "parameters are level"),
        ([("level", "integer"), ("ear", "categorical")], [("outcome_1", "binary")], "level is integer"),
        ([("level", "continuous"), ("ear", "categorical")], [("heard", "binary")], r"heard \(binary\)"),
        ([("level", "continuous"), ("ear", "categorical")], [("outcome_1", "ordinal")], "ordinal"),
    ],
)
def test_what_the_same_is(parameters: Any, outcomes: Any, said: str) -> None:
    """Names and types in any order."""
    named = [[{"name": name, "type": kind} for name, kind in one] for one in (parameters, outcomes)]
    found = difference(check(CONFIG), *named)
    assert re.search(said, found) if said else found == ""


def test_units_differ_only_where_both_name_one() -> None:
    """An older setup may not have named it."""
    config = CONFIG.replace("par_type = continuous", "par_type = continuous\nunit = dB")
    outcomes = [{"name": "outcome_1", "type": "binary"}]
    ear = {"name": "ear", "type": "categorical"}
    level = {"name": "level", "type": "continuous"}
    assert difference(check(config), [level, ear], outcomes) == ""
    assert difference(check(config), ["level", "ear"], outcomes) == ""  # an early record
    assert "is in kHz" in difference(check(config), [{**level, "unit": "kHz"}, ear], outcomes)


def test_pairs_and_several_outcomes_are_warmed_too() -> None:
    """Two stimuli have a list for each parameter; of several outcomes all are given."""
    pairs = CONFIG.replace("[common]", "[common]\nstimuli_per_trial = 2").replace("[init, opt]", "[opt]")
    pairs = pairs.replace("GPClassificationModel", "PairwiseProbitModel")
    pairs = pairs.replace("MCLevelSetEstimation", "AnalyticExpectedUtilityOfBestOption")
    rows: list[dict[str, Any]] = [
        {"config": {"level": [1, level], "ear": ["left", "left"]}, "outcome": 1} for level in (2, 4, 9)
    ]
    state = Strategy(pairs, seed_data=rows).state
    assert state.modelled()[0].shape == (3, 2, 2)
    assert propose(state)["tier"] == "model"
    several = CONFIG.replace("[binary]", "[binary, continuous]").replace("[init, opt]", "[opt]")
    several = several.replace("OptimizeAcqfGenerator\nmodel = GPClassificationModel", "auto")
    rows = [
        {"config": {"level": level, "ear": "left"}, "outcome": {"outcome_2": level, "outcome_1": level > 5}}
        for level in (2, 4, 9)
    ]
    state = Strategy(several, seed_data=rows).state
    np.testing.assert_array_equal(state.modelled()[1], [[0, 2], [0, 4], [1, 9]])
    assert propose(state)["tier"] == "model"
