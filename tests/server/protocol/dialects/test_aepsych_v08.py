"""The AEPsych 0.8 dialect: a script written for AEPsych sees the shapes that it knows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fechner.server.protocol.dialects.aepsych_v08 import AEPSYCH_08
from fechner.server.protocol.messages import Exit

from ...rig import Computing, Peer, Rig

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

MIXED = """
[common]
parnames = [p, c, k, f]
outcome_types = [binary, continuous]
outcome_names = [heard, loudness]
strategy_names = [init]
[p]
par_type = continuous
lower_bound = 1
upper_bound = 5
[c]
par_type = categorical
choices = [red, green, blue]
[k]
par_type = integer
lower_bound = 2
upper_bound = 7
[f]
par_type = fixed
value = 9
[init]
generator = SobolGenerator
min_asks = 4
"""


@pytest.fixture
def set_up(rig: Rig, space_filling: str) -> Peer:
    """A connection whose first request set up four Sobol points."""
    peer = rig.connect()
    assert peer.aepsych("setup", {"config_str": space_filling}) == {"strat_id": 0}
    return peer


@pytest.fixture
def modelled(rig: Rig, with_model: str) -> Peer:
    """A connection in a stage with a model and data."""
    peer = rig.connect()
    peer.aepsych("setup", {"config_str": with_model})
    peer.aepsych("ask")
    peer.aepsych("tell", {"config": {"p": [0.5]}, "outcome": 1})
    peer.aepsych("ask")
    return peer


def is_error(reply: Any) -> bool:
    return set(reply) == {"server_error", "message"} and isinstance(reply["server_error"], str)


def test_setup_counts(rig: Rig, set_up: Peer, space_filling: str) -> None:
    """Each setup on the connection is the next strategy; a dict of text is taken too."""
    config = {"common": {"parnames": "[p]", "outcome_types": "[binary]", "strategy_names": "[init]"}}
    config |= {"p": {"par_type": "continuous", "lower_bound": "0", "upper_bound": "1"}}
    config |= {"init": {"generator": "SobolGenerator", "min_asks": "2"}}
    assert set_up.aepsych("setup", {"config_dict": config}) == {"strat_id": 1}
    assert set_up.aepsych("setup", {"config_str": space_filling}) == {"strat_id": 2}


def test_a_stage_without_an_end_is_no_error(rig: Rig, space_filling: str) -> None:
    """Older files have none."""
    peer = rig.connect()
    reply = peer.aepsych("setup", {"config_str": space_filling.replace("max_asks = 4", "")})
    assert reply == {"strat_id": 0}


def test_metadata_that_would_be_kept_too_often() -> None:
    """Each trial gets all of it, so a message of a megabyte could fill memory and record."""
    many = {"config": {"p": [0.5] * 10_000}, "outcome": [1] * 10_000, "note": "x" * 1000}
    fault = AEPSYCH_08.parse({"type": "tell", "message": many}).fault
    assert fault is not None
    assert fault.code == "too_large"
    few = {"config": {"p": [0.5] * 4}, "outcome": [1] * 4, "note": "x" * 60_000}
    assert AEPSYCH_08.parse({"type": "tell", "message": few}).fault is None


@pytest.mark.parametrize(
    "message",
    [None, "", {}, {"config_str": 1}, {"config_str": "nonsense"}, {"config_dict": "x"}, {"config_dict": {}}],
)
def test_a_setup_that_fails(rig: Rig, message: Any) -> None:
    """The error is readable and the connection goes on."""
    peer = rig.connect()
    assert is_error(peer.aepsych("setup", message))
    assert is_error(peer.aepsych("ask"))


@pytest.mark.parametrize(
    "message", ["", {}, None, {"num_points": 1}, {"num_points": None}, {"num_points": 1.0}]
)
def test_ask(set_up: Peer, message: Any) -> None:
    """One point: lists of one."""
    reply = set_up.aepsych("ask", message)
    assert list(reply) == ["config", "is_finished", "num_points"]
    assert (list(reply["config"]), len(reply["config"]["p"])) == (["p"], 1)
    assert (reply["is_finished"], reply["num_points"]) == (False, 1)


def test_ask_for_several_points(set_up: Peer) -> None:
    """Lists of N; the last points say that it is finished, and later asks go on."""
    assert len(set_up.aepsych("ask", {"num_points": 3})["config"]["p"]) == 3
    assert set_up.aepsych("ask", {"num_points": 1})["is_finished"] is True
    again = set_up.aepsych("ask")
    assert (len(again["config"]["p"]), again["is_finished"], again["num_points"]) == (1, True, 1)


def test_ask_with_fixed_parameters(set_up: Peer) -> None:
    """By name, as a number or a list of one; a wrong name is an error."""
    assert set_up.aepsych("ask", {"num_points": 1, "fixed_pars": {"p": 0.25}})["config"] == {"p": [0.25]}
    assert set_up.aepsych("ask", {"num_points": 1, "fixed_pars": {"p": [0.5]}})["config"] == {"p": [0.5]}
    assert is_error(set_up.aepsych("ask", {"num_points": 1, "fixed_pars": {"q": 0.25}}))
    assert is_error(set_up.aepsych("ask", {"num_points": "many"}))


def test_ask_pairwise(rig: Rig) -> None:
    """Each point is a list of two; what was asked can be told as it is."""
    peer = rig.connect()
    peer.aepsych("setup", {"config_str": PAIRWISE})
    reply = peer.aepsych("ask")
    [[a, b]] = reply["config"]["p"]
    assert a != b
    assert peer.aepsych("tell", {"config": reply["config"], "outcome": [1]})["trials_recorded"] == 1
    two = peer.aepsych("ask", {"num_points": 2})["config"]
    assert peer.aepsych("tell", {"config": two, "outcome": [1, 0]}) == {
        "trials_recorded": 2,
        "model_data_added": 2,
    }
    assert rig.session(peer).pending == {}


@pytest.mark.parametrize(
    ("config", "outcome", "n"),
    [
        ({"p": [0.5]}, 1, 1),
        ({"p": 0.5}, 1, 1),
        ({"p": [0.5]}, [0], 1),
        ({"p": [0.5]}, "1", 1),
        ({"p": [0.5]}, {"outcome_1": 1}, 1),
        ({"p": [0.5]}, {"outcome_1": ["0"]}, 1),
        ({"p": [0.1, 0.2, 0.3]}, [1, 0, 1], 3),
        ({"p": [0.1, 0.2]}, {"outcome_1": [1, 0]}, 2),
    ],
)
def test_tell(set_up: Peer, config: Any, outcome: Any, n: int) -> None:
    """Lists per key are several trials; the outcome is a number, text, list or named."""
    reply = set_up.aepsych("tell", {"config": config, "outcome": outcome})
    assert reply == {"trials_recorded": n, "model_data_added": n}


@pytest.mark.parametrize(
    ("config", "outcome"),
    [
        ({"p": [0.5]}, 2),
        ({"p": [0.5]}, "often"),
        ({"p": [0.5]}, "nan"),
        ({"p": [0.5]}, ["1e999"]),
        ({"p": [0.5]}, {"outcome_2": 1}),
        ({"p": [0.5]}, {"outcome_1": 1, "more": 0}),
        ({"p": [0.1, 0.2]}, [1, 0, 1]),
        ({"p": [0.1, 0.2]}, 1),
        ({"p": 0.5}, [1, 0]),
        ({"p": [3]}, 1),
        ({"q": [0.5]}, 1),
        ({}, 1),
        (None, 1),
        ({"p": [0.5]}, None),
    ],
)
def test_a_tell_that_fails(rig: Rig, set_up: Peer, config: Any, outcome: Any) -> None:
    """The error carries the request, and nothing is told."""
    request = {"config": config, "outcome": outcome}
    reply = set_up.aepsych("tell", request)
    assert is_error(reply)
    assert reply["message"] == {"type": "tell", "message": request}
    assert rig.session(set_up).told == 0


@pytest.mark.parametrize("outcome", ["nan", "-inf", ["1e999"], {"outcome_1": "NaN"}])
def test_what_is_no_number_changes_nothing(rig: Rig, set_up: Peer, outcome: Any) -> None:
    """Also where no model is to learn from it: the tell is refused, and on record without a trial."""
    request = {"config": {"p": [0.5]}, "outcome": outcome, "model_data": False}
    assert is_error(set_up.aepsych("tell", request))
    entry = rig.recorded(rig.session(set_up).id)[-1]
    assert (entry.type, entry.ok, entry.change) == ("tell", False, None)
    assert json.loads(entry.request)["message"] == request
    assert rig.session(set_up).told == 0


def test_an_outcome_that_is_missing_goes_on_record_as_none(rig: Rig, set_up: Peer) -> None:
    """Where no model is to learn from it, null and no outcome at all are the same."""
    for told in ({"outcome": None}, {}):
        reply = set_up.aepsych("tell", {"config": {"p": [0.5]}, "model_data": False, **told})
        assert reply == {"trials_recorded": 1, "model_data_added": 0}
        [trial] = rig.change(rig.session(set_up).id)["trials"]
        assert trial["outcome"] is None


def test_tell_of_several_outcomes(rig: Rig) -> None:
    """Names in any order; keys must equal the outcome names."""
    peer = rig.connect()
    peer.aepsych("setup", {"config_str": MIXED})
    config = {"p": [2], "c": ["red"], "k": [3], "f": [9]}
    told = peer.aepsych("tell", {"config": config, "outcome": {"loudness": 2.5, "heard": 1}})
    assert told["trials_recorded"] == 1
    assert is_error(peer.aepsych("tell", {"config": config, "outcome": {"heard": 1}}))
    state = rig.session(peer).strategies[0].state
    assert state.y.array.tolist() == [[1, 2.5]]


@pytest.mark.parametrize(
    "outcome",
    [
        [[1, 2.5], [0, "1.5"]],
        [["1", "2.5"], [0, 1.5]],
        {"loudness": [2.5, "1.5"], "heard": ["1", 0]},
    ],
)
def test_several_outcomes_of_several_trials(rig: Rig, outcome: Any) -> None:
    """A list for each trial, or for each name; numbers as text count in both."""
    peer = rig.connect()
    peer.aepsych("setup", {"config_str": MIXED})
    config = {"p": [2, 3], "c": ["red", "blue"], "k": [3, 4], "f": [9, 9]}
    assert peer.aepsych("tell", {"config": config, "outcome": outcome})["trials_recorded"] == 2
    assert rig.session(peer).strategies[0].state.y.array.tolist() == [[1, 2.5], [0, 1.5]]


def test_a_tell_of_nothing_is_told_what_it_lacks(set_up: Peer) -> None:
    """In this dialect's words: it has no numbers of trials."""
    said = set_up.aepsych("tell", {"model_data": False, "note": "x"})["server_error"]
    assert said.startswith("a tell has a `config`, an `outcome`, or both")


