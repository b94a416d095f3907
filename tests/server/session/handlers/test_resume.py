"""resume: trials handed out and not told come back."""

from __future__ import annotations

from ...rig import Rig


def test_resume_gives_back_what_is_pending(rig: Rig) -> None:
    """Trials handed out and not told, of every strategy, with their configs."""
    peer = rig.setup()
    trials = peer.ok("ask", {"n": 3})["trials"]
    peer.ok("tell", {"trial": 2, "outcome": 1})
    reply = peer.ok("resume", {"strategy": 0})
    assert reply == {
        "session": peer.last["session"],
        "strategy": 0,
        "trials": {"asked": 3, "told": 1, "pending": 2, "skipped": 0},
        "pending": [trials[0], trials[2]],
    }
