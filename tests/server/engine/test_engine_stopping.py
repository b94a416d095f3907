"""A server that stops: everything is answered, and nothing begun."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.server.engine.effects import Commit, Load, ReadHistory
from fechner.server.engine.events import CommitFailed, HistoryRead, Loaded

from ..rig import Rig

SESSION = "6f1d2c3b-0000-4000-8000-000000000001"


def told(trial: int, outcome: Any = 1) -> dict[str, Any]:
    return {"trial": trial, "outcome": outcome}


def test_stop_with_nothing_to_do(rig: Rig) -> None:
    """Every connection is closed and the engine halts at once."""
    peer = rig.setup()
    rig.stop()
    assert peer.closed
    assert rig.halted


def test_stop_answers_what_waits_and_commits_what_is_on_its_way(rig: Rig, with_model: str) -> None:
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


def test_stop_while_a_commit_fails(rig: Rig) -> None:
    """The failure is told, then the engine halts."""
    peer = rig.setup()
    peer.send("ask")
    rig.stop()
    assert not rig.halted
    rig.fail_commit()
    assert peer.last["error"]["code"] == "storage_failed"
    assert rig.halted


def test_a_replay_is_no_session_that_its_sender_is_in(rig: Rig) -> None:
    """It leaves nothing behind, and the requests after it mean the session that they meant before."""
    rig.setup(session=SESSION).vanish()
    peer = rig.connect()
    peer.send("replay", {"session": SESSION})
    effect = rig.storage.popleft()
    assert isinstance(effect, ReadHistory)
    rig.event(HistoryRead(effect.token, []))
    rig.settle()
    assert peer.last["ok"], peer.last
    assert rig.engine.state.lanes == {}
    assert peer.error("info")["code"] == "no_session"


def test_what_can_not_be_read_back_is_read_before_the_next_request(rig: Rig) -> None:
    """Also one that waited behind a hello, and so came to the session after the reading had failed."""
    peer = rig.setup(session=SESSION)
    for type_ in ("ask", "info", "hello", "ask"):
        peer.send(type_)
    commit = rig.storage.popleft()
    assert isinstance(commit, Commit)
    assert commit.token is not None
    rig.disk.commit(commit)
    rig.event(CommitFailed(commit.token, "nobody can say", unsettled=True))
    load = rig.storage.popleft()
    assert isinstance(load, Load)
    rig.event(Loaded(load.token, None, error="nobody can read"))
    rig.settle()
    assert [reply["ok"] for reply in peer.replies[-4:]] == [False, False, True, True]
    assert [trial["trial"] for trial in peer.last["message"]["trials"]] == [2]


def test_a_session_that_can_not_be_read_is_not_set_up_anew(rig: Rig, space_filling: str) -> None:
    """The setup waits until it is known what is on record."""
    rig.setup(session=SESSION).vanish()
    peer = rig.connect()
    peer.send("info", session=SESSION)
    peer.send("hello")
    peer.send("setup", {"config": space_filling}, session=SESSION)
    load = rig.storage.popleft()
    assert isinstance(load, Load)
    rig.event(Loaded(load.token, None, error="nobody can read"))
    rig.settle()
    assert peer.last["message"]["strategy"] == 1


def test_stop_while_a_commit_ends_unsettled(rig: Rig) -> None:
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


def test_after_stop_a_session_that_is_not_in_memory_is_not_read(rig: Rig) -> None:
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


def test_stop_in_the_middle_of_an_update(rig: Rig) -> None:
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
def test_stop_while_a_session_is_read_back(rig: Rig, session: str) -> None:
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


def test_stop_while_an_id_is_looked_up(rig: Rig) -> None:
    """The repeated request hears shutting_down and may be sent to the next server."""
    peer = rig.setup()
    peer.ok("ask", id="a")
    peer.send("ask", id="a")
    rig.stop()
    assert peer.last["error"]["code"] == "shutting_down"
    assert rig.halted
    rig.settle()


def test_after_stop_nothing_is_begun(rig: Rig) -> None:
    """Requests that still come are refused."""
    peer = rig.setup()
    peer.send("ask")
    rig.stop()
    other = rig.connect()
    other.send("hello")
    assert other.last["error"]["code"] == "shutting_down"
    rig.settle()
    assert rig.halted