def test_null_is_as_if_it_were_not_there(rig: Rig, set_up: Peer) -> None:
    """As some clients write what they don't set."""
    tell = {"config": {"p": [0.5]}, "outcome": 1, "model_data": None}
    assert set_up.aepsych("tell", tell) == {"trials_recorded": 1, "model_data_added": 1}
    assert set_up.aepsych("ask", {"num_points": None, "fixed_pars": None})["num_points"] == 1
    whole = set_up.aepsych("get_config", {"section": None, "property": None})
    assert "common" in whole


def test_a_tell_without_model_data(set_up: Peer) -> None:
    """It is recorded only; the config may be absent."""
    for message in [
        {"config": {"p": [0.5]}, "outcome": 1, "model_data": False},
        {"outcome": 1, "model_data": False},
    ]:
        assert set_up.aepsych("tell", message) == {"trials_recorded": 1, "model_data_added": 0}


def test_further_keys_of_a_tell_are_trial_metadata(rig: Rig, set_up: Peer) -> None:
    """So is a top-level extra_info, whose responseTime is the response time."""
    info = {"responseTime": 0.75, "participantID": "P1"}
    set_up.aepsych("tell", {"config": {"p": [0.5]}, "outcome": 1, "rt": 0.5, "eye": "left"}, extra_info=info)
    [row] = rig.change(rig.session(set_up).id)["trials"]
    assert row["extra"] == {"rt": 0.5, "eye": "left", "extra_info": info}
    assert row["response_time"] == 0.75


