"""Who may do what where the server asks for a token (docs/reference/wire.md, Security)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from fechner.database.form.message import Entry, Owner
from fechner.server.engine.principals import Tokens

from ..rig import Peer, Rig

ANNA, BERT, EVE, ROOT = ("anna" * 10, "bert" * 10, "eve-" * 10, "root" * 10)
TOKENS = Tokens({ANNA: "experimenter", BERT: "experimenter", EVE: "observer", ROOT: "admin"})


@pytest.fixture
def rig(new_rig: type[Rig]) -> Rig:
    """A server that asks for tokens."""
    return new_rig(tokens=TOKENS)


def enter(rig: Rig, token: str, **more: Any) -> Peer:
    """A peer that has shown its token."""
    peer = rig.connect(**more)
    peer.ok("auth", {"token": token})
    return peer


@pytest.fixture
def annas(rig: Rig) -> tuple[Peer, str]:
    """Anna's connection, and her session with one trial told."""
    peer = enter(rig, ANNA)
    session = peer.ok("setup", {"config": CONFIG, "seed": 1}, id="s")["session"]
    peer.ok("ask", id="a")
    peer.ok("tell", {"trial": 1, "outcome": 1}, id="t")
    return peer, session


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
UNKNOWN = "6f1d2c3b-0000-4000-8000-000000000009"


def test_hello_says_whether_a_token_is_asked_for(rig: Rig, new_rig: type[Rig]) -> None:
    """It is answered before auth."""
    assert rig.connect().ok("hello")["auth"] == "token"
    assert new_rig().connect().ok("hello")["auth"] == "none"


@pytest.mark.parametrize(("token", "role"), [(ANNA, "experimenter"), (EVE, "observer"), (ROOT, "admin")])
def test_a_token_has_a_role(rig: Rig, token: str, role: str) -> None:
    """Said in auth's reply; the same token may be shown again."""
    peer = rig.connect()
    assert peer.ok("auth", {"token": token}) == {"role": role}
    assert peer.ok("auth", {"token": token}) == {"role": role}


def test_without_tokens_every_one_is_welcome(new_rig: type[Rig]) -> None:
    """A client that sends one all the same goes on."""
    assert new_rig().connect().ok("auth", {"token": ANNA}) == {"role": "experimenter"}


@pytest.mark.parametrize("type_", ["ping", "setup", "ask", "info", "resume", "exit", "shutdown", "replay"])
@pytest.mark.parametrize("envelope", [{}, {"id": "x"}])
def test_nothing_else_before_auth(rig: Rig, annas: tuple[Peer, str], type_: str, envelope: Any) -> None:
    """Whatever it is, and whosever session it names, nothing of it is recorded."""
    recorded = len(rig.disk.order)
    messages = {"setup": {"config": CONFIG}, "resume": {"session": annas[1]}, "replay": {"session": annas[1]}}
    error = rig.connect().error(type_, messages.get(type_, {}), session=annas[1], **envelope)
    assert error["code"] == "unauthorized"
    assert "auth" in error["hint"]
    assert len(rig.disk.order) == recorded


def test_a_faulty_request_before_auth_touches_no_session(rig: Rig, annas: tuple[Peer, str]) -> None:
    """It is refused without a look at the session that it names."""
    recorded = len(rig.disk.order)
    peer = rig.connect()
    assert peer.error("ask", {"m": 1}, session=annas[1])["code"] == "unknown_field"
    assert peer.error("auth", {"tokn": ANNA}, session=annas[1])["code"] == "unknown_field"
    assert len(rig.disk.order) == recorded


def test_a_wrong_token_waits_and_the_third_closes(rig: Rig) -> None:
    """A second each, for that connection only; what it sent meanwhile waits behind."""
    peer, other = rig.connect(), enter(rig, ANNA)
    for attempt in range(1, 4):
        peer.send("auth", {"token": "wrong" * 8})
        peer.send("ping", id=f"p{attempt}") if attempt < 3 else None
        rig.settle()
        assert len(peer.raw) == 2 * (attempt - 1)
        assert other.ok("setup", {"config": CONFIG})
        began = rig.seconds
        rig.ring()
        assert rig.seconds == began + 1.0
        refused = peer.replies[2 * (attempt - 1)]
        assert refused["error"]["code"] == "unauthorized"
        assert peer.closed is (attempt == 3)
    assert "wrongwrong" not in json.dumps([log.text for log in rig.logs])


def test_who_leaves_while_a_wrong_token_waits(rig: Rig) -> None:
    """Leaves nothing behind, at once: else those who come and go would use up the server's connections."""
    peer = rig.connect()
    for _ in range(5):
        peer.send("auth", {"token": "x"})
    peer.vanish()
    assert not rig.engine.state.connections
    assert not rig.engine.state.waiting


def test_a_stop_answers_a_wrong_token_that_waits(rig: Rig) -> None:
    """Without waiting for its second."""
    peer = rig.connect()
    peer.send("auth", {"token": "x"})
    rig.stop()
    assert peer.last["error"]["code"] == "shutting_down"
    assert rig.halted


