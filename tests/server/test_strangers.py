"""What those who have shown no token can't do to others (wire.md 5)."""

from __future__ import annotations

from typing import Any

import pytest
from fechner.server.limits import Limits
from fechner.server.security import Tokens

ANNA, BERT, EVE = "anna" * 10, "bert" * 10, "eve-" * 10
TOKENS = Tokens({ANNA: "experimenter", BERT: "experimenter", EVE: "observer"})
UNKNOWN = "6f1d2c3b-0000-4000-8000-000000000009"


@pytest.fixture
def rig(new_rig: Any) -> Any:
    """A server that asks for tokens and has three connections."""
    return new_rig(tokens=TOKENS, limits=Limits(connections=3))


def enter(rig: Any, token: str) -> Any:
    """A peer that has shown its token."""
    peer = rig.connect()
    peer.ok("auth", {"token": token})
    return peer


def test_a_stranger_makes_room(rig: Any) -> None:
    """Whoever has waited longest without a token goes where there is no connection left; nobody else."""
    anna, first, second = enter(rig, ANNA), rig.connect(), rig.connect()
    first.send("auth", {"token": "x"})
    bert = enter(rig, BERT)
    assert first.closed
    assert first.last["error"]["code"] == "limit_reached"
    assert not second.closed
    rig.ring()  # its wrong token's second is over
    assert len(first.raw) == 1
    enter(rig, BERT)
    assert second.closed
    late = rig.connect()
    assert late.last["error"]["code"] == "limit_reached"
    assert late.closed
    assert anna.ok("ping") == bert.ok("ping") == {}


def test_without_tokens_nobody_makes_room(new_rig: Any) -> None:
    """The one that comes last is refused."""
    rig = new_rig(limits=Limits(connections=1))
    first, second = rig.connect(), rig.connect()
    assert (first.closed, second.closed) == (False, True)


def test_what_was_sent_behind_a_wrong_token_counts_where_the_next_is_right(rig: Any) -> None:
    """Also where the sender is gone before the second is over."""
    anna = enter(rig, ANNA)
    peer = rig.connect()
    session = anna.ok("setup", {"config": CONFIG, "seed": 1})["session"]
    anna.ok("ask")
    anna.vanish()
    peer.send("auth", {"token": "x"})
    peer.send("auth", {"token": ANNA})
    peer.send("tell", {"trial": 1, "outcome": 1}, session=session)
    peer.vanish()
    rig.settle()
    assert enter(rig, ANNA).ok("info", session=session)["trials"]["told"] == 1
    assert not rig.engine.penalties


CONFIG = """
[common]
parnames = [p]
outcome_types = [binary]
strategy_names = [init]
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[init]
generator = SobolGenerator
max_asks = 4
"""
