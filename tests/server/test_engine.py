"""The engine as a state machine: order, ids, what is recorded, what waits, who holds a session."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fechner.server.events import Commit, CommitFailed, HistoryRead, Loaded
from fechner.server.limits import Limits

SESSION = "6f1d2c3b-0000-4000-8000-000000000001"


def told(trial: int, outcome: Any = 1) -> dict[str, Any]:
    return {"trial": trial, "outcome": outcome}


# Envelope


def test_a_reply_carries_the_envelope(rig: Any, space_filling: str) -> None:
    """Version, type, id, session, ok, message and timing, and a line end after it."""
    peer = rig.connect()
    reply = peer.request("setup", {"config": space_filling, "seed": 1}, id="c-1", session=SESSION)
    assert peer.raw[-1].endswith(b"}\n")
    assert list(reply) == ["version", "type", "id", "session", "ok", "message", "timing"]
    assert (reply["version"], reply["type"], reply["id"], reply["session"]) == ("1", "setup", "c-1", SESSION)
    reply = peer.request("ask")
    assert "id" not in reply
    assert reply["timing"] == {"queue_ms": 0, "compute_ms": 0, "tier": "generator", "from": "request"}


def test_datagrams_have_no_line_end(rig: Any) -> None:
    """Where each reply is a message of its own nothing follows it."""
    peer = rig.connect(stream=False)
    peer.ok("hello")
    assert peer.raw[-1].endswith(b"}")


@pytest.mark.parametrize(
    ("request_", "code", "where"),
    [
        ({"version": "1"}, "bad_request", "type"),
        ({"version": "1", "type": 7}, "bad_request", "type"),
        ({"version": "1", "type": "aks"}, "unknown_type", "type"),
        ({"version": "1", "type": "ask", "idd": 1}, "unknown_field", "idd"),
        ({"version": "1", "type": "ask", "id": 1}, "bad_request", "id"),
        ({"version": "1", "type": "ask", "id": "x" * 65}, "bad_request", "id"),
        ({"version": "1", "type": "ask", "session": 1}, "bad_request", "session"),
        ({"version": "1", "type": "ask", "session": "S"}, "bad_value", "session"),
        ({"version": "1", "type": "ask", "message": "now"}, "bad_value", "message"),
        ({"version": "1", "type": "ask", "message": None}, "bad_value", "message"),
        ({"version": "1", "type": "ask", "message": {"m": 1}}, "unknown_field", "message.m"),
        ({"version": "1", "type": "ask", "message": {"n": 0}}, "bad_value", "message.n"),
        ({"version": "1", "type": "ask", "message": {"n": 1.5}}, "bad_value", "message.n"),
        ({"version": "1", "type": "ask", "message": {"n": True}}, "bad_value", "message.n"),
        ({"version": "1", "type": "update", "message": {}}, "bad_value", "message.tell"),
        (
            {"version": "1", "type": "update", "message": {"tell": {"tria": 1}}},
            "unknown_field",
            "message.tell.tria",
        ),
        ({"version": "2", "type": "ask"}, "unknown_version", "version"),
        ({"type": "ask"}, "unknown_version", "version"),
    ],
)
def test_requests_of_a_wrong_form(rig: Any, request_: Any, code: str, where: str) -> None:
    """Each fault has its code and its place, and the connection stays."""
    peer = rig.setup()
    peer.send_value(request_)
    rig.settle()
    assert (peer.last["error"]["code"], peer.last["error"]["where"]) == (code, where)
    assert not peer.closed
    assert peer.ok("ask")["trials"][0]["trial"] == 1


@pytest.mark.parametrize("value", [[], "ask", 7, None, True])
def test_a_value_that_is_no_object(rig: Any, value: Any) -> None:
    """It is a bad request, readable in either dialect before one is known; the connection stays."""
    peer = rig.connect()
    peer.send_value(value)
    assert peer.last["error"]["code"] == "bad_request"
    assert "object" in peer.last["server_error"]
    assert peer.ok("hello")
    peer.send_value(value)
    assert peer.last["error"]["code"] == "bad_request"
    assert "server_error" not in peer.last
    assert not peer.closed


@pytest.mark.parametrize("version", ["2", "0.02", 1, 1.0, "", "v" * 300])
def test_an_unknown_version(rig: Any, version: Any) -> None:
    """It is named, answered in either dialect's form, and doesn't decide the connection's dialect."""
    peer = rig.connect()
    peer.send_value({"version": version, "type": "ask"})
    assert peer.last["error"]["code"] == "unknown_version"
    assert peer.last["server_error"]
    assert peer.ok("hello")


def test_broken_input_closes_a_stream_after_what_came_before(rig: Any, with_model: str) -> None:
    """The replies of earlier requests come first, then the error, once, then the close."""
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", told(1))
    peer.send("ask")
    peer.unreadable()
    peer.unreadable()
    peer.send("ask")
    assert not peer.closed
    rig.settle()
    assert [reply["ok"] for reply in peer.replies[-2:]] == [True, False]
    assert peer.last["error"]["code"] == "bad_json"
    assert len(peer.raw) == 5
    assert peer.closed


def test_broken_input_waits_for_the_replies_of_every_session(rig: Any, with_model: str) -> None:
    """Also of another session of the same connection."""
    peer = rig.setup(with_model, session=SESSION)
    peer.ok("ask")
    peer.ok("tell", told(1))
    peer.ok("setup", {"config": with_model}, session=SESSION.replace("1d2c", "1d2d"))
    peer.send("ask", session=SESSION)
    peer.unreadable()
    rig.store_all()
    assert not peer.closed
    rig.settle()
    assert [reply["type"] for reply in peer.replies[-2:]] == ["ask", None]
    assert peer.closed


