"""tell: outcomes by number or by configuration, one or many, all or nothing."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ...rig import Rig

PAIRWISE = """
[common]
parnames = [p, q]
outcome_types = [binary]
stimuli_per_trial = 2
strategy_names = [init]
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[q]
par_type = fixed
value = 3
[init]
generator = SobolGenerator
min_asks = 4
"""

TWO_OUTCOMES = """
[common]
parnames = [p]
outcome_types = [binary, continuous]
outcome_names = [heard, loudness]
strategy_names = [init]
[p]
par_type = continuous
lower_bound = 10
upper_bound = 20
[init]
generator = SobolGenerator
min_asks = 4
"""


def test_a_trial_is_told_once(rig: Rig) -> None:
    """By its number; again it has its outcome already."""
    peer = rig.setup()
    peer.ok("ask")
    assert peer.ok("tell", {"trial": 1, "outcome": 1}) == {"trials": [1], "modelled": 1, "finished": False}
    error = peer.error("tell", {"trial": 1, "outcome": 0})
    assert (error["code"], error["where"]) == ("trial_already_told", "message.trial")


def test_many_are_all_or_nothing(rig: Rig) -> None:
    """One fault, named with its place in the list, and none is recorded."""
    peer = rig.setup()
    peer.ok("ask", {"n": 3})
    error = peer.error("tell", {"trials": [{"trial": 1, "outcome": 1}, {"trial": 2, "outcome": 2}]})
    assert (error["code"], error["where"]) == ("bad_outcome", "message.trials.1.outcome")
    error = peer.error("tell", {"trials": [{"trial": 1, "outcome": 1}, {"trial": 1, "outcome": 1}]})
    assert (error["code"], error["where"]) == ("trial_already_told", "message.trials.1.trial")
    assert rig.session(peer).told == 0
    reply = peer.ok("tell", {"trials": [{"trial": 3, "outcome": 1}, {"trial": 1, "outcome": 1}]})
    assert reply == {"trials": [3, 1], "modelled": 2, "finished": False}


def test_a_list_stands_alone(rig: Rig) -> None:
    """Options go into each of its trials."""
    peer = rig.setup()
    error = peer.error("tell", {"trials": [], "outcome": 1})
    assert (error["code"], error["where"]) == ("bad_value", "message.trials")


def test_a_told_config_is_the_oldest_pending_trial_there(rig: Rig) -> None:
    """Within 1e-6 of the range; the model gets the asked values and the record keeps both."""
    peer = rig.setup()
    config = peer.ok("ask")["trials"][0]["config"]
    peer.ok("ask")
    near = {"p": config["p"] + 0.9e-6}
    assert peer.ok("tell", {"config": near, "outcome": 1})["trials"] == [1]
    session = rig.session(peer)
    assert session.strategies[0].state.x.array.item() == config["p"]
    [row] = rig.change(session.id)["trials"]
    assert row["config"] == near
    assert rig.change(session.id, 1)["trials"][0]["config"] == config


def test_a_told_config_elsewhere_is_a_trial_of_its_own(rig: Rig) -> None:
    """It gets the next number and counts as told, not as asked."""
    peer = rig.setup()
    config = peer.ok("ask")["trials"][0]["config"]
    assert peer.ok("tell", {"config": {"p": config["p"] + 2e-6}, "outcome": 1})["trials"] == [2]
    assert rig.session(peer).counts() == {"asked": 1, "told": 1, "pending": 1, "skipped": 0}
    assert peer.ok("ask")["trials"][0]["trial"] == 3


def test_equal_points_are_told_oldest_first(rig: Rig) -> None:
    """Two pending trials at one point: the first tell is the first trial's."""
    peer = rig.setup()
    peer.ok("ask", {"n": 2, "fixed": {"p": 0.5}})
    tell = {"config": {"p": 0.5}, "outcome": 1}
    assert peer.ok("tell", {"trials": [tell, tell, tell]})["trials"] == [1, 2, 3]


def test_thousands_of_pending_trials_are_told_by_config_at_once(rig: Rig, space_filling: str) -> None:
    """Nobody else waits long for one message."""
    peer = rig.setup(space_filling.replace("max_asks = 4", "min_asks = 100000"))
    trials = peer.ok("ask", {"n": 2000})["trials"][::-1]
    begin = time.perf_counter()
    told = peer.ok("tell", {"trials": [{"config": trial["config"], "outcome": 1} for trial in trials]})
    assert told["trials"] == [trial["trial"] for trial in trials]
    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize(
    ("config", "code", "where"),
    [
        ({"q": 0.5}, "unknown_parameter", "message.config.q"),
        ({}, "unknown_parameter", "message.config"),
        ({"p": 1.1}, "out_of_bounds", "message.config.p"),
        ({"p": "half"}, "bad_value", "message.config.p"),
        ({"p": [0.1, 0.2]}, "bad_value", "message.config.p"),
        ({"p": None}, "bad_value", "message.config.p"),
    ],
)
def test_faults_of_a_config(rig: Rig, config: Any, code: str, where: str) -> None:
    """Misspelt, missing, outside, of a wrong type: each has its code and place."""
    error = rig.setup().error("tell", {"config": config, "outcome": 1})
    assert (error["code"], error["where"]) == (code, where)


def test_an_unknown_parameter_names_unknown_and_missing_ones(rig: Rig) -> None:
    """And suggests what was meant."""
    error = rig.setup(TWO_OUTCOMES.replace("p]", "frequency]")).error(
        "tell", {"config": {"frequncy": 12}, "outcome": {"heard": 1, "loudness": 2.5}}
    )
    assert error["code"] == "unknown_parameter"
    assert "'frequncy'" in error["detail"]
    assert "missing: 'frequency'" in error["detail"]
    assert error["hint"] == "did you mean 'frequency'?"


