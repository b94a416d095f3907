"""Clients of the AEPsych dialects: one request at a time, without ids, without naming their session."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .clients import BaseClient
from .configs import CONFIGS, NAMES
from .ledger import Request

if TYPE_CHECKING:
    from .world import World

#: 0.8, the Unity client's variant of it, 0.1 with its version and 0.1 without (where the server is told so).
GENERATIONS = ("0.8", "unity", "0.1 versioned", "0.1")


class Aepsych(BaseClient):
    """A client of one of the generations."""

    def __init__(self, world: World, name: str, host: str, generation: str) -> None:
        super().__init__(world, name, host)
        self.generation = generation
        self.old = generation.startswith("0.1")
        self.config = self.rng.choice(CONFIGS)
        self.is_set_up = False
        self.point: dict[str, Any] | None = None
        self.errors = 0
        self.ledger.targets.setdefault(host, set())

    def connected(self) -> None:
        self.unsure.clear()  # without ids, what is sent again counts again
        self.soon()

    def act(self) -> None:
        rng = self.rng
        if not self.is_set_up or self.errors > 2 or rng.random() < 0.01:
            self.errors = 0
            mark = self.fresh()
            message = {"config_str": self.config}
            self.send(
                "begin" if self.generation == "0.1" else "setup", message, mark, metadata={"mark": mark}
            )
            return
        roll = rng.random()
        if roll < 0.03:
            self.send("exit", {})
        elif roll < 0.06:
            self.send("resume", {"strat_id": rng.choice((0, "0"))})
        elif roll < 0.15 and not self.old:
            kinds = ("info", "can_model", "get_config", "parameters", "finish_strategy")
            self.send(rng.choice(kinds), {})
        elif roll < 0.2:
            self.send("query", {"query_type": "max"})
        elif self.point is None:
            message = {"num_points": rng.choice((1, 1, 2))} if not self.old else {}
            self.send("ask", message or rng.choice(({}, "")))
        else:
            self._tell()

    def _tell(self) -> None:
        point, self.point = self.point, None
        assert point is not None
        n = len(next(iter(point.values()), []))
        outcomes = [self.rng.randrange(2) for _ in range(n)]
        mark = self.fresh()
        message: Any = {"config": point, "outcome": outcomes if n > 1 else outcomes[0], "mark": mark}
        if not self.old and self.rng.random() < 0.1:
            message["model_data"] = False
        kind = "update" if self.old and self.rng.random() < 0.3 else "tell"
        self.send(kind, message, mark)

    def send(self, type_: str, message: Any, mark: str | None = None, **more: Any) -> None:
        """Send a new request."""
        value: dict[str, Any] = {"type": "setup" if type_ == "begin" else type_, "message": message, **more}
        if self.generation == "0.1 versioned":
            value["version"] = "0.01"
        elif self.generation == "unity":
            value |= {"version": "0.01", "extra_info": None}
        self.transmit(self.new(type_, value, mark=mark))

    def received(self, data: bytes) -> None:
        text = data.decode()
        self.world.trace(f"{self.name} gets {text[:240]}")
        if not self.outstanding:
            self.ledger.breach(f"{self.name}: a reply that it didn't ask for: {text[:200]}")
            return
        request = self.outstanding.popleft()
        request.replies.append(data)
        if text == "bad request" or '"server_error"' in text:
            self.errors += 1
            self.tries += 1
            self.hurry = max(self.hurry, 0.5)
            if self.tries > 60:
                self.life = 0
        else:
            self.tries = self.errors = 0
            request.acknowledged = data
            self._succeeded(request, text)
        self.soon()

    def _succeeded(self, request: Request, text: str) -> None:
        self.world.happened[f"{self.generation} {request.type}"] += 1
        names = set(NAMES[self.config])
        expected: Any = None
        match request.type:
            case "setup":
                self.is_set_up, self.point = True, None
                expected = text.isdigit() if self.old else set(json.loads(text)) == {"strat_id"}
            case "begin" | "ask" | "update":
                self.is_set_up = True
                reply = json.loads(text)
                point = reply.get("config", reply)
                expected = set(point) == names or self._shares_host()
                self.point = point if expected else None
            case "tell":
                expected = text == "acq" if self.old else set(json.loads(text)) >= {"trials_recorded"}
            case "exit":
                self.is_set_up = False
                expected = text == "Terminate" if self.old else json.loads(text)["success"]
            case _:
                expected = True
        if not expected:
            self.ledger.breach(f"{self.name}: {request.text[:100]} is answered by {text[:200]}")

    def _shares_host(self) -> bool:
        return sum(client.host == self.host for client in self.world.clients) > 1
