"""Input that waits is looked at by turns, and what takes long is done apart."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from fechner.server.shell.transports import turns
from fechner.server.shell.transports.turns import Turns


class Peer:
    """Has so many pieces of work, and notes when it does one."""

    def __init__(self, name: str, pieces: int, log: list[str]) -> None:
        self.name, self.pieces, self.log = name, pieces, log

    def go_on(self) -> bool:
        self.log.append(self.name)
        self.pieces -= 1
        return self.pieces > 0


def test_peers_take_turns() -> None:
    """One piece each, whoever has how many; a peer that is added twice still has one turn."""

    async def main() -> list[str]:
        log: list[str] = []
        shared = Turns()
        greedy, modest = Peer("greedy", 5, log), Peer("modest", 1, log)
        shared.add(greedy)
        shared.add(modest)
        shared.add(greedy)
        while greedy.pieces:
            await asyncio.sleep(0)
        return log

    assert asyncio.run(main()) == ["greedy", "modest", *["greedy"] * 4]


def test_the_loop_does_other_things_between_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much waits, it looks at its sockets after each turn."""
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.0)

    async def main() -> list[str]:
        log: list[str] = []
        shared = Turns()
        peer = Peer("greedy", 3, log)
        shared.add(peer)
        while peer.pieces:
            await asyncio.sleep(0)
            log.append("other")
        return log

    assert asyncio.run(main()) == ["greedy", "other"] * 3


def test_what_takes_long_is_done_in_a_thread_of_its_own() -> None:
    """Its result comes back into the loop's."""

    async def main() -> tuple[str, str]:
        shared = Turns()
        found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        where: list[str] = []

        def then(name: str) -> None:
            where.append(threading.current_thread().name)
            found.set_result(name)

        shared.apart(lambda: threading.current_thread().name, then)
        name = await found
        shared.close()
        return name, where[0]

    name, where = asyncio.run(main())
    assert name.startswith("fechner-parser")
    assert where == threading.current_thread().name


def test_a_sender_has_some_long_requests_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """A participant's never rest; one after the other they take a tenth of the time, with short rests."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    participant, greedy = turns.Account(), turns.Account()
    assert [greedy.charge(0.0019) for _ in range(1000)] == [0.0] * 1000
    for _ in range(100):
        now += 0.5
        assert participant.charge(0.03) == 0.0
    assert greedy.charge(0.05) == 0.0
    assert greedy.charge(0.01) == pytest.approx(0.1)
    assert greedy.charge(10.0) == turns.MOST_REST_SECONDS
    greedy, began, took = turns.Account(), now, 0.0
    for _ in range(1000):
        took += 0.01
        now += 0.01 + greedy.charge(0.01)
    assert took / (now - began) == pytest.approx(0.1, rel=0.01)


def test_what_was_read_apart_counts_however_short_it_took() -> None:
    """Else long messages that are refused early could come without end."""
    account = turns.Account()
    assert not any(account.charge(0.001) for _ in range(1000))
    assert any(account.charge(0.001, apart=True) for _ in range(100))


def test_who_had_a_turn_stands_back_while_the_disk_is_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For a moment: then it goes on. Who comes when nobody waits has a turn at once."""
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.0)

    async def main() -> None:
        looked: list[None] = []

        def busy() -> bool:
            looked.append(None)
            return True

        log: list[str] = []
        shared = Turns(busy=busy)
        peer = Peer("greedy", 2, log)
        shared.add(peer)
        await asyncio.sleep(0)
        assert (log, looked) == (["greedy"], [])
        while peer.pieces:
            await asyncio.sleep(0)
            assert len(looked) <= turns.STAND_BACK_SECONDS / turns.LOOK_SECONDS
        assert looked
        assert log == ["greedy"] * 2
        looked.clear()
        shared.add(Peer("next", 1, log))
        await asyncio.sleep(0)
        assert (log[-1], looked) == ("next", [])

    asyncio.run(main())
