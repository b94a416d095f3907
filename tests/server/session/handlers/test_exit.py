"""exit: the session ends."""

from __future__ import annotations

from ...rig import Rig


def test_exit_answers_the_counts(rig: Rig) -> None:
    """And needs a session."""
    peer = rig.setup()
    peer.ok("ask")
    assert peer.ok("exit") == {"trials": {"asked": 1, "told": 0, "pending": 1, "skipped": 0}}
    assert rig.connect().error("exit")["code"] == "no_session"
