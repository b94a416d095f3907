"""Whatever has ended leaves nothing in memory, however much of it there was."""

from __future__ import annotations

import asyncio

import pytest

from fechner.server.engine import lanes, ownership
from fechner.server.engine.effects import Wake
from fechner.server.engine.engine import Engine
from fechner.server.engine.events import Connected
from fechner.server.shell.alarms import Alarms

from ..rig import Peer, Rig

#: Parts of an engine that don't grow with what was ever said.
FIXED = ("counters", "options", "limits", "now", "entropy", "environment", "machine")


def held(engine: Engine) -> dict[str, int]:
    """The sizes of all the engine's collections."""
    return {
        name: len(value)
        for name, value in vars(engine.state).items()
        if name not in FIXED and hasattr(value, "__len__") and not isinstance(value, str)
    }


def begin(rig: Rig, stream: bool, dialect: str, config: str) -> Peer:
    """A peer with a session and a pending trial."""
    peer = rig.connect(stream)
    rig.event(Connected(peer.number, stream, f"10.0.0.1:{4000 + peer.number}"))
    if dialect == "native":
        peer.ok("setup", {"config": config})
        peer.ok("ask", id="a")
        peer.ok("tell", {"trial": 1, "outcome": 1}, id="b")
        peer.ok("ask", id="c")
    else:
        peer.aepsych("setup", {"config_str": config})
        peer.aepsych("ask", {})
    return peer


@pytest.mark.parametrize("dialect", ["native", "aepsych"])
@pytest.mark.parametrize("end", ["vanish", "exit"])
@pytest.mark.parametrize("stream", [True, False], ids=["tcp", "zmq"])
@pytest.mark.parametrize("ahead", [True, False])
def test_sessions_and_connections_that_end_leave_nothing(
    new_rig: type[Rig], with_model: str, dialect: str, end: str, stream: bool, ahead: bool
) -> None:
    """Ended by exit or by vanishing, resumed or not, with and without asks computed ahead."""
    rig = new_rig(eager=ahead, speculate=ahead)
    sizes = []
    for _ in range(20):
        for _ in range(3):
            peer = begin(rig, stream, dialect, with_model)
            if end == "exit":
                peer.ok("exit") if dialect == "native" else peer.aepsych("exit")
            peer.vanish()
            rig.settle()
        rig.wait(700)  # by then nobody takes up what an older client left
        sizes.append(held(rig.engine))
    assert sizes[1] == sizes[-1]
    assert {name: size for name, size in sizes[-1].items() if size} in ({}, {"left_behind": 3})


def test_requests_that_fail_leave_nothing(rig: Rig, space_filling: str) -> None:
    """Unknown sessions, no JSON, wrong versions, no session: nothing is kept of any."""
    before = held(rig.engine)
    for number in range(50):
        peer = rig.connect()
        peer.error("ask", session=f"6f1d2c3b-0000-4000-8000-{number:012d}")
        peer.error("resume", {"session": f"6f1d2c3b-0000-4000-8000-{number:012d}"})
        peer.error("resume", {"session": "last"})
        peer.error("tell", {"trial": 1, "outcome": 1})
        peer.error("setup", {"config": "[common]"})
        peer.unreadable()
        peer.vanish()
        rig.settle()
    assert held(rig.engine) == before


def test_one_session_s_ids_are_kept_up_to_a_number(
    rig: Rig, space_filling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond it each is looked up on record, to the same effect, also after the session was read back."""
    monkeypatch.setattr(lanes, "MOST_IDS", 10)
    peer = rig.setup(space_filling.replace("max_asks = 4", "run_indefinitely = True"))
    session = rig.session(peer).id
    replies = [peer.request("ask", {}, id=f"ask-{number}") for number in range(30)]
    assert len(rig.engine.state.lanes[session].ids) <= 10
    assert [peer.request("ask", {}, id=f"ask-{number}") for number in range(30)] == replies
    assert rig.session(peer).counts()["asked"] == 30
    assert peer.error("info", id="ask-3")["code"] == "id_reused"
    peer.vanish()
    other = rig.connect()
    other.ok("resume", {"session": session})
    assert len(rig.engine.state.lanes[session].ids) <= 10
    assert other.request("ask", {}, id="ask-0") == replies[0]
    other.request("ask", {}, id="ask-30")
    assert rig.session(other).counts()["asked"] == 31


def test_deadlines_that_were_met_are_forgotten() -> None:
    """However far away they were; one that somebody still waits for is not."""

    async def main() -> None:
        rung: list[int] = []
        alarms = Alarms(rung.append)
        for token in range(1, 1000):
            alarms.set(Wake(token, 1e12))
            if token > 1:
                alarms.silence(token)
        alarms.silence(1000)  # its time has come already
        assert list(alarms._timers) == [1]
        timers = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
        assert sum(not timer.cancelled() for timer in timers) == 1
        alarms.silence(1)
        alarms.set(Wake(2, 0.0))
        while not rung:
            await asyncio.sleep(0)
        assert rung == [2]
        assert not alarms._timers

    asyncio.run(main())


@pytest.mark.parametrize("gone", [True, False])
@pytest.mark.parametrize("type_", ["ask", "info", "tell", "hello"])
def test_however_many_requests_are_done_at_once_they_are(
    rig: Rig, space_filling: str, type_: str, gone: bool
) -> None:
    """Thousands that wait behind one: in vain, refused, or answered as soon as it is done."""
    peer = rig.setup(space_filling)
    for first in ("ask", "resume"):
        peer.send(first)
        for _ in range(3_000):
            peer.send(type_)
        if gone and first == "resume":
            peer.vanish()
        rig.settle()
    if not gone:
        assert len(peer.replies) == 6_003
    else:
        assert not rig.engine.state.connections
        assert not rig.engine.state.lanes


def test_a_connection_holds_so_many_sessions_at_a_time(
    rig: Rig, space_filling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest are on record only; each goes on as if it had been held, as soon as it is named."""
    monkeypatch.setattr(ownership, "MOST_HELD", 5)
    peer = rig.connect()
    sessions = [f"6f1d2c3b-0000-4000-8000-{number:012d}" for number in range(20)]
    for session in sessions:
        peer.ok("setup", {"config": space_filling, "seed": 1}, session=session)
        assert len(rig.engine.state.lanes) <= 6
    for trial in (1, 2):
        for session in sessions:
            assert peer.ok("ask", session=session)["trials"][0]["trial"] == trial
            assert len(rig.engine.state.lanes) <= 6
    assert peer.ok("info")["session"] == sessions[-1]
    peer.vanish()
    rig.settle()
    assert not rig.engine.state.lanes
