"""Clients of version 1 in another's session: observers, and intruders who would go on with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .ledger import Request
from .native import Native

if TYPE_CHECKING:
    from .world import World


def pretend(client: Native, other: Native) -> None:
    """It knows the other's session, and perhaps its token: then it may see the session."""
    assert other.session is not None
    knows = client.rng.random() < 0.5
    if knows:
        client.secret = other.secret
    client.ledger.targets[client.name] = {other.session} if knows or not client.world.tokens else set()


class Observer(Native):
    """Looks on at another's session, and tries what it must not."""

    def __init__(self, world: World, name: str, host: str, observed: Native) -> None:
        super().__init__(world, name, host)
        assert observed.session is not None
        self.session, self.own_uuid, self.is_set_up, self.resumes = observed.session, True, True, True
        pretend(self, observed)

    def dropped(self) -> None:
        super().dropped()
        self.unsure.clear()

    def act(self) -> None:
        if not self.introduced():
            return
        if not self.attached:
            self.send("resume", {"session": self.session, "observe": True})
            return
        kind = self.rng.choice(("info", "query", "parameters", "ping", "resume", "ask", "tell"))
        message: dict[str, Any] = {}
        if kind == "query":
            message = {"query": "max"}
        elif kind == "resume":
            message = {"session": self.session, "observe": True}
        elif kind == "tell":
            message = {"trial": 1, "outcome": 1, "extra": {"mark": self.fresh()}}
        self.send(kind, message)

    def _succeeded(self, request: Request, reply: Any, raw: bytes) -> None:
        if request.type in ("ask", "tell"):
            self.ledger.breach(f"{self.name}: an observer may {request.type}: {raw.decode()[:200]}")
        if request.type == "auth":
            self.shown = True
        if request.type == "resume":
            self.attached = True

    def _failed(self, request: Request, error: Any) -> None:
        self.unsure.clear()
        self.attached = self.attached and error["code"] not in ("unknown_session", "no_session")
        self.hurry = max(self.hurry, 1.0)


class Intruder(Native):
    """Goes on with another's session as soon as it may, or tries to before."""

    def __init__(self, world: World, name: str, host: str, victim: Native) -> None:
        super().__init__(world, name, host)
        assert victim.session is not None
        self.session, self.own_uuid, self.is_set_up = victim.session, True, True
        self.config, self.names = victim.config, victim.names
        pretend(self, victim)

    def _something(self) -> tuple[str, dict[str, Any]]:
        """No setup: a session that nobody has set up yet would be its own."""
        while (found := super()._something())[0] == "setup":
            pass
        return found

    def _failed(self, request: Request, error: Any) -> None:
        super()._failed(request, error)
        self.is_set_up = True  # never sets up what is another's
