"""What those who have shown no token can't do to others (docs/reference/wire.md, Security)."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.database.form.message import Owner
from fechner.server.engine.effects import Load
from fechner.server.engine.events import Loaded
from fechner.server.engine.principals import Tokens
from fechner.server.protocol.limits import Limits

from ..rig import Peer, Rig

ANNA, BERT, EVE = "anna" * 10, "bert" * 10, "eve-" * 10
TOKENS = Tokens({ANNA: "experimenter", BERT: "experimenter", EVE: "observer"})
UNKNOWN = "6f1d2c3b-0000-4000-8000-000000000009"


@pytest.fixture
def rig(new_rig: type[Rig]) -> Rig:
    """A server that asks for tokens and has three connections."""
    return new_rig(tokens=TOKENS, limits=Limits(connections=3))


def enter(rig: Rig, token: str) -> Peer:
    """A peer that has shown its token."""
    peer = rig.connect()
    peer.ok("auth", {"token": token})
    return peer


def test_a_stranger_makes_room(rig: Rig) -> None:
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


def test_without_tokens_nobody_makes_room(new_rig: type[Rig]) -> None:
    """The one that comes last is refused."""
    rig = new_rig(limits=Limits(connections=1))
    first, second = rig.connect(), rig.connect()
    assert (first.closed, second.closed) == (False, True)


def test_what_was_sent_behind_a_wrong_token_counts_where_the_next_is_right(rig: Rig) -> None:
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
    assert not rig.engine.state.waiting


def test_an_observers_ids_take_none_from_the_owner(new_rig: type[Rig]) -> None:
    """Whatever an observer calls its requests, the owner's have their own ids, before and after."""
    rig = new_rig(tokens=TOKENS)
    anna, eve = enter(rig, ANNA), enter(rig, EVE)
    session = anna.ok("setup", {"config": CONFIG, "seed": 1}, id="s")["session"]
    assert eve.ok("resume", {"session": session}, id="a")["session"] == session
    assert eve.ok("info", session=session, id="s")["trials"]["asked"] == 0
    assert eve.ok("info", session=session, id="t")["trials"]["asked"] == 0
    trial = anna.ok("ask", id="a")["trials"][0]["trial"]
    anna.ok("tell", {"trial": trial, "outcome": 1}, id="t")
    assert eve.ok("info", session=session, id="t")["trials"]["told"] == 1
    told = {"trial": trial, "outcome": 1}
    assert eve.error("tell", told, session=session, id="t")["code"] == "unauthorized"
    assert anna.ok("tell", told, id="t")


@pytest.mark.parametrize(
    ("type_", "message"),
    [
        ("ask", {"n": -1}),
        ("ask", {"unknown": 1}),
        ("nonsense", {}),
        ("tell", {"trials": [{}] * 10_001}),
        ("resume", {"strategy": "x"}),
        ("exit", {}),
        ("info", {}),
        ("update", {"tell": {}}),
    ],
)
@pytest.mark.parametrize("held", [True, False])
def test_nobody_learns_whether_there_is_a_session(
    new_rig: type[Rig], type_: str, message: Any, held: bool
) -> None:
    """Requests that are wrong in themselves get the same answer in somebody else's session as in none."""
    rig = new_rig(tokens=TOKENS)
    anna, bert = enter(rig, ANNA), enter(rig, BERT)
    session = anna.ok("setup", {"config": CONFIG, "seed": 1})["session"]
    if not held:
        anna.vanish()
    found = [bert.request(type_, message, session=one) for one in (session, UNKNOWN)]
    assert repr(found[0]).replace(session, "ID") == repr(found[1]).replace(UNKNOWN, "ID")


def test_a_session_that_cant_be_read_is_its_owners_trouble(
    new_rig: type[Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They hear what is wrong with it; others that there is none."""
    rig = new_rig(tokens=TOKENS)
    anna = enter(rig, ANNA)
    session = anna.ok("setup", {"config": CONFIG, "seed": 1})["session"]
    anna.vanish()

    def load(effect: Load) -> Loaded:
        return Loaded(effect.token, None, error="broken", whose=Owner(owner(ANNA)))

    monkeypatch.setattr(rig.disk, "load", load)
    for type_, message in (("info", {}), ("ask", {"n": -1}), ("resume", {"session": session})):
        assert enter(rig, BERT).error(type_, message, session=session)["code"] == "unknown_session"
        assert enter(rig, ANNA).error(type_, message, session=session)["code"] == "storage_failed"


def owner(token: str) -> str | None:
    """What the record calls whoever has a token."""
    principal = TOKENS.principal(token)
    return None if principal is None else principal.owner


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