def test_broken_input_leaves_a_datagram_peer(rig: Any) -> None:
    """Where messages come apart by themselves the error is all."""
    peer = rig.connect(stream=False)
    peer.unreadable("too_deep")
    assert peer.last["error"]["code"] == "too_deep"
    assert not peer.closed
    assert peer.ok("hello")


def test_a_text_that_is_no_unicode_reaches_the_peer(rig: Any, parse: Any) -> None:
    """An error that quotes half of a surrogate pair is still sent."""
    from fechner.server.errors import FechnerError
    from fechner.server.events import Unreadable

    peer = rig.connect()
    with pytest.raises(FechnerError) as caught:
        parse(r'{"\ud800":1,"\ud800":2}')
    rig.event(Unreadable(peer.number, caught.value))
    assert peer.last["error"]["code"] == "bad_json"


# Order


def test_replies_come_in_request_order(rig: Any, with_model: str) -> None:
    """Requests in one packet are answered in their order, also behind a computation."""
    peer = rig.connect()
    peer.send("setup", {"config": with_model, "seed": 1}, id="1")
    for i in range(2, 5):
        peer.send("ask", id=str(i)) if i % 2 else peer.send(
            "tell", {"config": {"p": 0.1 * i}, "outcome": 1}, id=str(i)
        )
    peer.send("info", id="5")
    assert peer.raw == []
    rig.settle()
    assert [reply["id"] for reply in peer.replies] == ["1", "2", "3", "4", "5"]
    assert all(reply["ok"] for reply in peer.replies)


def test_a_ping_with_an_id_overtakes(rig: Any, with_model: str) -> None:
    """It is answered while the model computes; one without an id waits for its turn."""
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", told(1))
    before = len(peer.raw)
    peer.send("ask", id="a")
    peer.send("ping")
    peer.send("ping", id="p")
    peer.send("hello", id="h")
    rig.store_all()
    assert [reply["id"] for reply in peer.replies[before:]] == ["p"]
    rig.settle()
    kinds = [(reply["type"], reply.get("id")) for reply in peer.replies[before:]]
    assert kinds == [("ping", "p"), ("ask", "a"), ("ping", None), ("hello", "h")]


def test_sessions_do_not_wait_for_each_other(rig: Any, with_model: str) -> None:
    """While one session computes, another one is answered."""
    one, two = rig.setup(with_model), rig.setup()
    one.ok("ask")
    one.ok("tell", told(1))
    one.send("ask")
    rig.store_all()
    assert rig.tasks
    two.send("ask")
    rig.store_all()
    assert two.last["message"]["trials"][0]["trial"] == 1
    assert rig.tasks


def test_the_next_request_starts_after_the_commit(rig: Any) -> None:
    """The second ask of one packet is computed from the state after the first."""
    peer = rig.setup()
    peer.send("ask")
    peer.send("ask")
    assert len(rig.storage) == 1
    rig.store()
    assert peer.last["message"]["trials"][0]["trial"] == 1
    assert len(rig.storage) == 1
    rig.store()
    assert peer.last["message"]["trials"][0]["trial"] == 2


# On record before it is said


@pytest.mark.parametrize(
    ("type_", "message"),
    [
        ("ask", None),
        ("tell", {"config": {"p": 0.5}, "outcome": 1}),
        ("finish_strategy", None),
        ("exit", None),
        ("resume", {"strategy": 0}),
    ],
)
def test_what_changes_a_session_waits_for_its_commit(rig: Any, type_: str, message: Any) -> None:
    """No reply before the commit; after it the reply that is on record, byte for byte."""
    peer = rig.setup()
    before = len(peer.raw)
    peer.send(type_, message)
    assert len(peer.raw) == before
    [commit] = rig.storage
    [entry] = commit.entries
    assert (entry.type, entry.ok, entry.change["type"]) == (type_, True, type_)
    rig.store()
    assert peer.raw[-1] == entry.reply.encode() + b"\n"


@pytest.mark.parametrize("type_", ["info", "parameters", "get_config"])
def test_what_changes_nothing_does_not_wait(rig: Any, type_: str) -> None:
    """It is recorded all the same."""
    peer = rig.setup()
    peer.send(type_)
    assert peer.last["ok"]
    [commit] = rig.storage
    assert commit.token is None
    assert (commit.entries[0].type, commit.entries[0].change) == (type_, None)


def test_failures_are_recorded_and_do_not_wait(rig: Any) -> None:
    """A failed request is on record with ok false and its error."""
    peer = rig.setup()
    peer.send("tell", told(9), id="t")
    assert peer.last["error"]["code"] == "unknown_trial"
    [commit] = rig.storage
    entry = commit.entries[0]
    assert (entry.type, entry.ok, entry.change) == ("tell", False, None)
    assert json.loads(entry.reply)["error"]["code"] == "unknown_trial"


def test_ping_and_hello_are_not_recorded(rig: Any) -> None:
    """They belong to no session."""
    peer = rig.setup()
    peer.ok("ping")
    peer.ok("ping", id="x")
    peer.ok("hello")
    assert len(rig.recorded(peer.replies[0]["session"])) == 1


