"""How far a connection has come: what may follow what, and what the engine makes of events in each phase."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from fechner.server.engine.events import Received
from fechner.server.engine.lanes import Connection
from fechner.server.engine.phases import FOLLOWERS, IllegalPhase, Phase


@pytest.mark.parametrize(("before", "after"), list(product(Phase, Phase)))
def test_a_connection_enters_what_may_follow_and_nothing_else(before: Phase, after: Phase) -> None:
    """An error names both phases, and leaves the connection where it was."""
    connection = Connection(1, True, "10.0.0.1:1", 0.0, phase=before)
    if after in FOLLOWERS[before]:
        connection.enter(after)
        assert connection.phase is after
    else:
        with pytest.raises(IllegalPhase, match=f"is {before.value} can't be {after.value}"):
            connection.enter(after)
        assert connection.phase is before


def test_nothing_comes_back() -> None:
    """Each phase has its followers, no phase comes twice, and whatever happens a connection can be lost."""
    assert FOLLOWERS.keys() == set(Phase)
    order = list(Phase)
    for phase, followers in FOLLOWERS.items():
        assert all(order.index(one) > order.index(phase) for one in followers)
        assert phase is Phase.GONE or Phase.GONE in followers


def bring_to(rig: Any, phase: Phase) -> Any:
    """A peer whose connection is in a phase, while its setup is in work."""
    peer = rig.connect()
    if phase is Phase.CLOSING:
        peer.unreadable()
        return peer
    peer.send("setup", {"config": "[common]"}, session="6f1d2c3b-0000-4000-8000-000000000001")
    match phase:
        case Phase.ENDED:
            peer.end()
        case Phase.DEAF:
            peer.unreadable()
        case Phase.GONE:
            peer.vanish()
    return peer


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("event", ["end", "unreadable", "vanish", "receive"])
def test_every_event_in_every_phase(new_rig: Any, phase: Phase, event: str) -> None:
    """None is a fault; what doesn't count in a phase changes nothing; in the end nothing is left."""
    rig = new_rig()
    peer = bring_to(rig, phase)
    connection = rig.engine.state.connections[peer.number]
    assert connection.phase is phase
    replies = len(peer.raw)
    match event:
        case "end":
            peer.end()
            after = Phase.ENDED if phase is Phase.OPEN else phase
        case "unreadable":
            peer.unreadable()
            after = Phase.DEAF if phase in (Phase.OPEN, Phase.ENDED) else phase
        case "vanish":
            peer.vanish()
            after = Phase.GONE
        case "receive":
            rig.event(Received(peer.number, {"version": "1", "type": "ping", "id": "p"}))
            after = phase
            assert (len(peer.raw) == replies + 1) is phase.hears
    assert connection.phase is after
    rig.settle()
    ends = after not in (Phase.OPEN, Phase.GONE) or phase in (Phase.DEAF, Phase.CLOSING)
    assert peer.closed is ends
    peer.vanish()
    rig.settle()
    state = rig.engine.state
    assert not any((state.connections, state.lanes, state.waiting, state.agenda))