@pytest.mark.parametrize(
    ("extra", "probability"),
    [({}, False), ({"probability_space": True}, True), ({"probability_space": False}, False)],
)
def test_query(rig: Rig, modelled: Peer, extra: Any, probability: bool) -> None:
    """The request's own words, x as lists, y as one number."""
    reply = modelled.aepsych("query", {"query_type": "max", "max_time": 3, **extra})
    assert reply == {
        "query_type": "max",
        "probability_space": probability,
        "constraints": {},
        "x": {"p": [0.5]},
        "y": 0.25,
    }


@pytest.mark.parametrize(
    ("constraints", "seen"),
    [
        ({"p": [0.5]}, {"p": [0.5]}),
        ({"0": [0.2, 0.4]}, {"p": [0.2, 0.4]}),
        ({"0": 0.3}, {"p": 0.3}),
        (None, {}),
        ({}, {}),
    ],
)
def test_query_constraints(new_rig: type[Rig], with_model: str, constraints: Any, seen: Any) -> None:
    """Keyed by name, or by the parameter's index; echoed as they came, null as none."""
    from fechner.server.engine.events import Computed

    asked = []

    def answer(task: Any) -> Any:
        if task.function == "query":
            asked.append(task.arguments[1])
            return Computed(task.task, {"x": {"p": [0.5]}, "y": [0.25]}, 1.0)
        return Computed(task.task, {"stage": 1, "points": [[[0.5]]], "tier": "model"}, 1.0)

    peer = new_rig(compute=answer).connect()
    peer.aepsych("setup", {"config_str": with_model})
    peer.aepsych("ask")
    peer.aepsych("tell", {"config": {"p": [0.5]}, "outcome": 1})
    peer.aepsych("ask")
    message = {
        "query_type": "inverse",
        "x": {},
        "y": [0.75],
        "constraints": constraints,
        "probability_space": True,
    }
    assert peer.aepsych("query", message)["constraints"] == (constraints or {})
    [request] = asked
    assert (request["constraints"], request["y"], request["x"], request["space"]) == (
        seen,
        0.75,
        None,
        "probability",
    )


