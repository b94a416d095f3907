"""Who holds a session, and how it is left and taken up again."""

from __future__ import annotations

from typing import Any

import pytest

from ..rig import Peer, Rig

SESSION = "6f1d2c3b-0000-4000-8000-000000000001"


def told(trial: int, outcome: Any = 1) -> dict[str, Any]:
    return {"trial": trial, "outcome": outcome}


# Sessions


def test_setup_with_a_session_of_the_client(rig: Rig, space_filling: str) -> None:
    """An unknown UUID makes the session; in another spelling it is the same session."""
    peer = rig.connect()
    peer.ok("setup", {"config": space_filling}, session=SESSION.upper())
    assert peer.last["session"] == SESSION
    assert peer.ok("setup", {"config": space_filling}, session=SESSION)["strategy"] == 1


def test_another_connection_finds_the_session_busy(rig: Rig, space_filling: str) -> None:
    """Who holds a session keeps it; others can't ask, set up, resume or end it."""
    rig.setup(session=SESSION)
    other = rig.connect()
    for type_, message in [
        ("ask", None),
        ("setup", {"config": space_filling}),
        ("exit", None),
        ("info", None),
    ]:
        assert other.error(type_, message, session=SESSION)["code"] == "session_busy"
    assert other.error("resume", {"session": SESSION})["code"] == "session_busy"
    assert other.error("ask")["code"] == "no_session"


def test_a_resume_takes_over_from_a_silent_connection(rig: Rig) -> None:
    """After 10 s of silence, not before, and only by resume; the earlier holder is then the one outside."""
    holder = rig.setup(session=SESSION)
    other = rig.connect()
    rig.wait(9.99)
    assert other.error("resume", {"session": SESSION})["code"] == "session_busy"
    rig.wait(0.01)
    assert other.error("ask", session=SESSION)["code"] == "session_busy"
    assert other.ok("resume", {"session": SESSION})["session"] == SESSION
    assert other.ok("ask")
    assert holder.error("ask", session=SESSION)["code"] == "session_busy"
    assert holder.error("ask")["code"] == "no_session"


def test_a_connection_that_waits_for_its_reply_is_not_silent(rig: Rig, with_model: str) -> None:
    """A long computation gives nobody the right to take its session away."""
    holder = rig.setup(with_model, session=SESSION)
    holder.ok("ask")
    holder.ok("tell", told(1))
    other = rig.connect()
    holder.send("ask")
    rig.store_all()
    rig.wait(20)
    other.send("resume", {"session": SESSION})
    rig.settle()
    assert other.last["error"]["code"] == "session_busy"
    assert holder.ok("info")


def test_a_ping_breaks_the_silence(rig: Rig) -> None:
    """A connection that says anything is there."""
    holder = rig.setup(session=SESSION)
    other = rig.connect()
    rig.wait(9)
    holder.ok("ping", id="p")
    rig.wait(9)
    assert other.error("resume", {"session": SESSION})["code"] == "session_busy"


def test_a_session_of_a_gone_connection_is_free(rig: Rig) -> None:
    """A request that names it takes it; its pending trials come back with a resume."""
    holder = rig.setup(session=SESSION)
    holder.ok("ask")
    holder.vanish()
    assert rig.engine.state.lanes == {}
    other = rig.connect()
    reply = other.ok("resume", {"session": SESSION})
    assert reply["trials"] == {"asked": 1, "told": 0, "pending": 1, "skipped": 0}
    assert [pending["trial"] for pending in reply["pending"]] == [1]
    assert other.ok("tell", told(1))["trials"] == [1]


def test_a_reconnected_client_goes_on_by_naming_its_session(rig: Rig) -> None:
    """Without a resume: the session it names is the connection's own from then on."""
    holder = rig.setup(session=SESSION)
    holder.vanish()
    other = rig.connect()
    assert other.ok("ask", session=SESSION)["trials"][0]["trial"] == 1
    assert other.ok("ask")["trials"][0]["trial"] == 2