def test_what_belongs_to_no_session_is_not_recorded(rig: Any) -> None:
    """An ask before any setup fails and leaves nothing."""
    peer = rig.connect()
    assert peer.error("ask")["code"] == "no_session"
    assert peer.error("setup", {"config": "nonsense"})["code"] == "bad_config"
    assert rig.disk.entries == {}
    assert rig.engine.lanes == {}


def test_a_commit_that_fails_changes_nothing(rig: Any) -> None:
    """The reply is storage_failed and the next ask hands out the same trial."""
    peer = rig.setup()
    peer.send("ask", id="a")
    rig.fail_commit()
    assert peer.last["error"]["code"] == "storage_failed"
    assert "disk is full" in peer.last["error"]["detail"]
    assert rig.session(peer).trials == []
    first = peer.ok("ask", id="a")
    assert first["trials"][0]["trial"] == 1


def test_a_setup_whose_commit_fails_leaves_no_session(rig: Any, space_filling: str) -> None:
    """The connection has no session afterwards, and the same setup can be sent again."""
    peer = rig.connect()
    peer.send("setup", {"config": space_filling}, id="s", session=SESSION)
    rig.store()  # there is no such session yet
    rig.fail_commit()
    assert peer.last["error"]["code"] == "storage_failed"
    assert peer.error("ask")["code"] == "no_session"
    assert peer.request("setup", {"config": space_filling}, id="s", session=SESSION)["ok"]


def test_a_resume_whose_commit_fails_changes_nothing(rig: Any) -> None:
    """The connection stays in the session that it had."""
    first = rig.setup(session=SESSION)
    first.ok("exit")
    peer = rig.setup()
    own = peer.last["session"]
    peer.send("resume", {"session": SESSION})
    rig.store()  # the load
    rig.fail_commit()
    assert peer.last["error"]["code"] == "storage_failed"
    assert peer.request("info")["session"] == own


# Ids


def test_the_same_id_gets_the_same_bytes(rig: Any, with_model: str) -> None:
    """Every kind of request sent again gets its recorded reply, timing included, and no second effect."""
    peer = rig.setup(with_model)
    requests = [
        ("ask", {}),
        ("tell", told(1)),
        ("ask", {"n": 2}),
        ("update", {"tell": told(2), "ask": {}}),
        ("query", {"query": "max"}),
        ("info", {}),
        ("finish_strategy", {}),
        ("resume", {"strategy": 0}),
    ]
    for i, (type_, message) in enumerate(requests):
        rig.wait(1.25)
        peer.ok(type_, message, id=f"c-{i}")
        first, recorded = peer.raw[-1], len(rig.recorded(peer.last["session"]))
        peer.ok(type_, message, id=f"c-{i}")
        assert peer.raw[-1] == first
        assert len(rig.recorded(peer.last["session"])) == recorded


def test_the_same_id_after_a_restart(new_rig: Any, with_model: str) -> None:
    """A new server on the same record gives the same bytes to a new connection, without a resume."""
    rig = new_rig()
    peer = rig.setup(with_model, id="s", session=SESSION)
    peer.ok("ask", id="a", session=SESSION)
    peer.ok("update", {"tell": told(1), "ask": {}}, id="u", session=SESSION)
    sent = list(peer.raw)
    again = new_rig(disk=rig.disk, seed=1)
    other = again.connect()
    other.ok("update", {"tell": told(1), "ask": {}}, id="u", session=SESSION)
    other.ok("ask", id="a", session=SESSION)
    other.ok("setup", {"config": with_model, "seed": 1}, id="s", session=SESSION)
    assert other.raw == [sent[2], sent[1], sent[0]]
    assert again.session(other).counts() == {"asked": 2, "told": 1, "pending": 1, "skipped": 0}


@pytest.mark.parametrize(
    ("type_", "message"), [("ask", {"n": 2}), ("tell", {"config": {"p": 0.1}, "outcome": 0}), ("info", {})]
)
def test_an_id_with_another_content_is_refused(rig: Any, type_: str, message: Any) -> None:
    """The id belongs to the first request, whatever its type."""
    peer = rig.setup()
    peer.ok("ask", id="a")
    error = peer.error(type_, message, id="a")
    assert (error["code"], error["where"]) == ("id_reused", "id")
    assert rig.session(peer).counts()["asked"] == 1


def test_contents_are_compared_as_parsed(rig: Any) -> None:
    """The order of keys and an empty message left out make no difference."""
    peer = rig.setup()
    peer.ok("ask", id="a")
    first = peer.raw[-1]
    peer.send_value({"message": {}, "id": "a", "type": "ask", "version": "1"})
    rig.settle()
    assert peer.raw[-1] == first


def test_a_failed_request_does_not_consume_its_id(rig: Any) -> None:
    """After a failure the id may carry something else."""
    peer = rig.setup()
    peer.error("tell", told(1), id="x")
    peer.ok("ask", id="x")
    assert peer.error("tell", told(1), id="x")["code"] == "id_reused"


def test_a_duplicate_in_work_waits_for_the_first(rig: Any, with_model: str) -> None:
    """Sent twice before the first is answered, a request is computed once and answered twice, alike."""
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", told(1))
    peer.send("ask", id="a")
    peer.send("ask", id="a")
    assert len(rig.tasks) == 1
    rig.settle()
    assert peer.raw[-1] == peer.raw[-2]
    assert rig.session(peer).counts()["asked"] == 2


