"""A commit of which nobody can say whether it came through, and a disk that is nearly full."""

from __future__ import annotations

import pytest

from fechner.server.engine.effects import Commit, Load
from fechner.server.engine.events import CommitFailed, DiskLow, Loaded

from ..rig import Rig

SESSION = "6f1d2c3b-0000-4000-8000-000000000001"


def in_doubt(rig: Rig, on_record: bool) -> None:
    """The oldest commit fails without a word, on record or not."""
    effect = rig.storage.popleft()
    assert isinstance(effect, Commit)
    if on_record:
        rig.disk.commit(effect)
    rig.event(CommitFailed(effect.token, "the connection was lost", unsettled=True))


@pytest.mark.parametrize("on_record", [True, False])
def test_the_session_is_read_back_and_the_request_counts_once(
    rig: Rig, space_filling: str, on_record: bool
) -> None:
    """The sender hears storage_failed; the request sent again finds its reply, or is done now."""
    peer = rig.setup(space_filling)
    config = peer.ok("ask", id="a-1")["trials"][0]["config"]
    peer.send("tell", {"trial": 1, "outcome": 1}, id="t-1")
    in_doubt(rig, on_record)
    assert peer.last["error"]["code"] == "storage_failed"
    assert "counts once" in peer.last["error"]["hint"]
    assert peer.ok("tell", {"trial": 1, "outcome": 1}, id="t-1")["trials"] == [1]
    assert peer.ok("info")["trials"] == {"asked": 1, "told": 1, "pending": 0, "skipped": 0}
    second = peer.ok("ask")["trials"]
    assert [trial["trial"] for trial in second] == [2]
    assert second[0]["config"] != config
    assert [e.type for e in rig.recorded(rig.session(peer).id) if e.type == "tell"] == ["tell"]


@pytest.mark.parametrize("on_record", [True, False])
def test_a_setup_in_doubt_is_sent_again(rig: Rig, space_filling: str, on_record: bool) -> None:
    """It makes one strategy, whichever way it went."""
    peer = rig.connect()
    one = {"config": space_filling, "seed": 1}
    peer.send("setup", one, id="s-1", session=SESSION)
    rig.store()  # there is no such session yet
    in_doubt(rig, on_record)
    assert peer.last["error"]["code"] == "storage_failed"
    assert peer.ok("setup", one, id="s-1", session=SESSION)["strategy"] == 0
    assert len(rig.session(peer).strategies) == 1
    assert peer.ok("ask")["trials"][0]["trial"] == 1


def test_a_record_that_stays_away_is_asked_again(rig: Rig, space_filling: str) -> None:
    """Requests hear storage_failed until the session can be read back; then it is as recorded."""
    peer = rig.setup(space_filling)
    peer.ok("ask")
    peer.send("tell", {"trial": 1, "outcome": 1}, id="t-1")
    in_doubt(rig, on_record=True)
    peer.send("info")
    for _ in range(2):
        load = rig.storage.popleft()
        assert isinstance(load, Load)
        rig.event(Loaded(load.token, None, error="no connection"))
        assert peer.last["error"]["code"] == "storage_failed"
        rig.store_all()
        peer.send("info")
    rig.settle()
    assert peer.last["message"]["trials"]["told"] == 1
    assert peer.ok("tell", {"trial": 1, "outcome": 1}, id="t-1")["trials"] == [1]


def test_little_room_is_told_to_who_sets_up_or_asks(rig: Rig, space_filling: str) -> None:
    """As a warning with their replies, and in the log; until there is room again."""
    rig.event(DiskLow("100 MB are left"))
    assert [log.text for log in rig.logs if log.level == "warning"] == ["100 MB are left"]
    peer = rig.connect()
    low = {"code": "disk_low", "detail": "100 MB are left"}
    assert low in peer.request("setup", {"config": space_filling, "seed": 1})["warnings"]
    assert peer.request("ask")["warnings"] == [low]
    assert "warnings" not in peer.request("tell", {"trial": 1, "outcome": 1})
    rig.event(DiskLow(""))
    assert "warnings" not in peer.request("ask")


def test_an_ask_that_hands_nothing_out_is_on_record_before_it_is_said(rig: Rig, space_filling: str) -> None:
    """Sent again after a crash, it gets the same bytes; what only looks doesn't wait."""
    peer = rig.setup(space_filling)
    peer.ok("ask", {"n": 4})
    peer.ok("tell", {"trials": [{"trial": trial, "outcome": 1} for trial in range(1, 5)]})
    said = len(peer.raw)
    peer.send("ask", id="over")
    assert len(peer.raw) == said
    rig.settle()
    assert peer.last["message"]["trials"] == []
    reply = peer.raw[-1]
    peer.send("ask", id="over")
    rig.settle()
    assert peer.raw[-1] == reply
    peer.send("info")
    assert len(peer.raw) == said + 3
