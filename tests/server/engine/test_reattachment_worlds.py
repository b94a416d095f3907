"""Many participants, of all kinds of clients, lose connections at random: no session hears of two of them.

What nobody could tell apart is left out: nobody comes again later than ten minutes after a loss, or sooner
than ten seconds after one that the server hasn't heard of.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from fechner.server.engine.events import Connected

from ..rig import Peer, Rig

HOSTS = ("10.0.0.1",) * 7 + ("10.0.0.2",)
DIALECTS = ("0.8", "0.8", "unity", "0.1")
WORLDS = 60


class World:
    """A rig, its participants, and the losses that the server will hear of later."""

    def __init__(self, rig: Rig, draw: random.Random, config: str) -> None:
        self.rig, self.draw, self.config = rig, draw, config
        self.people: list[Participant] = []
        self.unheard: list[tuple[float, Any]] = []
        self.heard_by: dict[str, set[int]] = {}

    def step(self) -> None:
        """One thing happens."""
        if len(self.people) < 3 and self.draw.random() < 0.3:
            self.people.append(Participant(self, len(self.people)))
        present = [one for one in self.people if one.present()]
        if self.draw.random() < 0.13:
            self.wait(self.draw.choice([1, 12, 60, 400]))
        elif present:
            self.draw.choice(present).act()

    def wait(self, seconds: float) -> None:
        """Time passes; the server hears of some losses."""
        self.rig.wait(seconds)
        due = [loss for loss in self.unheard if loss[0] <= self.rig.seconds]
        self.unheard = [loss for loss in self.unheard if loss not in due]
        for _, peer in due:
            peer.vanish()

    def note(self, number: int, before: dict[str, int]) -> None:
        """Which sessions a participant's message has reached."""
        for session, entries in self.rig.disk.entries.items():
            if any(entry.ok for entry in entries[before.get(session, 0) :]):
                self.heard_by.setdefault(session, set()).add(number)
                assert len(self.heard_by[session]) == 1, f"{self.heard_by[session]} met in {session}"


class Participant:
    """A program that sets up, asks and tells, and connects anew when its connection is lost."""

    def __init__(self, world: World, number: int) -> None:
        draw = world.draw
        self.world, self.number = world, number
        self.host, self.dialect = draw.choice(HOSTS), draw.choice(DIALECTS)
        self.stream, self.named = draw.random() < 0.9, draw.random() < 0.5
        self.anew_each_time = draw.random() < 0.2
        self.peer: Peer | None = None
        self.begun = self.gone = False
        self.lost_at: float | None = None

    def present(self) -> bool:
        """Whether it still comes again."""
        self.gone |= self.lost_at is not None and self.world.rig.seconds - self.lost_at > 590
        return not self.gone

    def act(self) -> None:
        """Do what comes next."""
        chance = self.world.draw.random()
        if not self.begun:
            self.begun = True
            fails = chance < 0.1
            self.say("setup", {"config_str": "nonsense" if fails else self.world.config})
            self.gone = fails and chance < 0.03  # others go on as if nothing were
        elif chance < 0.4:
            self.say("ask", {})
        elif chance < 0.8:
            self.say("tell", {"config": {"p": [self.world.draw.random()]}, "outcome": 1})
        elif chance < 0.92:
            if self.peer is not None:
                self.lose()
        else:
            if chance < 0.96:
                self.say("exit", {})
            self.gone = True

    def say(self, type_: str, message: Any) -> None:
        """Send a request, and perhaps lose the connection before it is answered."""
        rig = self.world.rig
        if self.peer is None:
            self.peer = rig.connect(self.stream)
            rig.event(Connected(self.peer.number, self.stream, f"{self.host}:{4000 + self.peer.number}"))
        extra = {"participantID": f"P {self.number}"} if self.named else None
        more: dict[str, dict[str, Any]] = {
            "unity": {"version": "0.01", "extra_info": extra},
            "0.1": {"version": "0.01"},
            "0.8": {},
        }
        before = {session: len(entries) for session, entries in rig.disk.entries.items()}
        peer = self.peer
        peer.send_value({"type": type_, "message": message, **more[self.dialect]})
        if self.world.draw.random() < 0.1:
            self.lose()
        rig.settle()
        self.world.note(self.number, before)
        said = peer.raw[-1].decode() if peer.raw else ""
        if "server_error" not in said and said != "bad request" and self.peer is not None:
            self.lost_at = None
            if self.anew_each_time:
                self.lose()

    def lose(self) -> None:
        """The connection is lost; the server hears of it at once, or some time later."""
        peer, self.peer = self.peer, None
        assert peer is not None
        rig, draw = self.world.rig, self.world.draw
        if self.lost_at is None:
            self.lost_at = rig.seconds
        how = draw.random()
        if how < 0.3:
            peer.end()
        if how < 0.8:
            peer.vanish()
        else:
            self.world.unheard.append((rig.seconds + draw.choice([11, 30, 300, 2000]), peer))
            self.world.wait(11)


@pytest.mark.parametrize("seed", range(5))
def test_no_session_hears_of_two_participants(new_rig: type[Rig], space_filling: str, seed: int) -> None:
    """Whatever is lost, whenever; and some do go on."""
    draw = random.Random(seed)
    config = space_filling.replace("max_asks = 4", "min_asks = 1000")
    went_on = 0
    for _ in range(WORLDS):
        world = World(new_rig(seed=draw.randrange(2**32)), draw, config)
        for _ in range(40):
            world.step()
        went_on += sum("goes on" in log.text for log in world.rig.logs)
    assert went_on > WORLDS / 4