def test_empty_lists_in_a_query_are_nothing(modelled: Peer) -> None:
    """As MATLAB writes what it hasn't got."""
    message = {"query_type": "max", "x": [], "y": [], "constraints": []}
    reply = modelled.aepsych("query", message)
    assert (reply["x"], reply["y"], reply["constraints"]) == ({"p": [0.5]}, 0.25, {})


def test_query_with_the_mathematics(new_rig: type[Rig], computed_here: Computing, with_model: str) -> None:
    """max, min, prediction and inverse on a real model, y a number."""
    peer = new_rig(compute=computed_here).connect()
    peer.aepsych("setup", {"config_str": with_model})
    told = {"p": [i / 9 for i in range(10)]}
    peer.aepsych("tell", {"config": told, "outcome": [int(i > 4) for i in range(10)]})
    peer.aepsych("finish_strategy")
    for message in [
        {"query_type": "max"},
        {"query_type": "min", "constraints": {"0": [0.25]}},
        {"query_type": "prediction", "probability_space": True, "x": {"p": [0.9]}},
        {"query_type": "inverse", "probability_space": True, "y": 0.5, "constraints": {"p": [0.1, 0.9]}},
    ]:
        reply = peer.aepsych("query", message)
        assert set(reply) == {"query_type", "probability_space", "constraints", "x", "y"}, reply
        assert isinstance(reply["y"], float)
        assert len(reply["x"]["p"]) == 1
    assert peer.aepsych("query", {"query_type": "prediction", "x": {"p": [0.1, 0.9]}})["y"][0] < 0
    assert is_error(peer.aepsych("query", {"query_type": "mode"}))


def test_parameters(rig: Rig, set_up: Peer) -> None:
    """Bounds by name; a categorical parameter's are its first and last index."""
    assert set_up.aepsych("parameters") == {"p": [0, 1]}
    peer = rig.connect()
    peer.aepsych("setup", {"config_str": MIXED})
    assert peer.aepsych("parameters", "") == {"p": [1, 5], "c": [0, 2], "k": [2, 7], "f": [9, 9]}