def test_a_duplicate_of_a_request_whose_commit_fails_is_done(rig: Any) -> None:
    """The second of two equal requests is a request of its own when the first is not on record."""
    peer = rig.setup()
    peer.send("ask", id="a")
    peer.send("ask", id="a")
    rig.fail_commit()
    rig.settle()
    assert [reply["ok"] for reply in peer.replies[-2:]] == [False, True]


def test_a_query_whose_commit_fails_may_be_sent_again(rig: Any) -> None:
    """Its reply left without waiting; sent again it is answered anew."""
    peer = rig.setup()
    peer.send("info", id="q")
    rig.fail_commit()
    assert peer.ok("info", id="q")


def test_ids_belong_to_their_session(rig: Any) -> None:
    """Two sessions use the same id without meeting."""
    one, two = rig.setup(), rig.setup()
    assert one.ok("ask", id="a")["trials"] == two.ok("ask", id="a")["trials"]
    assert one.last["session"] != two.last["session"]


# Update


def test_update_is_two_messages_on_record(rig: Any) -> None:
    """The tell is recorded under the id, the ask under a companion key that no client can send."""
    peer = rig.setup()
    peer.ok("ask")
    reply = peer.ok("update", {"tell": told(1)}, id="u")
    assert reply["tell"] == {"trials": [1], "modelled": 1, "finished": False}
    assert reply["ask"]["trials"][0]["trial"] == 2
    tell, ask = rig.recorded(peer.last["session"])[-2:]
    assert (tell.type, tell.client_id, ask.type) == ("tell", "u", "ask")
    assert len(ask.client_id) > 64
    assert json.loads(ask.request) == {"version": "1", "type": "ask", "message": {}}


def test_the_tell_of_an_update_stands_if_its_ask_fails(rig: Any) -> None:
    """The reply is ok and carries the ask's error, which names its place in the update."""
    peer = rig.setup()
    peer.ok("ask")
    reply = peer.ok("update", {"tell": told(1), "ask": {"fixed": {"q": 1}}}, id="u")
    assert reply["tell"]["trials"] == [1]
    assert reply["ask"]["error"]["code"] == "unknown_parameter"
    assert reply["ask"]["error"]["where"] == "message.ask.fixed.q"
    assert rig.session(peer).told == 1


def test_an_update_whose_tell_fails_asks_nothing(rig: Any) -> None:
    """It fails as a whole, names the place, and doesn't consume its id."""
    peer = rig.setup()
    error = peer.error("update", {"tell": told(1)}, id="u")
    assert (error["code"], error["where"]) == ("unknown_trial", "message.tell.trial")
    assert rig.session(peer).counts()["asked"] == 0
    peer.ok("ask")
    peer.ok("update", {"tell": told(1)}, id="u")


def test_an_update_whose_ask_is_not_on_record(rig: Any) -> None:
    """Sent again it repeats its tell from the record and does its ask; then the reply stays the same."""
    peer = rig.setup()
    peer.ok("ask")
    peer.send("update", {"tell": told(1)}, id="u")
    rig.store()
    rig.fail_commit()
    assert peer.last["ok"]
    assert peer.last["message"]["ask"]["error"]["code"] == "storage_failed"
    assert peer.ok("update", {"tell": told(1)}, id="u")["ask"]["trials"][0]["trial"] == 2
    done = peer.raw[-1]
    peer.ok("update", {"tell": told(1)}, id="u")
    assert peer.raw[-1] == done
    assert rig.session(peer).counts() == {"asked": 2, "told": 1, "pending": 1, "skipped": 0}


def test_an_update_whose_server_died_between_its_commits(new_rig: Any) -> None:
    """On a new server the tell isn't done twice and the ask is done."""
    rig = new_rig()
    peer = rig.setup(id="s", session=SESSION)
    peer.ok("ask")
    peer.send("update", {"tell": told(1)}, id="u", session=SESSION)
    rig.store()  # the tell is on record; the ask is not
    again = new_rig(disk=rig.disk)
    other = again.connect()
    reply = other.ok("update", {"tell": told(1)}, id="u", session=SESSION)
    assert reply["ask"]["trials"][0]["trial"] == 2
    assert again.session(other).counts()["told"] == 1


def test_an_update_with_another_content_is_refused(rig: Any) -> None:
    """Its id is compared with the whole update, not with its tell alone."""
    peer = rig.setup()
    peer.ok("ask")
    peer.ok("update", {"tell": told(1)}, id="u")
    assert peer.error("update", {"tell": told(1), "ask": {"n": 2}}, id="u")["code"] == "id_reused"
    assert peer.error("tell", told(1), id="u")["code"] == "id_reused"


# Barriers


def test_setup_ask_and_tell_in_one_packet(rig: Any, space_filling: str) -> None:
    """Requests wait for the setup before them and then go to its session."""
    peer = rig.connect()
    peer.send("setup", {"config": space_filling})
    peer.send("ask")
    peer.send("tell", told(1))
    peer.send("setup", {"config": space_filling})
    peer.send("ask")
    rig.settle()
    assert [reply["ok"] for reply in peer.replies] == [True] * 5
    assert len({reply["session"] for reply in peer.replies}) == 1
    assert peer.replies[3]["message"]["strategy"] == 1
    assert peer.replies[4]["message"]["trials"][0]["trial"] == 2


def test_requests_behind_a_failed_setup(rig: Any) -> None:
    """They are answered as if it had not been sent."""
    peer = rig.connect()
    peer.send("setup", {"config": ""})
    peer.send("ask")
    rig.settle()
    assert [reply["error"]["code"] for reply in peer.replies] == ["bad_config", "no_session"]


