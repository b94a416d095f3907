"""The AEPsych 0.1 dialects: bare words and points, and the shapes of MATLAB and early Python clients."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ...rig import Peer, Rig

OLD = """
[common]
lb = [0]
ub = [1]
outcome_type = single_probit
parnames = [p]
strategy_names = [init_strat]
[init_strat]
generator = SobolGenerator
n_trials = 3
"""


class Old:
    """A peer that speaks 0.1."""

    def __init__(self, peer: Peer, version: str | None) -> None:
        self.peer, self.version = peer, version

    def say(self, type_: str, message: Any = None, **more: Any) -> str:
        """The reply's text."""
        value = {"type": type_, **more}
        if self.version is not None:
            value["version"] = self.version
        if message is not None:
            value["message"] = message
        before = len(self.peer.raw)
        self.peer.send_value(value)
        self.peer.rig.settle()
        assert len(self.peer.raw) == before + 1
        return str(self.peer.raw[-1].decode())


@pytest.fixture
def bare(new_rig: type[Rig]) -> Old:
    """An unversioned client, of a server that is told so."""
    return Old(new_rig(dialect="aepsych-0.1").connect(), None)


@pytest.fixture
def versioned(new_rig: type[Rig]) -> Old:
    """A client of version 0.01, recognised."""
    return Old(new_rig().connect(), "0.01")


def test_an_unversioned_session(bare: Old) -> None:
    """The setup answers with the first point; acq, and Terminate, are bare words."""
    first = json.loads(bare.say("setup", {"config_str": OLD}))
    assert list(first) == ["p"]
    assert 0 <= first["p"][0] <= 1
    assert bare.say("tell", {"config": first, "outcome": 1}) == "acq"
    second = json.loads(bare.say("ask", ""))
    assert second["p"] != first["p"]
    third = json.loads(bare.say("update", {"config": second, "outcome": 0}))
    assert list(third) == ["p"]
    assert json.loads(bare.say("parameters")) == {"p": [0.0, 1.0]}
    assert json.loads(bare.say("can_model")) == {"can_model": False}
    assert bare.say("exit") == "Terminate"


def test_what_is_recorded(bare: Old) -> None:
    """A setup that answers with a point is a setup and an ask, an update a tell and an ask."""
    first = json.loads(bare.say("setup", {"config_str": OLD}))
    bare.say("update", {"config": first, "outcome": 0}, extra_info={"participantID": "P1"})
    rig = bare.peer.rig
    recorded = rig.recorded(rig.session(bare.peer).id)
    assert [entry.type for entry in recorded] == ["setup", "ask", "tell", "ask"]
    assert recorded[0].reply == "0"
    assert json.loads(recorded[1].reply) == first
    (told,) = rig.change(rig.session(bare.peer).id, 2)["trials"]
    assert told["asked"]
    assert told["extra"] == {"extra_info": {"participantID": "P1"}}


def test_a_versioned_session(versioned: Old) -> None:
    """Setup and resume answer with a bare number, asks say whether they are the last."""
    assert versioned.say("setup", {"config_str": OLD}, metadata={"lab": "A"}) == "0"
    for _ in range(3):
        asked = json.loads(versioned.say("ask", ""))
        assert asked.keys() == {"config", "is_finished"}
        assert versioned.say("tell", {"config": asked["config"], "outcome": 1}) == "acq"
    assert versioned.say("setup", {"config_str": OLD}) == "1"
    assert versioned.say("resume", {"strat_id": "0"}) == "0"
    assert versioned.say("exit") == "Terminate"


def test_the_last_point_says_so(versioned: Old) -> None:
    """`is_finished` comes with the last point; asks after it go on handing points out."""
    versioned.say("setup", {"config_str": OLD.replace("n_trials = 3", "max_asks = 2")})
    said = [json.loads(versioned.say("ask", ""))["is_finished"] for _ in range(3)]
    assert said == [False, True, True]


def test_a_tell_may_be_a_list(versioned: Old) -> None:
    """Of several trials; all or nothing."""
    versioned.say("setup", {"config_str": OLD})
    trials = [{"config": {"p": [value]}, "outcome": int(value > 0.5)} for value in (0.1, 0.6, 0.9)]
    assert versioned.say("tell", trials) == "acq"
    session = versioned.peer.rig.session(versioned.peer)
    assert session.told == 3
    assert versioned.say("tell", [*trials, {"config": {"p": [7]}, "outcome": 1}]) == "bad request"
    assert versioned.say("tell", [3]) == "bad request"
    assert session.told == 3


def test_pairs(bare: Old) -> None:
    """Two stimuli are lists of two in a point and in a tell."""
    config = OLD.replace("single_probit", "pairwise_probit")
    first = json.loads(bare.say("setup", {"config_str": config}))
    ((one, other),) = first["p"]
    assert one != other
    assert bare.say("tell", {"config": {"p": [one, other]}, "outcome": 1}) == "acq"
    assert bare.say("tell", {"config": {"p": [[0.25, 0.75]]}, "outcome": 0}) == "acq"


@pytest.mark.parametrize(
    ("type_", "message"),
    [
        ("setup", {}),
        ("setup", {"config_str": "no configuration"}),
        ("setup", None),
        ("ask", None),
        ("tell", {"config": {"p": [0.5]}, "outcome": 1}),
        ("fly", None),
        ("info", None),
        ("finish_strategy", None),
        ("query", {"query_type": "max"}),
    ],
)
def test_what_cannot_be_honoured_is_a_bad_request(bare: Old, type_: str, message: Any) -> None:
    """In two words; the connection stays."""
    assert bare.say(type_, message) == "bad request"
    assert json.loads(bare.say("setup", {"config_str": OLD}))["p"]


def test_a_query_is_answered_as_later(versioned: Old) -> None:
    """Its shape never changed."""
    model = OLD.replace("n_trials = 3", "n_trials = 1").replace(
        "[init_strat]\ngen", "[init_strat]\nmodel = GPClassificationModel\ngen"
    )
    assert versioned.say("setup", {"config_str": model}) == "0"
    versioned.say("tell", {"config": {"p": [0.3]}, "outcome": 0})
    assert json.loads(versioned.say("can_model")) == {"can_model": True}
    versioned.say("ask", "")