def test_can_model(rig: Rig, with_model: str) -> None:
    """True when the current stage has a model and there are data."""
    peer = rig.connect()
    peer.aepsych("setup", {"config_str": with_model})
    assert peer.aepsych("can_model") == {"can_model": False}
    peer.aepsych("ask")
    peer.aepsych("tell", {"config": {"p": [0.5]}, "outcome": 1})
    assert peer.aepsych("can_model") == {"can_model": False}
    peer.aepsych("ask")
    assert peer.aepsych("can_model", {}) == {"can_model": True}


def test_info(rig: Rig, modelled: Peer) -> None:
    """Without a message too; counts count setups, the name is the current stage's."""
    assert modelled.aepsych("info") == {
        "db_name": "rig.db",
        "exp_id": rig.session(modelled).id,
        "strat_count": 1,
        "all_strat_names": ["init", "opt"],
        "current_strat_index": 0,
        "current_strat_name": "opt",
        "current_strat_data_pts": 1,
        "current_strat_model": "GPClassificationModel",
        "current_strat_acqf": "MCLevelSetEstimation",
        "current_strat_finished": False,
        "current_strat_can_fit": True,
    }


def test_info_in_a_stage_without_model(rig: Rig, set_up: Peer, space_filling: str) -> None:
    """It says that none is set."""
    set_up.aepsych("setup", {"config_str": space_filling})
    info = set_up.aepsych("info", "")
    assert (info["strat_count"], info["current_strat_index"]) == (2, 1)
    assert (info["current_strat_model"], info["current_strat_acqf"]) == ("model not set", "acqf not set")
    assert info["current_strat_can_fit"] is False


def test_get_config(set_up: Peer) -> None:
    """All sections with common's keys in each, or one property; only one of the two names is an error."""
    whole = set_up.aepsych("get_config", {})
    assert whole["init"]["max_asks"] == "4"
    assert whole["init"]["parnames"] == whole["common"]["parnames"] == "[p]"
    assert all(isinstance(text, str) for section in whole.values() for text in section.values())
    assert set_up.aepsych("get_config", {"section": "init", "property": "max_asks"}) == {
        "init": {"max_asks": "4"}
    }
    assert is_error(set_up.aepsych("get_config", {"section": "init"}))
    assert is_error(set_up.aepsych("get_config", {"property": "max_asks"}))
    assert is_error(set_up.aepsych("get_config", {"section": "init", "property": "nothing"}))


def test_finish_strategy(rig: Rig, with_model: str) -> None:
    """It may come without a message; the next ask is of the next stage."""
    peer = rig.connect()
    peer.aepsych("setup", {"config_str": with_model})
    assert peer.aepsych("finish_strategy") == {"finished_strategy": "init", "finished_strat_idx": 0}
    assert peer.aepsych("info")["current_strat_name"] == "init"
    peer.aepsych("ask")
    assert peer.aepsych("info")["current_strat_name"] == "opt"


def test_resume(set_up: Peer, space_filling: str) -> None:
    """By number, also as text."""
    set_up.aepsych("setup", {"config_str": space_filling})
    assert set_up.aepsych("resume", {"strat_id": "0"}) == {"strat_id": 0}
    assert set_up.aepsych("info")["current_strat_index"] == 0
    assert set_up.aepsych("resume", {"strat_id": 1}) == {"strat_id": 1}
    for wrong in [{"strat_id": 2}, {"strat_id": "x"}, {"strat_id": None}, {"strat_id": -1}, {}]:
        assert is_error(set_up.aepsych("resume", wrong))


def test_exit(rig: Rig, set_up: Peer) -> None:
    """It ends the session only; the server goes on and a setup begins another."""
    assert set_up.aepsych("exit") == {"termination_type": "Terminate", "success": True}
    assert not rig.halted
    assert is_error(set_up.aepsych("ask"))
    assert set_up.aepsych("setup", {"config_str": "[common]"})["server_error"]


def test_an_error_carries_the_request(rig: Rig) -> None:
    """As it came, after a text that a person can read."""
    peer = rig.connect()
    reply = peer.aepsych("dance", {"a": 1}, extra_info=None)
    assert reply["message"] == {"type": "dance", "message": {"a": 1}, "extra_info": None}
    assert "dance" in reply["server_error"]
    assert is_error(peer.aepsych("ask", "now"))
    assert is_error(peer.aepsych("hello"))