def test_requests_behind_an_exit(rig: Any, space_filling: str) -> None:
    """An ask finds the session ended; a setup begins a new one."""
    peer = rig.setup()
    before = peer.last["session"]
    peer.send("exit")
    peer.send("ask")
    peer.send("setup", {"config": space_filling})
    peer.send("ask")
    rig.settle()
    assert [reply["ok"] for reply in peer.replies[-4:]] == [True, False, True, True]
    assert peer.replies[-3]["error"]["code"] == "no_session"
    assert peer.last["session"] != before


# Sessions


def test_setup_with_a_session_of_the_client(rig: Any, space_filling: str) -> None:
    """An unknown UUID makes the session; in another spelling it is the same session."""
    peer = rig.connect()
    peer.ok("setup", {"config": space_filling}, session=SESSION.upper())
    assert peer.last["session"] == SESSION
    assert peer.ok("setup", {"config": space_filling}, session=SESSION)["strategy"] == 1


def test_another_connection_finds_the_session_busy(rig: Any, space_filling: str) -> None:
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


def test_a_resume_takes_over_from_a_silent_connection(rig: Any) -> None:
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


def test_a_connection_that_waits_for_its_reply_is_not_silent(rig: Any, with_model: str) -> None:
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


def test_a_ping_breaks_the_silence(rig: Any) -> None:
    """A connection that says anything is there."""
    holder = rig.setup(session=SESSION)
    other = rig.connect()
    rig.wait(9)
    holder.ok("ping", id="p")
    rig.wait(9)
    assert other.error("resume", {"session": SESSION})["code"] == "session_busy"


def test_a_session_of_a_gone_connection_is_free(rig: Any) -> None:
    """A request that names it takes it; its pending trials come back with a resume."""
    holder = rig.setup(session=SESSION)
    holder.ok("ask")
    holder.vanish()
    assert rig.engine.lanes == {}
    other = rig.connect()
    reply = other.ok("resume", {"session": SESSION})
    assert reply["trials"] == {"asked": 1, "told": 0, "pending": 1, "skipped": 0}
    assert [pending["trial"] for pending in reply["pending"]] == [1]
    assert other.ok("tell", told(1))["trials"] == [1]


def test_a_reconnected_client_goes_on_by_naming_its_session(rig: Any) -> None:
    """Without a resume: the session it names is the connection's own from then on."""
    holder = rig.setup(session=SESSION)
    holder.vanish()
    other = rig.connect()
    assert other.ok("ask", session=SESSION)["trials"][0]["trial"] == 1
    assert other.ok("ask")["trials"][0]["trial"] == 2


def test_naming_another_session_does_not_change_the_current_one(rig: Any) -> None:
    """Only setup and resume do; one connection may hold several sessions."""
    peer = rig.setup(session=SESSION)
    peer.ok("setup", {"config": rig_config(peer)}, session=SESSION.replace("1d2c", "1d2d"))
    second = peer.last["session"]
    assert peer.request("info", session=SESSION)["session"] == SESSION
    assert peer.request("info")["session"] == second


def rig_config(peer: Any) -> dict[str, Any]:
    return {
        "common": {"parnames": ["p"], "outcome_types": ["binary"], "strategy_names": ["init"]},
        "p": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "init": {"generator": "SobolGenerator", "max_asks": 4},
    }


def test_a_failed_resume_changes_nothing(rig: Any) -> None:
    """Neither the connection's session nor who holds the other one."""
    rig.setup(session=SESSION).vanish()
    peer = rig.setup()
    own = peer.last["session"]
    assert peer.error("resume", {"session": SESSION, "strategy": 7})["code"] == "unknown_strategy"
    assert peer.request("info")["session"] == own
    other = rig.connect()
    assert other.ok("resume", {"session": SESSION})


@pytest.mark.parametrize("session", [SESSION, "last"])
def test_an_unknown_session(rig: Any, session: str) -> None:
    """No such session on record: resume says so, and where."""
    peer = rig.connect()
    error = peer.error("resume", {"session": session})
    assert (error["code"], error["where"]) == ("unknown_session", "message.session")
    assert rig.engine.lanes == {}
    assert peer.error("ask", session=SESSION)["code"] == "unknown_session"
    assert peer.error("resume")["code"] == "no_session"
    assert peer.error("resume", {"session": "yesterday"})["code"] == "bad_value"


def test_resume_last_is_the_session_used_last(rig: Any) -> None:
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


def test_resume_last_of_a_session_that_is_held(rig: Any) -> None:
    """It is busy like any other."""
    rig.setup()
    assert rig.connect().error("resume", {"session": "last"})["code"] == "session_busy"


def test_resume_within_a_session_makes_another_strategy_current(rig: Any, space_filling: str) -> None:
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


def test_an_observer_looks_and_changes_nothing(rig: Any, space_filling: str) -> None:
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


def test_an_observer_of_an_ended_session(rig: Any) -> None:
    """Looking doesn't begin it again."""
    holder = rig.setup(session=SESSION)
    holder.ok("exit")
    observer = rig.connect()
    observer.ok("resume", {"session": SESSION, "observe": True})
    assert observer.ok("info")["session"] == SESSION
    assert [e.change["type"] for e in rig.recorded(SESSION) if e.change] == ["setup", "exit"]