def test_another_persons_token_on_the_same_connection(rig: Rig, annas: tuple[Peer, str]) -> None:
    """Is refused: sessions of two people never meet on one connection."""
    peer, _ = annas
    peer.send("auth", {"token": BERT})
    rig.ring()
    assert peer.last["error"]["code"] == "unauthorized"
    assert "another connection" in peer.last["error"]["hint"]
    assert peer.ok("info")["trials"]["told"] == 1


@pytest.mark.parametrize(
    ("type_", "message", "id_"),
    [
        ("info", {}, None),
        ("ask", {}, None),
        ("ask", {}, "a"),
        ("ask", {"n": -1}, None),
        ("tell", {"trial": 1, "outcome": 1}, "t"),
        ("setup", {"config": CONFIG, "seed": 1}, "s"),
        ("setup", {"config": CONFIG, "seed": 1}, None),
        ("exit", {}, None),
        ("nonsense", {}, None),
    ],
)
@pytest.mark.parametrize("loaded", [True, False])
def test_a_session_answers_its_owner_only(
    rig: Rig, annas: tuple[Peer, str], type_: str, message: Any, id_: str | None, loaded: bool
) -> None:
    """To others it is as unknown as one that never was, whatever they send, and learns nothing of it."""
    peer, session = annas
    if not loaded:
        peer.vanish()
    recorded = len(rig.disk.order)
    envelope = {"session": session} | ({} if id_ is None else {"id": id_})
    error = enter(rig, BERT).error(type_, message, **envelope)
    assert (error["code"], error["detail"]) == ("unknown_session", f"there is no session {session}")
    assert len(rig.disk.order) == recorded


@pytest.mark.parametrize("how", ["session", "last"])
def test_resume_and_replay_are_the_owners_too(rig: Rig, annas: tuple[Peer, str], how: str) -> None:
    """`last` is the caller's own last session."""
    peer, session = annas
    peer.vanish()
    bert = enter(rig, BERT)
    wanted = session if how == "session" else "last"
    assert bert.error("resume", {"session": wanted})["code"] == "unknown_session"
    assert bert.error("resume", {"session": wanted, "observe": True})["code"] == "unknown_session"
    assert enter(rig, ANNA).ok("resume", {"session": wanted})["session"] == session


def test_an_owner_comes_back_after_a_restart(rig: Rig, annas: tuple[Peer, str], new_rig: type[Rig]) -> None:
    """The record knows whose a session is; a server without tokens serves everybody."""
    _, session = annas
    again = new_rig(disk=rig.disk, tokens=TOKENS)
    assert enter(again, BERT).error("info", session=session)["code"] == "unknown_session"
    assert enter(again, ANNA).ok("resume", {"session": session})["trials"]["told"] == 1
    assert new_rig(disk=rig.disk).connect().ok("resume", {"session": session})["trials"]["told"] == 1


def test_an_admin_sees_everybodys_sessions(rig: Rig, annas: tuple[Peer, str]) -> None:
    """And may go on with them once their owner is gone."""
    peer, session = annas
    root = enter(rig, ROOT)
    assert root.ok("resume", {"session": session, "observe": True})["session"] == session
    assert root.ok("info")["trials"]["told"] == 1
    peer.vanish()
    assert root.ok("resume", {"session": "last"})["session"] == session
    assert root.ok("ask")["trials"][0]["trial"] == 2


def test_an_observer_looks_on(rig: Rig, annas: tuple[Peer, str]) -> None:
    """In any session whose id it was told, without taking it from whoever holds it."""
    peer, session = annas
    eve = enter(rig, EVE)
    assert eve.ok("info", session=session)["trials"]["told"] == 1
    assert set(eve.ok("parameters", session=session)) == {"p"}
    assert eve.ok("resume", {"session": session})["session"] == session
    assert eve.ok("ping") == {}
    assert eve.error("resume", {"session": "last"})["code"] == "unknown_session"
    assert peer.ok("ask")["trials"][0]["trial"] == 2


@pytest.mark.parametrize(
    ("type_", "message"),
    [
        ("setup", {"config": CONFIG}),
        ("ask", {}),
        ("tell", {"trial": 1, "outcome": 1}),
        ("skip", {"trial": 1}),
        ("correct", {"trial": 1, "outcome": 0}),
        ("update", {"tell": {"trial": 1, "outcome": 1}}),
        ("finish_strategy", {}),
        ("replay", {"session": UNKNOWN}),
        ("exit", {}),
        ("shutdown", {}),
    ],
)
def test_an_observer_changes_nothing(rig: Rig, annas: tuple[Peer, str], type_: str, message: Any) -> None:
    """Also where it names the session, or none."""
    _, session = annas
    before = rig.disk.changes(session)
    eve = enter(rig, EVE)
    assert eve.error(type_, message, session=session)["code"] == "unauthorized"
    assert eve.error(type_, message)["code"] == "unauthorized"
    assert rig.disk.changes(session) == before


