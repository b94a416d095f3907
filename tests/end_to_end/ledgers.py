"""Participants of the kills in killing.py: what they send, what they were told, and the figures of it all."""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import Any

Request = dict[str, Any]

#: Answered requests of a session, after which its participant begins another.
SESSION_LENGTH = 80


@dataclass
class Figures:
    """What happened, and what went wrong (which has to stay empty)."""

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    sessions: int = 0
    resent: int = 0
    unanswered_recorded: int = 0
    unanswered_unrecorded: int = 0
    back_seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)

    def fault(self, kind: str, text: str) -> None:
        """Something went wrong."""
        self.wrong[kind] += 1
        self.faults.append(f"{kind}: {text}")

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        back = sorted(self.back_seconds) or [0.0]
        return {
            "kills": dict(self.kills),
            "acknowledged": self.acknowledged,
            "sessions": self.sessions,
            "unanswered": {"on record": self.unanswered_recorded, "not": self.unanswered_unrecorded},
            "resent": self.resent,
            "lost": self.wrong["lost"],
            "doubled": self.wrong["doubled"],
            "damaged": self.wrong["damaged"],
            "different": self.wrong["different"],
            "other": self.wrong["other"],
            "back_seconds": {"median": median(back), "most": back[-1]},
            "faults": self.faults[:20],
        }


class Participant:
    """One client: decides what to send from what it was told, and remembers all of it."""

    def __init__(self, number: int, seed: int, tools: Any, experiments: Any) -> None:
        self.number, self.tools, self.experiments = number, tools, experiments
        self._rng = random.Random(f"{seed}/{number}")
        self._count = 0
        self.begin()

    def begin(self) -> None:
        """Another session; every third one of the first participant has a model."""
        self._count += 1
        model = self.number == 0 and self._count % 3 == 1
        self.session = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        self.ledger: list[tuple[Request, bytes]] = []
        self.unanswered: list[Request] = []
        self.pending: dict[int, Any] = {}
        self.told: list[int] = []
        self.finished = False
        config = self.experiments.config("EAVC", *((6, 3) if model else (500, 1)))
        self._setup = {"config": config, "seed": self._rng.randrange(2**31)}

    @property
    def over(self) -> bool:
        """Whether to begin another session."""
        return not self.unanswered and (self.finished or len(self.ledger) > SESSION_LENGTH)

    def request(self, type: str, message: Any) -> Request:
        """A request with an id of its own, of this session."""
        id_ = f"{self.number}-{self._count}-{self._rng.getrandbits(48):012x}"
        one: Request = self.tools.request(type, message, id=id_, session=self.session)
        return one

    def decide(self) -> list[Request]:
        """What to send next: one request, sometimes two in one packet."""
        if not self.ledger:
            return [self.request("setup", self._setup)]
        draw = self._rng.random()
        if self.told and draw < 0.08:
            trial = self._rng.choice(self.told)
            message = {"trial": trial} | self._rng.choice(
                [{"outcome": 0.0}, {"outcome": 1.0}, {"remove": True}]
            )
            return [self.request("correct", message)]
        if not self.pending:
            return [self.request("ask", {"n": self._rng.choice((1, 1, 2, 3))})]
        trials = list(self.pending)
        if draw < 0.15:
            return [self.request("skip", {"trial": trials[0], "again": draw < 0.11})]
        if draw < 0.40:
            return [self.request("update", {"tell": self._tell(trials[0]), "ask": {}})]
        if len(trials) > 1 and draw < 0.70:
            return [self.request("tell", self._tell(trial)) for trial in trials[:2]]
        return [self.request("tell", self._tell(trials[0]))]

    def _tell(self, trial: int) -> dict[str, Any]:
        return {"trial": trial, "outcome": self.experiments.heard(self.pending[trial])}

    def heard(self, one: Request, line: bytes) -> bool:
        """Take in a reply; False if it is an error."""
        reply = json.loads(line)
        if not reply["ok"]:
            return False
        self.ledger.append((one, line))
        type_, message, said = one["type"], one["message"], reply["message"]
        if type_ in ("tell", "update"):
            trial = message.get("tell", message)["trial"]
            del self.pending[trial]
            self.told.append(trial)
        elif type_ == "skip":
            del self.pending[message["trial"]]
        if type_ in ("ask", "update"):
            asked = said.get("ask", said)
            self.pending |= {trial["trial"]: trial["config"] for trial in asked["trials"]}
            self.finished = not asked["trials"]
        return True

    def returned(self, wire: Any, figures: Figures) -> None:
        """After a restart: what was unanswered, then a resume, then some of what was answered, again."""
        for one in tuple(self.unanswered):
            self._answered(one, wire.ask_bytes(one), figures)
        if self.ledger:
            one = self.request("resume", {"session": self.session})
            self.unanswered = [one]
            self._answered(one, wire.ask_bytes(one), figures)
            for one, line in [*self.ledger[-2:], self._rng.choice(self.ledger)]:
                again = wire.ask_bytes(one)
                if not again:
                    raise ConnectionResetError("the server is dead")
                figures.resent += 1
                if again != line:
                    figures.fault("different", f"{one['id']} again: {again!r}, not {line!r}")

    def _answered(self, one: Request, line: bytes, figures: Figures) -> None:
        if not line:
            raise ConnectionResetError("the server is dead")
        if not self.heard(one, line):
            figures.fault("other", f"{one['type']} {one['id']}: {line!r}")
        if one in self.unanswered:
            self.unanswered.remove(one)

    def run(self, wire: Any, figures: Figures) -> None:
        """Go on until the server dies."""
        try:
            while not self.finished:
                self.unanswered = self.decide()
                wire.send(*self.unanswered)
                for one in tuple(self.unanswered):
                    self._answered(one, wire.line(), figures)
        except OSError:
            return


def keys_of(one: Request) -> list[str]:
    """The ids that a request is recorded under: an update's ask has a companion key."""
    companion = f"{one['id']}{'the ask of this update':>64}"
    return [one["id"], companion] if one["type"] == "update" else [one["id"]]