def test_a_holder_that_observes_lets_go(rig: Any) -> None:
    """Its session is free for others."""
    holder = rig.setup(session=SESSION)
    holder.ok("resume", {"observe": True})
    assert holder.error("ask")["code"] == "unauthorized"
    other = rig.connect()
    assert other.ok("resume", {"session": SESSION})
    assert holder.ok("info")


# Exit


def test_exit_ends_the_session_and_a_resume_begins_it_again(rig: Any) -> None:
    """The session is detached at once; until resumed it answers nothing."""
    peer = rig.setup(session=SESSION)
    peer.ok("ask")
    assert peer.ok("exit")["trials"] == {"asked": 1, "told": 0, "pending": 1, "skipped": 0}
    assert rig.engine.lanes == {}
    assert peer.error("ask")["code"] == "no_session"
    other = rig.connect()
    assert other.error("ask", session=SESSION)["code"] == "no_session"
    assert other.ok("resume", {"session": SESSION})["pending"][0]["trial"] == 1
    assert other.ok("ask")["trials"][0]["trial"] == 2


def test_a_repeated_exit_gets_its_reply(rig: Any) -> None:
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


def test_setup_after_exit_begins_another_session(rig: Any, space_filling: str) -> None:
    """Unless it names the ended one, which goes on with another strategy."""
    peer = rig.setup(session=SESSION)
    peer.ok("exit")
    assert peer.ok("setup", {"config": space_filling})["strategy"] == 0
    assert peer.last["session"] != SESSION
    peer.ok("exit")
    assert peer.ok("setup", {"config": space_filling}, session=SESSION)["strategy"] == 1
    assert peer.ok("ask")


# Connections that leave


def test_a_half_closed_connection_gets_its_replies(rig: Any, with_model: str) -> None:
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


def test_an_idle_connection_that_ends_is_closed(rig: Any) -> None:
    """At once."""
    peer = rig.connect()
    peer.end()
    assert peer.closed


def test_a_client_that_vanishes_in_a_computation_disturbs_nobody(rig: Any, with_model: str) -> None:
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
    assert rig.engine.connections.keys() == {other.number}
    third = rig.connect()
    assert third.ok("resume", {"session": SESSION})["trials"] == {
        "asked": 2,
        "told": 2,
        "pending": 1,
        "skipped": 0,
    }
    assert third.ok("ask", id="a")["trials"][0]["trial"] == 2


# Limits


def test_a_stream_with_64_requests_waiting_is_not_read(rig: Any, with_model: str) -> None:
    """And is read again when one is answered; nothing is refused."""
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", told(1))
    peer.send("ask")
    for _ in range(62):
        peer.send("info")
    assert not peer.paused
    peer.send("info")
    assert peer.paused
    rig.settle()
    assert not peer.paused
    assert len(peer.raw) == 3 + 64
    assert all(reply["ok"] for reply in peer.replies)


@pytest.mark.parametrize("value", [{"version": "1", "type": "info", "id": "x"}, [], None])
def test_a_datagram_peer_with_64_requests_waiting_is_refused(rig: Any, with_model: str, value: Any) -> None:
    """What is too much gets limit_reached at once, whatever it is."""
    peer = rig.connect(stream=False)
    peer.ok("setup", {"config": with_model})
    peer.ok("ask")
    peer.ok("tell", told(1))
    peer.send("ask")
    for _ in range(63):
        peer.send("info")
    before = len(peer.raw)
    peer.send_value(value) if value is not None else peer.unreadable()
    assert len(peer.raw) == before + 1
    assert peer.last["error"]["code"] == "limit_reached"
    rig.settle()
    assert len(peer.raw) == before + 65


def test_a_connection_too_many_is_refused(new_rig: Any) -> None:
    """It is told why and closed; when one leaves there is room again."""
    rig = new_rig(limits=Limits(connections=2))
    one, two, three = (rig.connect() for _ in range(3))
    assert three.closed
    assert three.last["error"]["code"] == "limit_reached"
    three.vanish()
    one.vanish()
    assert not rig.connect().closed
    assert two.ok("hello")


@pytest.mark.parametrize(
    ("type_", "message"),
    [
        ("ask", {"n": 4}),
        ("tell", {"trials": [{"config": {"p": 0.1 * i}, "outcome": 1} for i in range(4)]}),
    ],
)
def test_trials_per_tell_and_per_ask(new_rig: Any, type_: str, message: Any) -> None:
    """More of them than the limit are refused as a whole."""
    rig = new_rig(limits=Limits(trials_per_tell=3))
    peer = rig.setup()
    assert peer.error(type_, message)["code"] == "limit_reached"
    assert rig.session(peer).trials == []


def test_trials_per_session(new_rig: Any) -> None:
    """A full session hands out and takes no more trials, but pending ones can be told."""
    rig = new_rig(limits=Limits(trials_per_session=2))
    peer = rig.setup()
    peer.ok("ask")
    peer.ok("tell", {"config": {"p": 0.0}, "outcome": 1})
    assert peer.error("ask")["code"] == "limit_reached"
    assert peer.error("tell", {"config": {"p": 0.0}, "outcome": 1})["code"] == "limit_reached"
    assert peer.ok("tell", told(1))


# Stopping


def test_stop_with_nothing_to_do(rig: Any) -> None:
    """Every connection is closed and the engine halts at once."""
    peer = rig.setup()
    rig.stop()
    assert peer.closed
    assert rig.halted