def test_only_an_admin_shuts_the_server_down(rig: Rig, new_rig: type[Rig]) -> None:
    """Which answers first, and commits what is under way."""
    assert enter(rig, ANNA).error("shutdown")["code"] == "unauthorized"
    assert new_rig().connect().error("shutdown")["code"] == "unauthorized"
    root = enter(rig, ROOT)
    assert root.ok("shutdown") == {}
    assert rig.halted
    assert root.closed


def test_a_dialect_without_tokens_sees_sessions_without_owner(rig: Rig, annas: tuple[Peer, str]) -> None:
    """On this machine it is served beside the others, and sees none of theirs."""
    peer = rig.connect()
    assert peer.aepsych("setup", {"config_str": CONFIG}) == {"strat_id": 0}
    assert "config" in peer.aepsych("ask", "")
    session = rig.session(peer).id
    assert enter(rig, ANNA).error("info", session=session)["code"] == "unknown_session"
    assert enter(rig, ROOT).ok("resume", {"session": session, "observe": True})["session"] == session


def test_a_dialect_without_tokens_stays_on_this_machine(new_rig: type[Rig]) -> None:
    """A server that others reach refuses it, with what to do."""
    rig = new_rig(tokens=TOKENS, nameless=False)
    reply = rig.connect().aepsych("setup", {"config_str": CONFIG})
    assert "token" in reply["server_error"]
    assert not rig.disk.order


@pytest.mark.parametrize("dialect", ["native", "aepsych-0.8"])
def test_a_forced_dialect_changes_nothing(new_rig: type[Rig], dialect: str) -> None:
    """Who a connection is doesn't hang on how its dialect was chosen."""
    assert new_rig(dialect="native").connect().ok("ping", id="x") == {}
    rig = new_rig(tokens=TOKENS, dialect=dialect)
    if dialect == "native":
        assert rig.connect().error("ping")["code"] == "unauthorized"
        assert enter(rig, ANNA).ok("ping") == {}
    else:
        assert rig.connect().aepsych("setup", {"config_str": CONFIG}) == {"strat_id": 0}


def test_status_shows_the_senders_own_sessions(rig: Rig, annas: tuple[Peer, str]) -> None:
    """An admin all, an observer none; how many there are is no secret."""
    shown = {}
    for token in (ANNA, BERT, EVE, ROOT):
        status = enter(rig, token).ok("status")
        assert status["n_sessions"] == 1
        shown[token] = len(status["sessions"])
    assert shown == {ANNA: 1, BERT: 0, EVE: 0, ROOT: 1}
    assert rig.connect().error("status")["code"] == "unauthorized"


def test_a_warm_start_finds_the_senders_own_sessions(tmp_path: Any) -> None:
    """Earlier trials of somebody else stay theirs."""
    from fechner.database.record import Record
    from fechner.database.seed_data import find_setups

    with Record.open(tmp_path / "record.db") as record:
        for number, owner in enumerate((None, "anna", "bert")):
            session = f"00000000-0000-4000-8000-00000000000{number}"
            change: Any = {
                **{"type": "setup", "strategy": 0, "name": "pilot", "config": CONFIG, "seed": 1},
                **{"stages": [], "outcomes": [], "parameters": [], "metadata": {}, "environment": {}},
                **({} if owner is None else {"owner": owner}),
            }
            when = datetime(2026, 1, 1, number, tzinfo=UTC)
            entry = Entry(session, None, "1", "setup", "{}", "{}", True, when, 1.0, None, change)
            assert record.append([[entry]]) == [None]
        with record.snapshot() as connection:
            for whose, found in ((None, 3), (Owner(None), 1), (Owner("anna"), 1), (Owner("eve"), 0)):
                assert len(find_setups(connection, {"experiment_name": ["pilot"]}, "", whose)) == found
        assert record.last() == record.last("bert", anybody=False)
        assert record.last("anna", anybody=False) == "00000000-0000-4000-8000-000000000001"
        assert record.last(None, anybody=False) == "00000000-0000-4000-8000-000000000000"
        assert record.last("eve", anybody=False) is None
        assert list(record.check_projections()) == []


def test_tokens_are_never_on_record(rig: Rig, annas: tuple[Peer, str]) -> None:
    """Nor is auth: neither right, wrong nor faulty."""
    peer, _session = annas
    assert peer.error("auth", {"token": 5})["code"] == "bad_value"
    assert peer.ok("auth", {"token": ANNA})
    text = repr(rig.disk.entries)
    assert ANNA not in text
    assert '"auth"' not in text


def test_a_setup_under_the_same_new_id_by_two(rig: Rig) -> None:
    """The first to be recorded has it; the other never gets into it."""
    anna, bert = enter(rig, ANNA), enter(rig, BERT)
    for peer in (anna, bert):
        peer.send("setup", {"config": CONFIG}, session=UNKNOWN, id="same")
    rig.settle()
    assert anna.last["ok"]
    assert bert.last["error"]["code"] == "unknown_session"
    assert bert.error("info", session=UNKNOWN)["code"] == "unknown_session"