@pytest.mark.parametrize("version", ["1", "0.01", 7])
def test_a_version_is_ignored_once_the_dialect_is_decided(set_up: Peer, version: Any) -> None:
    """The connection keeps its dialect."""
    assert set_up.aepsych("ask", version=version)["num_points"] == 1


def test_the_unity_client(rig: Rig, space_filling: str) -> None:
    """Version 0.01 with extra_info is this dialect; every request carries extra_info."""
    peer = rig.connect()
    for type_, message in [
        ("setup", {"config_str": space_filling}),
        ("ask", {"num_points": 1}),
        ("tell", {"config": {"p": [0.123456789]}, "outcome": 1}),
        ("info", {}),
    ]:
        assert "server_error" not in peer.aepsych(type_, message, version="0.01", extra_info=None)


def test_the_setup_metadata_of_older_clients_is_on_record(rig: Rig, space_filling: str) -> None:
    """A top-level metadata in setup."""
    peer = rig.connect()
    peer.aepsych("setup", {"config_str": space_filling}, metadata={"lab": "A"})
    assert rig.change(rig.session(peer).id, 0)["metadata"] == {"lab": "A"}


@pytest.mark.parametrize(
    ("metadata", "kept"), [("lab A", {"metadata": "lab A"}), ([1], {"metadata": [1]}), ("", {}), (None, {})]
)
def test_metadata_that_is_no_object_is_on_record_too(
    rig: Rig, space_filling: str, metadata: Any, kept: Any
) -> None:
    """Under the key that the client sent it under."""
    peer = rig.connect()
    peer.aepsych("setup", {"config_str": space_filling}, metadata=metadata)
    assert rig.change(rig.session(peer).id, 0)["metadata"] == kept


def test_broken_input_before_the_dialect_is_known(rig: Rig) -> None:
    """The error is readable in either dialect; afterwards in this one's form."""
    peer = rig.connect()
    peer.unreadable()
    assert {"server_error", "error"} <= set(peer.last)
    peer = rig.connect()
    peer.aepsych("parameters")
    peer.unreadable()
    assert is_error(peer.last)
    assert json.loads(peer.raw[-1])["message"] is None


@pytest.mark.parametrize(
    ("type_", "message", "place"),
    [
        ("setup", {"config_str": "[common]"}, "message.config_str"),
        ("setup", {"config_dict": {}}, "message.config_dict"),
        ("ask", {"num_points": "many"}, "message.num_points"),
        ("ask", {"fixed_pars": {"q": 1}}, "message.fixed_pars.q"),
        ("ask", {"fixed_pars": [1]}, "message.fixed_pars"),
        ("tell", {"config": {"p": [0.5]}, "outcome": 2}, "message.outcome"),
        ("tell", {"config": {"p": [7]}, "outcome": 1}, "message.config.p"),
        ("tell", {"config": {"p": [0.5, 7]}, "outcome": [0, 1]}, "message.config.p"),
        ("query", {"query_type": "mode"}, "message.query_type"),
        ("query", {"query_type": "threshold"}, "message.query_type"),
        ("query", {"query_type": "inverse", "y": "high"}, "message.y"),
        ("resume", {"strat_id": 7}, "message.strat_id"),
        ("get_config", {"section": "init", "property": "nothing"}, "message.property"),
    ],
)
def test_errors_name_the_place_in_the_client_s_own_words(
    rig: Rig, modelled: Peer, type_: str, message: Any, place: str
) -> None:
    """Not in those of version 1, which it doesn't speak."""
    assert f"(at {place})" in modelled.aepsych(type_, message)["server_error"]


def test_a_query_of_another_kind_is_told_the_kinds(modelled: Peer) -> None:
    """The four of this dialect."""
    said = modelled.aepsych("query", {"query_type": "mode"})["server_error"]
    assert said.startswith("`query_type` is 'max', 'min', 'prediction' or 'inverse'")


def test_a_request_without_type() -> None:
    """It is a fault with its place."""
    request = AEPSYCH_08.parse({"message": {}})
    assert request.fault is not None
    assert (request.fault.code, request.fault.where) == ("bad_request", "type")
    assert isinstance(AEPSYCH_08.parse({"type": "exit"}).message, Exit)
