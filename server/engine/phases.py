"""How far a connection has come: its phases, and which may follow which.

These are all there are, and no two of them hold at once. What each means for requests and replies:

| phase | what the peer sends | its replies | it ends |
|---|---|---|---|
| open | is understood | are sent | |
| ended | nothing: it has said so | are sent | once it has them all |
| deaf | is a stream that broke: nothing counts | are sent | with the reply that says why |
| closing | doesn't count | have been sent | once they have left |
| gone | nothing: it is lost | go nowhere; what it had asked is still done | once that is done |
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Phase(Enum):
    """How far a connection has come."""

    OPEN = "open"
    ENDED = "ended"
    DEAF = "deaf"
    CLOSING = "closing"
    GONE = "gone"

    @property
    def hears(self) -> bool:
        """Whether what the peer sends counts."""
        return self in (Phase.OPEN, Phase.ENDED)


#: The phases that may follow each.
FOLLOWERS: Mapping[Phase, frozenset[Phase]] = {
    Phase.OPEN: frozenset({Phase.ENDED, Phase.DEAF, Phase.CLOSING, Phase.GONE}),
    Phase.ENDED: frozenset({Phase.DEAF, Phase.CLOSING, Phase.GONE}),
    Phase.DEAF: frozenset({Phase.CLOSING, Phase.GONE}),
    Phase.CLOSING: frozenset({Phase.GONE}),
    Phase.GONE: frozenset(),
}


class IllegalPhase(Exception):
    """A fault of the server: a connection was to enter a phase that can't follow its own."""


def check_follows(phase: Phase, after: Phase) -> None:
    """Raise unless a phase may follow another.

    Raises:
        IllegalPhase: it may not; the text names both.
    """
    if phase not in FOLLOWERS[after]:
        raise IllegalPhase(f"a connection that is {after.value} can't be {phase.value}")