def test_naming_another_session_does_not_change_the_current_one(rig: Rig) -> None:
    """Only setup and resume do; one connection may hold several sessions."""
    peer = rig.setup(session=SESSION)
    peer.ok("setup", {"config": rig_config(peer)}, session=SESSION.replace("1d2c", "1d2d"))
    second = peer.last["session"]
    assert peer.request("info", session=SESSION)["session"] == SESSION
    assert peer.request("info")["session"] == second


def rig_config(peer: Peer) -> dict[str, Any]:
    return {
        "common": {"parnames": ["p"], "outcome_types": ["binary"], "strategy_names": ["init"]},
        "p": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "init": {"generator": "SobolGenerator", "max_asks": 4},
    }


def test_a_failed_resume_changes_nothing(rig: Rig) -> None:
    """Neither the connection's session nor who holds the other one."""
    rig.setup(session=SESSION).vanish()
    peer = rig.setup()
    own = peer.last["session"]
    assert peer.error("resume", {"session": SESSION, "strategy": 7})["code"] == "unknown_strategy"
    assert peer.request("info")["session"] == own
    other = rig.connect()
    assert other.ok("resume", {"session": SESSION})


@pytest.mark.parametrize("session", [SESSION, "last"])
def test_an_unknown_session(rig: Rig, session: str) -> None:
    """No such session on record: resume says so, and where."""
    peer = rig.connect()
    error = peer.error("resume", {"session": session})
    assert (error["code"], error["where"]) == ("unknown_session", "message.session")
    assert rig.engine.state.lanes == {}
    assert peer.error("ask", session=SESSION)["code"] == "unknown_session"
    assert peer.error("resume")["code"] == "no_session"
    assert peer.error("resume", {"session": "yesterday"})["code"] == "bad_value"


def test_resume_last_is_the_session_used_last(rig: Rig) -> None:
    """Ended or not; requests behind it in the same packet go to that session."""
    one, two = rig.setup(session=SESSION), rig.setup()
    one.ok("exit")
    two.vanish()
    peer = rig.connect()
    peer.send("resume", {"session": "last"})
    peer.send("ask")
    rig.settle()
    assert [reply["session"] for reply in peer.replies] == [SESSION, SESSION]
    assert peer.replies[0]["message"]["session"] == SESSION


def test_resume_last_of_a_session_that_is_held(rig: Rig) -> None:
    """It is busy like any other."""
    rig.setup()
    assert rig.connect().error("resume", {"session": "last"})["code"] == "session_busy"


def test_resume_within_a_session_makes_another_strategy_current(rig: Rig, space_filling: str) -> None:
    """And a tell goes to its trial's own strategy."""
    peer = rig.setup()
    peer.ok("ask")
    peer.ok("setup", {"config": space_filling.replace("[p]", "[q]")})
    assert peer.ok("ask")["trials"][0] == {"trial": 2, "config": {"q": pytest.approx(0.5, abs=0.5)}}
    assert peer.ok("resume", {"strategy": 0})["strategy"] == 0
    assert list(peer.ok("ask")["trials"][0]["config"]) == ["p"]
    peer.ok("tell", told(2))
    session = rig.session(peer)
    assert [strategy.state.n for strategy in session.strategies] == [0, 1]
    assert peer.error("resume", {"strategy": 2})["code"] == "unknown_strategy"


def test_an_observer_looks_and_changes_nothing(rig: Rig, space_filling: str) -> None:
    """It sees the session while another holds it; whatever would change it is refused."""
    holder = rig.setup(session=SESSION)
    observer = rig.connect()
    assert observer.ok("resume", {"session": SESSION, "observe": True})["pending"] == []
    holder.ok("ask")
    assert observer.ok("info")["trials"]["asked"] == 1
    assert observer.ok("parameters")
    assert observer.ok("get_config")
    for type_, message in [("ask", None), ("tell", told(1)), ("exit", None), ("finish_strategy", None)]:
        assert observer.error(type_, message)["code"] == "unauthorized"
    assert observer.error("setup", {"config": space_filling}, session=SESSION)["code"] == "unauthorized"
    assert holder.ok("tell", told(1))
    assert observer.error("resume", {"session": SESSION})["code"] == "session_busy"
    observer.vanish()
    assert holder.ok("ask")


