"""Requests that are sent again, and updates: each has its effect once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..rig import Rig

SESSION = "6f1d2c3b-0000-4000-8000-000000000001"


def told(trial: int, outcome: Any = 1) -> dict[str, Any]:
    return {"trial": trial, "outcome": outcome}


# Ids


def test_the_same_id_gets_the_same_bytes(rig: Rig, with_model: str) -> None:
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


def test_the_same_id_after_a_restart(new_rig: type[Rig], with_model: str) -> None:
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
def test_an_id_with_another_content_is_refused(rig: Rig, type_: str, message: Any) -> None:
    """The id belongs to the first request, whatever its type."""
    peer = rig.setup()
    peer.ok("ask", id="a")
    error = peer.error(type_, message, id="a")
    assert (error["code"], error["where"]) == ("id_reused", "id")
    assert rig.session(peer).counts()["asked"] == 1


def test_contents_are_compared_as_parsed(rig: Rig) -> None:
    """The order of keys and an empty message left out make no difference."""
    peer = rig.setup()
    peer.ok("ask", id="a")
    first = peer.raw[-1]
    peer.send_value({"message": {}, "id": "a", "type": "ask", "version": "1"})
    rig.settle()
    assert peer.raw[-1] == first


def test_a_failed_request_does_not_consume_its_id(rig: Rig) -> None:
    """After a failure the id may carry something else."""
    peer = rig.setup()
    peer.error("tell", told(1), id="x")
    peer.ok("ask", id="x")
    assert peer.error("tell", told(1), id="x")["code"] == "id_reused"


def test_a_duplicate_in_work_waits_for_the_first(rig: Rig, with_model: str) -> None:
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


def test_a_duplicate_of_a_request_whose_commit_fails_is_done(rig: Rig) -> None:
    """The second of two equal requests is a request of its own when the first is not on record."""
    peer = rig.setup()
    peer.send("ask", id="a")
    peer.send("ask", id="a")
    rig.fail_commit()
    rig.settle()
    assert [reply["ok"] for reply in peer.replies[-2:]] == [False, True]


def test_a_query_whose_commit_fails_may_be_sent_again(rig: Rig) -> None:
    """Its reply left without waiting; sent again it is answered anew."""
    peer = rig.setup()
    peer.send("info", id="q")
    rig.fail_commit()
    assert peer.ok("info", id="q")


def test_ids_belong_to_their_session(rig: Rig) -> None:
    """Two sessions use the same id without meeting."""
    one, two = rig.setup(), rig.setup()
    assert one.ok("ask", id="a")["trials"] == two.ok("ask", id="a")["trials"]
    assert one.last["session"] != two.last["session"]


# Update


def test_update_is_two_messages_on_record(rig: Rig) -> None:
    """The tell is recorded under the id, the ask under a companion key that no client can send."""
    peer = rig.setup()
    peer.ok("ask")
    reply = peer.ok("update", {"tell": told(1)}, id="u")
    assert reply["tell"] == {"trials": [1], "modelled": 1, "finished": False}
    assert reply["ask"]["trials"][0]["trial"] == 2
    tell, ask = rig.recorded(peer.last["session"])[-2:]
    assert (tell.type, tell.client_id, ask.type) == ("tell", "u", "ask")
    assert ask.client_id is not None
    assert len(ask.client_id) > 64
    assert json.loads(ask.request) == {"version": "1", "type": "ask", "message": {}}


def test_the_tell_of_an_update_stands_if_its_ask_fails(rig: Rig) -> None:
    """The reply is ok and carries the ask's error, which names its place in the update."""
    peer = rig.setup()
    peer.ok("ask")
    reply = peer.ok("update", {"tell": told(1), "ask": {"fixed": {"q": 1}}}, id="u")
    assert reply["tell"]["trials"] == [1]
    assert reply["ask"]["error"]["code"] == "unknown_parameter"
    assert reply["ask"]["error"]["where"] == "message.ask.fixed.q"
    assert rig.session(peer).told == 1


def test_an_update_whose_tell_fails_asks_nothing(rig: Rig) -> None:
    """It fails as a whole, names the place, and doesn't consume its id."""
    peer = rig.setup()
    error = peer.error("update", {"tell": told(1)}, id="u")
    assert (error["code"], error["where"]) == ("unknown_trial", "message.tell.trial")
    assert rig.session(peer).counts()["asked"] == 0
    peer.ok("ask")
    peer.ok("update", {"tell": told(1)}, id="u")


def test_an_update_whose_ask_is_not_on_record(rig: Rig) -> None:
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


def test_an_update_whose_server_died_between_its_commits(new_rig: type[Rig]) -> None:
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


def test_an_update_with_another_content_is_refused(rig: Rig) -> None:
    """Its id is compared with the whole update, not with its tell alone."""
    peer = rig.setup()
    peer.ok("ask")
    peer.ok("update", {"tell": told(1)}, id="u")
    assert peer.error("update", {"tell": told(1), "ask": {"n": 2}}, id="u")["code"] == "id_reused"
    assert peer.error("tell", told(1), id="u")["code"] == "id_reused"
