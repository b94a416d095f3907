"""Peers that keep to no rules: broken JSON, half a message, nothing at all, and never a look at a reply."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .clients import BaseClient
from .ledger import Request

if TYPE_CHECKING:
    from .world import World

MANNERS = ("garbage", "half", "silent", "deaf", "half and gone", "numbers")


class Rude(BaseClient):
    """Says hello some times, then behaves in its own manner."""

    def __init__(self, world: World, name: str, host: str) -> None:
        super().__init__(world, name, host)
        self.manner = self.rng.choice(MANNERS)
        self.hellos = self.rng.randrange(4)
        self.misbehaved = False
        self._buffer = b""

    def connected(self) -> None:
        self._buffer = b""
        self.misbehaved = False
        self.unsure.clear()
        self.soon()

    def may_be_closed(self) -> bool:
        return super().may_be_closed() or self.misbehaved

    def act(self) -> None:
        wire, rng = self.wire, self.rng
        assert wire is not None
        if self.manner == "deaf" and not self.misbehaved:
            wire.read(False)
            self.misbehaved = True
            for _ in range(rng.choice((5, 70, 300))):
                self.transmit(self._hello())
                if self.wire is not wire:
                    return
            listens = rng.random() < 0.5
            self.world.clock.after(rng.random() * 60, self._wakes_up if listens else self.leave)
            return
        if self.hellos > 0 or self.misbehaved:
            self.hellos -= 1
            self.transmit(self._hello())
            return
        self.life -= 1
        self.misbehaved = True
        self.world.trace(f"{self.name} on {wire.number}: {self.manner}")
        if self.manner == "garbage":
            self.ledger.unreadable = True
            wire.send(
                rng.choice(
                    (b"}", b'{"a" 1}', b"\xff\xfe", b'{"a":NaN}', b'{"a":1,"a":2}', b"tru ", b"[" * 60)
                )
            )
        elif self.manner == "half":
            self.ledger.unreadable = True
            wire.send(b'{"version":"1","type":"hel')
        elif self.manner == "half and gone":
            wire.send(b'{"version":"1","type":"hel')
            self.world.clock.after(rng.random() * 20, self.break_off, rng.choice(("reset", "vanish")))
        elif self.manner == "numbers":
            wire.send(b"1 2 [3] null ")
            self.leave()

    def _wakes_up(self) -> None:
        if self.wire is not None:
            self.world.trace(f"{self.name} reads again")
            self.manner, self.misbehaved = "polite", False
            self.wire.read(True)

    def _hello(self) -> Request:
        value = {"version": "1", "type": self.rng.choice(("hello", "ping")), "id": self.fresh()}
        return self.new(value["type"], value, id=value["id"])

    def received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            reply = json.loads(line)
            found = [r for r in self.outstanding if r.id == reply.get("id")]
            if found:
                self.outstanding.remove(found[0])
                found[0].replies.append(line)
            elif not self.misbehaved or reply["ok"]:
                self.ledger.breach(f"{self.name}: a reply that it didn't ask for: {line.decode()[:200]}")
        if not self.outstanding and not self.misbehaved:
            self.soon()