def test_stop_answers_what_waits_and_commits_what_is_on_its_way(rig: Any, with_model: str) -> None:
    """A commit under way is answered as it ends; what computes or waits hears shutting_down."""
    one, two = rig.setup(with_model), rig.setup()
    one.ok("ask")
    one.ok("tell", told(1))
    one.send("ask", id="a")
    one.send("info", id="b")
    two.send("ask", id="c")
    two.send("ask", id="d")
    [task] = rig.tasks
    rig.stop()
    assert rig.abandoned == [task.task]
    assert [reply["error"]["code"] for reply in one.replies[-2:]] == ["shutting_down"] * 2
    assert not rig.halted
    rig.store_all()
    assert [reply["ok"] for reply in two.replies[-2:]] == [True, False]
    assert two.last["error"]["code"] == "shutting_down"
    assert rig.halted
    assert one.closed
    assert two.closed


def test_stop_while_a_commit_fails(rig: Any) -> None:
    """The failure is told, then the engine halts."""
    peer = rig.setup()
    peer.send("ask")
    rig.stop()
    assert not rig.halted
    rig.fail_commit()
    assert peer.last["error"]["code"] == "storage_failed"
    assert rig.halted


def test_a_replay_is_no_session_that_its_sender_is_in(rig: Any) -> None:
    """It leaves nothing behind, and the requests after it mean the session that they meant before."""
    rig.setup(session=SESSION).vanish()
    peer = rig.connect()
    peer.send("replay", {"session": SESSION})
    effect = rig.storage.popleft()
    rig.event(HistoryRead(effect.token, []))
    rig.settle()
    assert peer.last["ok"], peer.last
    assert rig.engine.lanes == {}
    assert peer.error("info")["code"] == "no_session"


def test_what_can_not_be_read_back_is_read_before_the_next_request(rig: Any) -> None:
    """Also one that waited behind a hello, and so came to the session after the reading had failed."""
    peer = rig.setup(session=SESSION)
    for type_ in ("ask", "info", "hello", "ask"):
        peer.send(type_)
    commit = rig.storage.popleft()
    rig.disk.commit(commit)
    rig.event(CommitFailed(commit.token, "nobody can say", unsettled=True))
    load = rig.storage.popleft()
    rig.event(Loaded(load.token, None, error="nobody can read"))
    rig.settle()
    assert [reply["ok"] for reply in peer.replies[-4:]] == [False, False, True, True]
    assert [trial["trial"] for trial in peer.last["message"]["trials"]] == [2]


def test_a_session_that_can_not_be_read_is_not_set_up_anew(rig: Any, space_filling: str) -> None:
    """The setup waits until it is known what is on record."""
    rig.setup(session=SESSION).vanish()
    peer = rig.connect()
    peer.send("info", session=SESSION)
    peer.send("hello")
    peer.send("setup", {"config": space_filling}, session=SESSION)
    load = rig.storage.popleft()
    rig.event(Loaded(load.token, None, error="nobody can read"))
    rig.settle()
    assert peer.last["message"]["strategy"] == 1


def test_stop_while_a_commit_ends_unsettled(rig: Any) -> None:
    """Nothing is read back any more, so whoever waited behind it is answered before the engine halts."""
    peer = rig.setup(session=SESSION)
    peer.send("ask", id="a")
    peer.send("ask", id="b")
    rig.stop()
    late = rig.connect()
    late.send("info", session=SESSION)
    commit = rig.storage.popleft()
    rig.event(CommitFailed(commit.token, "nobody can say", unsettled=True))
    assert [reply["error"]["code"] for reply in peer.replies[-2:]] == ["storage_failed", "shutting_down"]
    assert late.last["error"]["code"] == "shutting_down"
    assert rig.halted
    rig.settle()
    assert len(late.raw) == 1


def test_after_stop_a_session_that_is_not_in_memory_is_not_read(rig: Any) -> None:
    """Its request is refused at once, not left unanswered by the halt."""
    rig.setup(session=SESSION).vanish()
    busy = rig.setup()
    busy.send("ask")
    rig.stop()
    late = rig.connect()
    late.send("info", session=SESSION)
    assert late.last["error"]["code"] == "shutting_down"
    rig.settle()
    assert rig.halted


def test_stop_in_the_middle_of_an_update(rig: Any) -> None:
    """The tell stands and its reply says that the ask was not done."""
    peer = rig.setup()
    peer.ok("ask")
    peer.send("update", {"tell": told(1)}, id="u")
    rig.stop()
    rig.settle()
    assert peer.last["message"]["tell"]["trials"] == [1]
    assert peer.last["message"]["ask"]["error"]["code"] == "shutting_down"
    assert rig.halted


@pytest.mark.parametrize("session", [SESSION, "last"])
def test_stop_while_a_session_is_read_back(rig: Any, session: str) -> None:
    """Who waits for it is answered; what comes from the disk later is ignored."""
    rig.setup(session=SESSION).vanish()
    peer = rig.connect()
    peer.send("resume", {"session": session})
    peer.send("ask")
    rig.stop()
    assert [reply["error"]["code"] for reply in peer.replies] == ["shutting_down"] * 2
    assert rig.halted
    rig.settle()
    assert len(peer.raw) == 2


def test_stop_while_an_id_is_looked_up(rig: Any) -> None:
    """The repeated request hears shutting_down and may be sent to the next server."""
    peer = rig.setup()
    peer.ok("ask", id="a")
    peer.send("ask", id="a")
    rig.stop()
    assert peer.last["error"]["code"] == "shutting_down"
    assert rig.halted
    rig.settle()