def test_an_observer_of_an_ended_session(rig: Rig) -> None:
    """Looking doesn't begin it again."""
    holder = rig.setup(session=SESSION)
    holder.ok("exit")
    observer = rig.connect()
    observer.ok("resume", {"session": SESSION, "observe": True})
    assert observer.ok("info")["session"] == SESSION
    assert [e.change["type"] for e in rig.recorded(SESSION) if e.change] == ["setup", "exit"]


def test_a_holder_that_observes_lets_go(rig: Rig) -> None:
    """Its session is free for others."""
    holder = rig.setup(session=SESSION)
    holder.ok("resume", {"observe": True})
    assert holder.error("ask")["code"] == "unauthorized"
    other = rig.connect()
    assert other.ok("resume", {"session": SESSION})
    assert holder.ok("info")


# Exit


def test_exit_ends_the_session_and_a_resume_begins_it_again(rig: Rig) -> None:
    """The session is detached at once; until resumed it answers nothing."""
    peer = rig.setup(session=SESSION)
    peer.ok("ask")
    assert peer.ok("exit")["trials"] == {"asked": 1, "told": 0, "pending": 1, "skipped": 0}
    assert rig.engine.state.lanes == {}
    assert peer.error("ask")["code"] == "no_session"
    other = rig.connect()
    assert other.error("ask", session=SESSION)["code"] == "no_session"
    assert other.ok("resume", {"session": SESSION})["pending"][0]["trial"] == 1
    assert other.ok("ask")["trials"][0]["trial"] == 2


def test_a_repeated_exit_gets_its_reply(rig: Rig) -> None:
    """With its id, on the same connection and on a new one that names the session."""
    peer = rig.setup(session=SESSION)
    peer.ok("exit", id="e")
    first = peer.raw[-1]
    peer.ok("exit", id="e")
    assert peer.raw[-1] == first
    other = rig.connect()
    other.ok("exit", id="e", session=SESSION)
    assert other.raw[-1] == first
    assert peer.error("exit", id="f")["code"] == "no_session"


def test_setup_after_exit_begins_another_session(rig: Rig, space_filling: str) -> None:
    """Unless it names the ended one, which goes on with another strategy."""
    peer = rig.setup(session=SESSION)
    peer.ok("exit")
    assert peer.ok("setup", {"config": space_filling})["strategy"] == 0
    assert peer.last["session"] != SESSION
    peer.ok("exit")
    assert peer.ok("setup", {"config": space_filling}, session=SESSION)["strategy"] == 1
    assert peer.ok("ask")


# Connections that leave


def test_a_half_closed_connection_gets_its_replies(rig: Rig, with_model: str) -> None:
    """What was sent before the end is answered, then the connection is closed."""
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", told(1))
    peer.send("ask")
    peer.send("info")
    peer.end()
    rig.store_all()
    assert not peer.closed
    rig.settle()
    assert [reply["type"] for reply in peer.replies[-2:]] == ["ask", "info"]
    assert peer.closed


def test_an_idle_connection_that_ends_is_closed(rig: Rig) -> None:
    """At once."""
    peer = rig.connect()
    peer.end()
    assert peer.closed


def test_a_client_that_vanishes_in_a_computation_disturbs_nobody(rig: Rig, with_model: str) -> None:
    """Its tells are honoured, nothing is sent to it, others go on, and its session is free afterwards."""
    peer, other = rig.setup(with_model, session=SESSION), rig.setup()
    peer.ok("ask")
    peer.ok("tell", told(1))
    sent = len(peer.raw)
    peer.send("ask", id="a")
    peer.send("tell", {"config": {"p": 0.3}, "outcome": 0})
    peer.send("ask", id="b")
    rig.store_all()
    peer.vanish()
    assert other.ok("ask")
    rig.settle()
    assert len(peer.raw) == sent
    assert rig.engine.state.connections.keys() == {other.number}
    third = rig.connect()
    assert third.ok("resume", {"session": SESSION})["trials"] == {
        "asked": 2,
        "told": 2,
        "pending": 1,
        "skipped": 0,
    }
    assert third.ok("ask", id="a")["trials"][0]["trial"] == 2
