"""ask: the next trials, and how the end is told."""

from __future__ import annotations

from typing import Any

import pytest

from ...rig import Rig


def test_trials_are_numbered_in_the_session(rig: Rig, space_filling: str) -> None:
    """From 1, across asks, tells of points not asked, and strategies."""
    peer = rig.setup()
    assert [trial["trial"] for trial in peer.ok("ask", {"n": 2})["trials"]] == [1, 2]
    peer.ok("tell", {"config": {"p": 0.0}, "outcome": 1})
    peer.ok("setup", {"config": space_filling})
    assert [trial["trial"] for trial in peer.ok("ask")["trials"]] == [4]


def test_the_reply_says_where_the_strategy_is(rig: Rig) -> None:
    """Stage, whether more is needed after these trials, why not, and how many are left."""
    peer = rig.setup()
    reply = peer.ok("ask", {"n": 3})
    del reply["trials"]
    assert reply == {"stage": "init", "finished": False, "reason": None, "remaining": {"trials": 1}}
    reply = peer.ok("ask")
    assert len(reply["trials"]) == 1
    assert (reply["finished"], reply["reason"], reply["remaining"]) == (True, "max_asks 4", {"trials": 0})


def test_after_the_end_there_are_no_trials(rig: Rig) -> None:
    """Unless the ask goes beyond, which is warned of."""
    peer = rig.setup()
    peer.ok("ask", {"n": 4})
    reply = peer.ok("ask")
    assert (reply["trials"], reply["finished"], reply["reason"]) == ([], True, "max_asks 4")
    assert rig.session(peer).counts()["asked"] == 4
    assert len(peer.ok("ask", {"beyond": True})["trials"]) == 1
    assert [warning["code"] for warning in peer.last["warnings"]] == ["finished"]


def test_no_more_points_than_the_stage_has(rig: Rig) -> None:
    """What is left of it comes, with a warning."""
    peer = rig.setup()
    assert len(peer.ok("ask", {"n": 9})["trials"]) == 4
    assert [warning["code"] for warning in peer.last["warnings"]] == ["fewer_points"]


def test_fixed_parameters(rig: Rig, space_filling: str) -> None:
    """Every point has their values; faults have their place."""
    peer = rig.setup(
        space_filling.replace("[p]", "[p, q]", 1) + "[q]\npar_type = categorical\nchoices = [a, b]\n"
    )
    trials = peer.ok("ask", {"n": 3, "fixed": {"q": "b"}})["trials"]
    assert {trial["config"]["q"] for trial in trials} == {"b"}
    assert len({trial["config"]["p"] for trial in trials}) == 3
    cases: list[tuple[dict[str, Any], str]] = [
        ({"r": 1}, "unknown_parameter"),
        ({"p": 2}, "out_of_bounds"),
        ({"q": "c"}, "bad_value"),
    ]
    for fixed, code in cases:
        error = peer.error("ask", {"fixed": fixed})
        assert (error["code"], error["where"]) == (code, f"message.fixed.{next(iter(fixed))}")


def test_the_next_stage_begins_at_the_next_ask(rig: Rig, with_model: str) -> None:
    """A computation answers it, with its tier and time in the reply and the posterior on record."""
    peer = rig.setup(with_model)
    assert peer.ok("ask")["stage"] == "init"
    assert peer.last["timing"]["tier"] == "generator"
    peer.ok("tell", {"trial": 1, "outcome": 1})
    rig.wait(0.5)
    assert peer.ok("ask")["stage"] == "opt"
    assert peer.last["timing"] == {"queue_ms": 0, "compute_ms": 2.5, "tier": "model", "from": "request"}
    entry = rig.recorded(peer.last["session"])[-1]
    change = rig.change(peer.last["session"])
    assert (entry.tier, change["tier"], change["stage"]) == ("model", "model", "opt")
    assert change["post_mean"] == [0.5]
    assert "post_mean" not in change["left"]


def test_a_model_without_data_is_filled_in_for(rig: Rig, with_model: str) -> None:
    """Asked before any tell, a model stage gives a space-filling point and says so."""
    peer = rig.setup(with_model)
    peer.ok("ask")
    assert peer.ok("ask")["stage"] == "opt"
    assert peer.last["timing"]["tier"] == "space_filling"


def test_warnings_of_a_computation_reach_the_client(new_rig: type[Rig], with_model: str) -> None:
    """In the reply's warnings, and on record with it."""
    from fechner.server.engine.events import Computed

    def doubtful(task: Any) -> Any:
        result = {"stage": 1, "points": [[[0.5]]], "tier": "model", "warnings": ["the fit did not converge"]}
        return Computed(task.task, result, 1.0)

    rig = new_rig(compute=doubtful)
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", {"trial": 1, "outcome": 1})
    peer.ok("ask")
    assert peer.last["warnings"] == [{"code": "model", "detail": "the fit did not converge"}]


@pytest.mark.parametrize(
    ("message", "where"), [({"deadline_ms": 0}, "message.deadline_ms"), ({"n": 2**70}, "message.n")]
)
def test_what_an_ask_cannot_have(rig: Rig, message: Any, where: str) -> None:
    """A deadline at once can't be kept; more points than a tell may have are refused."""
    error = rig.setup().error("ask", message)
    assert error["code"] in ("bad_value", "limit_reached")
    assert error["where"] == where


def test_the_first_ask_warns_of_a_gpu_that_does_not_work(
    new_rig: type[Rig], with_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where setup could not know it; later asks say nothing, and each has on record what computed."""
    from fechner.server.engine.events import Computed

    monkeypatch.setattr("fechner.strategies.numerics.device.lacking", lambda: None)

    def on_processor(task: Any) -> Any:
        fitted = {"hyperparameters": {"model": "GPClassificationModel"}, "fit_version": 1}
        result = {"stage": 1, "points": [[[0.5]]], "tier": "model", "device": "processor", **fitted}
        return Computed(task.task, result, 1.0)

    rig = new_rig(compute=on_processor)
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", {"trial": 1, "outcome": 1})
    peer.ok("ask")
    assert [warning["code"] for warning in peer.last["warnings"]] == ["no_gpu"]
    peer.ok("ask")
    assert "warnings" not in peer.last
    assert rig.change(peer.last["session"])["left"]["device"] == "processor"