def test_after_stop_nothing_is_begun(rig: Any) -> None:
    """Requests that still come are refused."""
    peer = rig.setup()
    peer.send("ask")
    rig.stop()
    other = rig.connect()
    other.send("hello")
    assert other.last["error"]["code"] == "shutting_down"
    rig.settle()
    assert rig.halted


# Faults of the server


def test_a_computation_that_fails_is_an_incident(new_rig: Any, with_model: str) -> None:
    """The client gets an incident id and no traceback; the log explains it; the session goes on."""
    from fechner.server.errors import FechnerError
    from fechner.server.events import ComputeFailed
    from fechner.server.faults import Fault

    def broken(task: Any) -> Any:
        return ComputeFailed(task.task, FechnerError("internal", "x"), Fault("the cause"))

    rig = new_rig(compute=broken)
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", told(1))
    error = peer.error("ask", id="a")
    assert error["code"] == "internal"
    assert "Traceback" not in json.dumps(peer.last)
    incident = error["detail"].split("incident ")[1].rstrip(")")
    assert [log.fault.trace for log in rig.logs if log.incident == incident] == ["the cause"]
    assert rig.session(peer).counts()["pending"] == 0
    assert peer.ok("info")


def test_a_record_that_cannot_be_read(rig: Any) -> None:
    """A resume and a repeated id hear storage_failed; the engine goes on."""
    from fechner.server.events import Find, Found, Load, Loaded

    peer = rig.setup(session=SESSION)
    peer.ok("ask", id="a")
    peer.send("ask", id="a")
    find = rig.storage.popleft()
    assert isinstance(find, Find)
    rig.event(Found(find.token, None, None, error="disk on fire"))
    assert peer.last["error"]["code"] == "storage_failed"
    rig.settle()
    peer.vanish()
    for session in (SESSION, "last"):
        other = rig.connect()
        other.send("resume", {"session": session})
        load = rig.storage.popleft()
        assert isinstance(load, Load)
        rig.event(Loaded(load.token, None, error="disk on fire"))
        assert other.last["error"]["code"] == "storage_failed"
        assert other.ok("resume", {"session": session})
        other.vanish()


# The configuration of the server


def test_a_default_configuration(new_rig: Any, space_filling: str) -> None:
    """A connection whose first session message is no setup gets a session; one that sets up gets its own."""
    rig = new_rig(default_config=space_filling)
    peer = rig.connect()
    peer.ok("hello")
    assert peer.ok("ask")["trials"][0]["trial"] == 1
    assert len(peer.raw) == 2
    assert rig.recorded(peer.last["session"])[0].type == "setup"
    other = rig.connect()
    other.ok("setup", {"config": space_filling.replace("[p]", "[q]")})
    assert list(other.ok("parameters")) == ["q"]
    third = rig.connect()
    assert third.error("ask", session=SESSION)["code"] == "unknown_session"


@pytest.mark.parametrize(
    ("forced", "value", "expected"),
    [
        ("native", {"type": "parameters"}, "unknown_version"),
        ("native", {"version": "1", "type": "parameters"}, "no_session"),
        ("aepsych-0.8", {"version": "1", "type": "parameters"}, None),
    ],
)
def test_a_forced_dialect(new_rig: Any, forced: str, value: Any, expected: str | None) -> None:
    """Every connection speaks it, whatever its first request looks like."""
    peer = new_rig(dialect=forced).connect()
    peer.send_value(value)
    if expected is None:
        assert set(peer.last) == {"server_error", "message"}
    else:
        assert peer.last["error"]["code"] == expected


@pytest.mark.parametrize("broken", [True, False])
def test_a_forced_dialect_is_known_before_the_first_request(new_rig: Any, broken: bool) -> None:
    """Input that is no request gets that dialect's error, not one that is readable in every one."""

    def said(forced: str) -> bytes:
        peer = new_rig(dialect=forced).connect()
        if broken:
            peer.unreadable()
        else:
            peer.send_value([1])
        return bytes(peer.raw[-1])

    assert said("aepsych-0.1") == b"bad request"
    assert set(json.loads(said("aepsych-0.8"))) == {"server_error", "message"}
    assert set(json.loads(said("native"))) == {"version", "type", "ok", "error"}
    assert set(json.loads(said("auto"))) == {"version", "type", "ok", "error", "server_error"}


def test_hello_says_what_there_is(rig: Any) -> None:
    """Server, versions, limits, capabilities, auth; before and after a setup."""
    peer = rig.connect()
    reply = peer.ok("hello")
    assert set(reply) == {"server", "versions", "limits", "capabilities", "auth"}
    assert reply["versions"] == ["1", "0.01", None]
    assert reply["limits"]["waiting_requests"] == 64
    assert reply["auth"] == "none"
    assert "session" not in peer.last


def test_nothing_is_forgotten_or_kept_for_ever(rig: Any) -> None:
    """After everybody has left the engine holds no connection, session, task or token."""
    peers = [rig.setup() for _ in range(3)]
    for peer in peers:
        peer.ok("ask", id="a")
        peer.send("ask", id="a")
        peer.send("ask")
        peer.vanish()
    rig.settle()
    engine = rig.engine
    kept = [engine.connections, engine.lanes, engine.tasks, engine.commits, engine.finds]
    assert not any(kept)
    assert not [effect for effect in rig.storage if isinstance(effect, Commit)]