@pytest.mark.parametrize("value", [1.0000005, -0.0000005])
def test_a_little_beyond_the_box_is_clamped(rig: Rig, value: float) -> None:
    """Rounding of a client's numbers, up to 1e-6 of the range, is no fault."""
    peer = rig.setup()
    peer.ok("tell", {"config": {"p": value}, "outcome": 1})
    assert rig.session(peer).strategies[0].state.x.array.item() == round(value)


@pytest.mark.parametrize(
    "outcome", [2, -1, 0.5, "1", None, [1, 1], [], {}, {"outcome_2": 1}, {"outcome_1": 3}]
)
def test_faults_of_an_outcome(rig: Rig, outcome: Any) -> None:
    """A binary outcome is 0 or 1, alone, in a list, or by its name."""
    peer = rig.setup()
    error = peer.error("tell", {"config": {"p": 0.5}, "outcome": outcome})
    assert error["code"] == "bad_outcome"
    assert error["where"].startswith("message.outcome")


@pytest.mark.parametrize("outcome", [1, 1.0, True, [1], {"outcome_1": 1}])
def test_spellings_of_an_outcome(rig: Rig, outcome: Any) -> None:
    """One binary outcome in every form that is taken, on record as one number."""
    peer = rig.setup()
    peer.ok("tell", {"config": {"p": 0.5}, "outcome": outcome})
    [row] = rig.change(peer.last["session"])["trials"]
    assert row["outcome"] == {"outcome_1": 1.0}


def test_several_outcomes(rig: Rig) -> None:
    """By name in any order, or as a list in the configuration's order."""
    peer = rig.setup(TWO_OUTCOMES)
    peer.ok("tell", {"config": {"p": 11}, "outcome": {"loudness": 2.5, "heard": 1}})
    peer.ok("tell", {"config": {"p": 12}, "outcome": [0, -3]})
    assert rig.session(peer).strategies[0].state.y.array.tolist() == [[1, 2.5], [0, -3]]
    assert peer.error("tell", {"config": {"p": 13}, "outcome": 1})["code"] == "bad_outcome"


def test_two_stimuli(rig: Rig) -> None:
    """A pairwise trial has a list of two values per parameter; a fixed one needs none."""
    peer = rig.setup(PAIRWISE)
    config = peer.ok("ask")["trials"][0]["config"]
    assert len(config["p"]) == 2
    assert config["q"] == 3
    assert peer.ok("tell", {"config": {"p": config["p"]}, "outcome": 1})["trials"] == [1]
    assert peer.error("tell", {"config": {"p": 0.5}, "outcome": 1})["code"] == "bad_value"
    error = peer.error("tell", {"config": {"p": [0.5, 0.1], "q": 4}, "outcome": 1})
    assert error["where"] == "message.config.q"


def test_a_trial_that_the_model_should_not_see(rig: Rig) -> None:
    """model_data false closes the trial on record; the model gets nothing, and the outcome may be missing."""
    peer = rig.setup()
    peer.ok("ask", {"n": 2})
    assert peer.ok("tell", {"trial": 1, "outcome": 1, "model_data": False})["modelled"] == 0
    assert peer.ok("tell", {"trial": 2, "model_data": False})["modelled"] == 0
    assert peer.error("tell", {"model_data": False})["code"] == "bad_value"
    state = rig.session(peer).strategies[0].state
    assert state.n == 0
    assert state.pending == ()
    assert rig.session(peer).counts() == {"asked": 2, "told": 2, "pending": 0, "skipped": 0}


def test_the_stimulus_really_shown(rig: Rig) -> None:
    """The model sees it in place of the asked one, which leaves the pending ones."""
    peer = rig.setup()
    peer.ok("ask")
    peer.ok("tell", {"trial": 1, "outcome": 1, "shown": {"p": 0.75}})
    state = rig.session(peer).strategies[0].state
    assert state.x.array.item() == 0.75
    assert state.pending == ()
    assert (
        peer.error("tell", {"config": {"p": 0.5}, "shown": {"p": 2}, "outcome": 1})["where"]
        == "message.shown.p"
    )


def test_a_tell_names_its_trial_once(rig: Rig) -> None:
    """By number or by config: both, or neither, is a fault."""
    peer = rig.setup()
    peer.ok("ask")
    assert peer.error("tell", {"trial": 1, "config": {"p": 0.5}, "outcome": 1})["where"] == "message.config"
    assert peer.error("tell", {"outcome": 1})["code"] == "bad_value"
    assert peer.error("tell", {"trial": 2, "outcome": 1})["code"] == "unknown_trial"


def test_options_are_on_record(rig: Rig) -> None:
    """Response time, confidence, client's time and further data stay with the trial."""
    peer = rig.setup()
    peer.ok("ask")
    options = {
        "response_time": 0.52,
        "confidence": 3,
        "client_time": "12:00",
        "extra": {"eye": [1, {"x": 2}]},
    }
    peer.ok("tell", {"trial": 1, "outcome": 1, **options})
    [row] = rig.change(peer.last["session"])["trials"]
    assert {name: row[name] for name in options} == options


def test_finished_follows_the_counting_rules(rig: Rig, space_filling: str) -> None:
    """The tell that meets them says so."""
    peer = rig.setup(space_filling.replace("max_asks = 4", "min_total_tells = 2"))
    peer.ok("ask", {"n": 2})
    assert peer.ok("tell", {"trial": 1, "outcome": 1})["finished"] is False
    assert peer.ok("tell", {"trial": 2, "outcome": 0})["finished"] is True
