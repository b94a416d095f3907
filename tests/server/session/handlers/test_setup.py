"""setup: a checked configuration begins a strategy; everything wrong with it is told."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.server.session.replay import fold
from fechner.strategies.config import check

from ...rig import Rig


def test_setup_answers_what_was_set_up(rig: Rig, with_model: str) -> None:
    """Session, strategy, parameters, outcomes, stages, seed."""
    peer = rig.connect()
    reply = peer.ok("setup", {"config": with_model, "seed": 5})
    assert reply == {
        "session": peer.last["session"],
        "strategy": 0,
        "parameters": {"p": {"type": "continuous", "lower": 0.0, "upper": 1.0, "scale": "linear"}},
        "outcomes": [{"name": "outcome_1", "type": "binary"}],
        "stages": ["init", "opt"],
        "seed": 5,
    }


def test_setup_lists_every_problem(rig: Rig, space_filling: str) -> None:
    """bad_config carries all of them, each with its place."""
    config = space_filling.replace("upper_bound = 1\n", "").replace("SobolGenerator", "SobbolGenerator")
    error = rig.connect().error("setup", {"config": config})
    assert error["code"] == "bad_config"
    places = {(problem["section"], problem["key"]) for problem in error["problems"]}
    assert places == {("p", "upper_bound"), ("init", "generator")}


def test_setup_warns(rig: Rig, space_filling: str) -> None:
    """Unknown keys are warnings of the reply."""
    peer = rig.connect()
    peer.ok("setup", {"config": space_filling.replace("max_asks", "min_asks") + "max_aks = 4\n"})
    [warning] = peer.last["warnings"]
    assert set(warning) == {"code", "detail"}
    assert "max_aks" in warning["detail"]


def test_setup_without_an_end_is_refused(rig: Rig, space_filling: str) -> None:
    """A native stage says when it ends."""
    error = rig.connect().error("setup", {"config": space_filling.replace("max_asks = 4", "")})
    assert error["code"] == "bad_config"


@pytest.mark.parametrize("message", [{}, {"config": 7}, {"config": None}, {"config": "", "seed": -1}])
def test_setup_of_a_wrong_form(rig: Rig, message: Any) -> None:
    """Each is a bad value with its place."""
    error = rig.connect().error("setup", message)
    assert error["code"] == "bad_value"
    assert error["where"] == ("message.seed" if "seed" in message else "message.config")


def test_a_seed_of_the_configuration_counts(rig: Rig, space_filling: str) -> None:
    """The setup message's seed comes before [common]'s; without either one is drawn and told."""
    seeded = space_filling.replace("[common]", "[common]\nseed = 7")
    assert rig.connect().ok("setup", {"config": seeded})["seed"] == 7
    assert rig.connect().ok("setup", {"config": seeded, "seed": 8})["seed"] == 8
    drawn = [rig.connect().ok("setup", {"config": space_filling})["seed"] for _ in range(2)]
    assert drawn[0] != drawn[1]
    assert all(0 <= seed < 2**53 for seed in drawn)


def test_the_same_seed_gives_the_same_asks(rig: Rig) -> None:
    """In another session."""
    one, two = rig.setup(), rig.setup()
    assert one.ok("ask", {"n": 4}) == two.ok("ask", {"n": 4})


def test_names_and_metadata_are_on_record(rig: Rig, space_filling: str) -> None:
    """The message's come before the configuration's."""
    peer = rig.connect()
    config = space_filling + "[metadata]\nexperiment_name = old\nparticipant_id = P1\nroom = 4\n"
    peer.ok("setup", {"config": config, "name": "new", "metadata": {"room": 5, "light": "dim"}})
    change = rig.change(peer.last["session"], 0)
    assert (change["name"], change["participant"]) == ("new", "P1")
    assert change["metadata"]["room"] == 5
    assert change["metadata"]["light"] == "dim"
    assert peer.ok("info")["strategies"] == [{"strategy": 0, "name": "new", "stages": ["init"]}]


def test_setup_warns_where_there_is_no_gpu(
    rig: Rig, with_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """use_gpu on a machine without one: a warning, and the session goes on."""
    monkeypatch.setattr("fechner.strategies.numerics.device.lacking", lambda: "there is no driver of a GPU")
    config = with_model + "samps = 100000\n[GPClassificationModel]\nuse_gpu = True\n"
    peer = rig.connect()
    peer.ok("setup", {"config": config})
    assert "no_gpu" in [warning["code"] for warning in peer.last["warnings"]]
    peer.ok("setup", {"config": with_model})
    assert "no_gpu" not in [warning["code"] for warning in peer.last["warnings"]]


def test_setups_of_one_session_are_limited(
    rig: Rig, space_filling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one is refused and changes nothing; another session may begin."""
    monkeypatch.setattr("fechner.server.session.handlers.setup.MOST_STRATEGIES", 3)
    peer = rig.connect()
    for number in range(3):
        assert peer.ok("setup", {"config": space_filling})["strategy"] == number
    error = peer.error("setup", {"config": space_filling})
    assert error["code"] == "limit_reached"
    assert error["hint"]
    assert len(peer.ok("info")["strategies"]) == 3
    session = "6f1d2c3b-0000-4000-8000-000000000009"
    assert peer.ok("setup", {"config": space_filling}, session=session)["strategy"] == 0


def test_a_configuration_is_checked_once(
    rig: Rig, space_filling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its setup is on record; who adopts it needs no file of an extension for that."""
    checked = []

    def count(config: Any, **options: Any) -> Any:
        checked.append(config)
        return check(config, **options)

    monkeypatch.setattr("fechner.server.session.handlers.setup.check", count)
    monkeypatch.setattr("fechner.server.session.session.check", count)
    peer = rig.connect()
    peer.send("setup", {"config": space_filling, "seed": 1})
    rig.store()
    assert checked == [space_filling]
    rig.settle()
    assert checked == [space_filling]
    session = rig.session(peer)
    assert session.state.specification == check(space_filling)
    read = fold(session.id, rig.disk.changes(session.id))
    assert checked == [space_filling] * 2
    assert read.state.specification == session.state.specification
