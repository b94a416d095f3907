"""Clients of version 1: loyal to one session, in lock step or in bursts."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from .clients import BaseClient
from .configs import CONFIGS, NAMES
from .ledger import KEPT, Request

if TYPE_CHECKING:
    from .world import World

#: What its sender is told to send again.
AGAIN = ("storage_failed", "internal", "shutting_down", "limit_reached")
#: Errors that a correct client may meet: its knowledge is older than the session.
EXPECTED = (
    *AGAIN,
    *("session_busy", "no_session", "unknown_session", "unknown_trial", "trial_already_told"),
    *("no_model", "not_enough_data", "unauthorized", "read_only"),
)


class Native(BaseClient):
    """A client of version 1."""

    def __init__(self, world: World, name: str, host: str, stream: bool = True) -> None:
        super().__init__(world, name, host)
        self.stream = stream
        self.config = self.rng.choice(CONFIGS)
        self.names = NAMES[self.config]
        self.session: str | None = None  # once it is known
        self.own_uuid = self.rng.random() < 0.7
        self.with_ids = self.rng.random() < 0.85 or not stream  # by mail, refusals overtake
        self.bursts = self.rng.random() < 0.3
        self.steady = self.rng.random() < 0.4  # one trial after the other, and nothing else
        self.resumes = self.rng.random() < 0.5
        self.set_up: Request | None = None  # acknowledged or not
        self.is_set_up = False
        self.attached = False
        self.ended = False
        self.pending: dict[int, Any] = {}
        self.told: list[int] = []
        self.done: list[Request] = []
        self._buffer = b""
        self.secret = f"{name}'s secret"
        self.shown = False
        self.wrong = 0
        if self.own_uuid:
            self.session = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
            self.ledger.targets.setdefault(name, set()).add(self.session)

    # Sending

    def connected(self) -> None:
        self._buffer = b""
        self.attached = self.shown = False
        self.wrong = 0
        for request in list(self.unsure):
            if request.type == "auth" or (request.id is None and request.connections):
                self.unsure.remove(request)  # without an id, what is sent again counts again
        self.soon()

    def introduced(self) -> bool:
        """Whether it has shown its token, if one is asked for; else it does, or tries to."""
        if self.shown or not self.world.tokens:
            return True
        wrong = self.rng.random() < 0.15
        self.wrong += wrong
        self.send("auth", {"token": "a guess" if wrong else self.secret})
        return False

    def may_be_closed(self) -> bool:
        return super().may_be_closed() or self.wrong > 2

    def act(self) -> None:
        if not self.introduced():
            return
        if not self.is_set_up:
            self._setup()
        elif not self.attached and (self.resumes or self.session is None or self.rng.random() < 0.3):
            if self.session is None:
                self._setup()
            else:
                self.send("resume", {"session": self.session})
        elif self.unsure:
            self.transmit(self.unsure.popleft())
        elif self.done and self.rng.random() < 0.06:
            self.transmit(self.rng.choice(self.done))  # as who missed the reply would
        elif self.ended and self.rng.random() < 0.8:
            self.send("resume", {"session": self.session})
        elif self.bursts and self.rng.random() < 0.4:
            for _ in range(self.rng.choice((2, 3, 6, 20))):
                if self.wire is None or not self.send(*self._something()):
                    break
        else:
            self.send(*self._something())

    def _setup(self) -> None:
        """The same setup again if it can't do harm, else a new one."""
        if self.set_up is None or not (self.own_uuid and self.set_up.id):
            if self.set_up in self.unsure:
                self.unsure.remove(self.set_up)
            message = {"config": self.config, "metadata": {"mark": self.fresh()}}
            if self.rng.random() < 0.1:
                message["description"] = "long " * 2000  # to be parsed apart
            if self.rng.random() < 0.5:
                message["seed"] = self.rng.randrange(2**31)
            self.set_up = self.request("setup", message, mark=message["metadata"]["mark"])
        elif self.set_up in self.unsure:
            self.unsure.remove(self.set_up)
        self.transmit(self.set_up)

    def _something(self) -> tuple[str, dict[str, Any]]:
        """A request that makes sense now, or nearly so."""
        rng = self.rng
        if self.steady:
            return ("tell", self._told()) if self.pending else ("ask", {})
        kind = rng.choices(
            ("ask", "tell", "update", "tell_config", "skip", "correct", "query", "info", "ping", "hello",
             "parameters", "get_config", "finish_strategy", "setup", "resume", "exit", "replay", "status"),
            (8, 10, 6, 2, 1, 1, 2, 1, 2, 0.5, 0.5, 0.5, 0.3, 0.2, 0.5, 0.3, 0.2, 0.3),
        )[0]  # fmt: skip
        if kind in ("tell", "update", "skip") and not self.pending:
            kind = "ask"
        if kind == "correct" and not self.told:
            kind = "info"
        match kind:
            case "ask":
                return "ask", self._ask()
            case "tell":
                return "tell", self._told()
            case "update":
                ask = self._ask()
                return "update", {"tell": self._told(), **({"ask": ask} if ask or rng.random() < 0.5 else {})}
            case "tell_config":
                config = {name: round(rng.random(), 3) for name in self.names}
                return "tell", {
                    "config": config,
                    "outcome": rng.randrange(2),
                    "extra": {"mark": self.fresh()},
                }
            case "skip":
                trial = self.pending.popitem()[0]
                return "skip", {"trial": trial, "again": rng.random() < 0.5}
            case "correct":
                change = {"remove": True} if rng.random() < 0.3 else {"outcome": rng.randrange(2)}
                return "correct", {"trial": rng.choice(self.told), **change}
            case "query":
                return "query", {"query": rng.choice(("max", "min"))}
            case "setup":
                return "setup", {"config": self.config, "metadata": {"mark": self.fresh()}}
            case "resume":
                return "resume", {"session": self.session}
            case "replay":
                return "replay", {"session": self.session}
        return kind, {}

    def _ask(self) -> dict[str, Any]:
        rng = self.rng
        message: dict[str, Any] = {}
        if rng.random() < 0.2:
            message["n"] = rng.choice((2, 3))
        if rng.random() < 0.1:
            message["fixed"] = {self.names[0]: 0.25}
        if rng.random() < 0.1:
            message["beyond"] = True
        if rng.random() < 0.15:
            message["deadline_ms"] = rng.choice((5.0, 100.0, 2000.0))
        return message

    def _told(self) -> dict[str, Any]:
        trial = next(iter(self.pending))
        del self.pending[trial]
        self.told.append(trial)
        return {"trial": trial, "outcome": self.rng.randrange(2), "extra": {"mark": self.fresh()}}

    def request(self, type_: str, message: dict[str, Any], **more: Any) -> Request:
        """A new request in its envelope."""
        value: dict[str, Any] = {"version": "1", "type": type_}
        id_ = self.fresh() if self.with_ids and (not self.stream or self.rng.random() < 0.95) else None
        if id_ is not None:
            value["id"] = id_
        if self.session is not None and not (self.resumes and type_ != "setup"):
            value["session"] = self.session
        if message or self.rng.random() < 0.5:
            value["message"] = message
        return self.new(type_, value, id=id_, **more)

    def send(self, type_: str, message: dict[str, Any]) -> bool:
        """Send a new request."""
        told = message.get("tell", message)
        mark = (told.get("extra") or told.get("metadata") or {}).get("mark")
        return self.transmit(self.request(type_, message, mark=mark))

    # Receiving

    def received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n") if self.stream else [data, b""]
        for line in lines:
            self._reply(line)
        if self.wire is not None and not self.outstanding and not self.gone:
            self.soon()

    def _reply(self, raw: bytes) -> None:
        reply = json.loads(raw)
        self.world.trace(f"{self.name} gets {raw.decode()[:240]}")
        request = self._matching(reply)
        if request is None:
            self.ledger.breach(f"{self.name}: a reply out of order: {raw.decode()[:300]}")
            return
        self.outstanding.remove(request)
        request.replies.append(raw)
        if reply["ok"]:
            self._succeeded(request, reply, raw)
        else:
            self._failed(request, reply["error"])

    def _matching(self, reply: Any) -> Request | None:
        """Replies come in order; only a ping with an id may overtake."""
        refused = not self.stream and not reply["ok"] and reply["error"]["code"] == "limit_reached"
        in_turn = True
        for request in self.outstanding:
            # A replay waits for no session, and none for it; who sends too much by mail is told at once.
            free = (request.type == "ping" and request.id is not None) or request.type == "replay"
            if (request.type, request.id) == (reply["type"], reply.get("id")) and (
                in_turn or free or refused
            ):
                return request
            in_turn = in_turn and free
        return None

    def _succeeded(self, request: Request, reply: Any, raw: bytes) -> None:
        message, type_ = reply["message"], request.type
        happened = self.world.happened
        happened[f"native {type_}"] += 1
        happened[f"from {reply.get('timing', {}).get('from')}"] += 1
        happened[f"tier {reply.get('timing', {}).get('tier')}"] += 1
        happened["sent again, same reply"] += raw == request.acknowledged
        self.tries = 0
        incomplete = type_ == "update" and "error" in message["ask"]
        if request.acknowledged is None:
            request.acknowledged = None if incomplete else raw
            named = type_ != "setup" or "session" in request.value  # else it means another session
            if request.id is not None and type_ in KEPT and named and not incomplete:
                self.done.append(request)
        elif request.id and type_ in KEPT and not incomplete and raw != request.acknowledged:
            self.ledger.breach(
                f"{self.name}: {request.id} sent again got another reply: {raw.decode()[:300]}"
            )
        session = reply.get("session")
        targets = self.ledger.targets.setdefault(self.name, set())
        if type_ == "setup" and self.session is None:
            self.session = session
            targets.add(session)
        elif session is not None and session not in targets:
            self.ledger.breach(f"{self.name}: a reply of another's session {session}")
        if type_ == "setup":
            self.is_set_up = self.attached = True
            self.ended = False
        elif type_ == "resume":
            self.attached, self.ended = True, False
            self.pending = {one["trial"]: one["config"] for one in message["pending"]}
        elif type_ == "exit":
            self.ended = True
        elif type_ == "replay" and not message["identical"]:
            self.ledger.breach(f"{self.name}: a replay differs: {message}")
        elif type_ == "auth":
            self.shown = True
        elif type_ not in ("ping", "hello", "status"):
            self.attached = True
        asked = message if type_ == "ask" else message["ask"] if type_ == "update" else {}
        for one in asked.get("trials", ()):
            if one["trial"] not in self.told:
                self.pending[one["trial"]] = one["config"]

    def _failed(self, request: Request, error: Any) -> None:
        code = error["code"]
        self.world.happened[f"error {code}"] += 1
        if code not in EXPECTED:
            self.ledger.breach(f"{self.name}: {request.text} got {error}")
        if code in ("session_busy", "no_session"):
            self.attached = False
        if request.type == "auth":
            return
        if code == "unknown_session":
            self.is_set_up = False  # it never came to the record
            self.pending.clear()
        if code in (*AGAIN, "session_busy", "no_session", "unknown_session"):
            self.tries += 1
            if self.tries > 60:
                self.life = 0
                self.unsure.clear()
            elif request.id is not None and request.type != "resume" and request not in self.unsure:
                self.unsure.append(request)
            self.hurry = max(self.hurry, 1.0)
            if code == "session_busy" and self.wire is not None:
                self.resumes = True
