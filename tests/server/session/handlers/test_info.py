"""info, parameters and get_config: what there is."""

from __future__ import annotations

from ...rig import Rig


def test_info(rig: Rig, with_model: str) -> None:
    """The session at a glance, before and after there are data."""
    peer = rig.setup(with_model)
    peer.ok("ask", {"n": 1})
    peer.ok("ask")
    peer.ok("tell", {"trial": 1, "outcome": 1})
    assert peer.ok("info") == {
        "session": peer.last["session"],
        "strategy": 0,
        "strategies": [{"strategy": 0, "name": "", "stages": ["init", "opt"]}],
        "stage": "opt",
        "trials": {"asked": 2, "told": 1, "pending": 1, "skipped": 0},
        "model": "GPClassificationModel",
        "acquisition": "MCLevelSetEstimation",
        "can_model": True,
        "finished": False,
        "reason": None,
        "server": "fechner 0.1.0",
    }


def test_get_config(rig: Rig) -> None:
    """All of it, one section, or one key; what isn't there is named."""
    peer = rig.setup()
    whole = peer.ok("get_config")
    assert whole["init"]["max_asks"] == "4"
    assert peer.ok("get_config", {"section": "init"}) == {"init": whole["init"]}
    assert peer.ok("get_config", {"section": "init", "key": "MAX_ASKS"}) == {"init": {"max_asks": "4"}}
    for message, where in [
        ({"section": "x"}, "message.section"),
        ({"section": "init", "key": "x"}, "message.key"),
        ({"key": "max_asks"}, "message.section"),
    ]:
        error = peer.error("get_config", message)
        assert (error["code"], error["where"]) == ("bad_value", where)
