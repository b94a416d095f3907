"""finish_strategy: the current stage ends."""

from __future__ import annotations

from ...rig import Rig


def test_finish_strategy_ends_the_current_stage(rig: Rig, with_model: str) -> None:
    """The next one begins at the next ask; after the last there is nothing to ask."""
    peer = rig.setup(with_model)
    assert peer.ok("finish_strategy") == {"finished": "init", "strategy": 0}
    assert peer.ok("ask")["stage"] == "opt"
    assert peer.ok("finish_strategy") == {"finished": "opt", "strategy": 0}
    reply = peer.ok("ask")
    assert (reply["trials"], reply["reason"]) == ([], "finish_strategy")
