"""A small scripted server that speaks version 1, so that the client is tested without the real one."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fechner_client import Client

Request = dict[str, Any]

CONFIG = "[common]\nparnames = [level]\noutcome_types = [binary]\n"


class FakeServer:
    """Sessions in memory and faults on demand.

    ``faults`` holds what to do at the next requests, one each: ``"lose"`` (close the connection, do nothing),
    ``"mute"`` (do it, then close without a reply), ``"hold"`` (do it, keep the reply until ``release``),
    bytes (send these instead), a function (called with the request, gives the reply or None to go on).
    """

    def __init__(self, trials: int = 3) -> None:
        self.trials = trials
        self.requests: list[Request] = []
        self.raw: list[bytes] = []
        self.sessions: dict[str, dict[str, Any]] = {}
        self.faults: deque[Any] = deque()
        self.needs_resume = False
        self.connections = 0
        self._held: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        self.port = 0

    # -- coming and going

    def start(self) -> FakeServer:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._run(self._accept, self._listener)
        return self

    def stop(self) -> None:
        assert self._listener is not None
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads:
            thread.join(10)
        self._open, self._threads = [], []

    def release(self) -> None:
        """Send the replies that were held."""
        held, self._held = self._held, []
        for send in held:
            send()

    def kinds(self) -> list[str]:
        return [request["type"] for request in self.requests]

    def _run(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        state: dict[str, Any] = {"session": None}
        try:
            with connection, connection.makefile("rb") as lines:
                for line in lines:
                    if not self._one(line, state, connection):
                        connection.shutdown(socket.SHUT_RDWR)
                        return
        except (OSError, ValueError):
            return

    def _one(self, line: bytes, state: dict[str, Any], connection: socket.socket) -> bool:
        request = json.loads(line)
        with self._lock:
            self.requests.append(request)
            self.raw.append(line)
            fault = self.faults.popleft() if self.faults else None
            if fault == "lose":
                return False
            if isinstance(fault, bytes):
                connection.sendall(fault)
                return True
            reply = fault(request) if callable(fault) else None
            data = dump(reply) if reply is not None else self.answer(request, state)
        if fault == "mute":
            return False
        if fault == "hold":
            self._held.append(lambda: connection.sendall(data))
            return True
        connection.sendall(data)
        return True

    # -- version 1

    def answer(self, request: Request, state: dict[str, Any]) -> bytes:
        named = request.get("session") or state["session"]
        session = self.sessions.get(named) if named else None
        if session is not None and request["id"] in session["record"]:
            return bytes(session["record"][request["id"]])
        try:
            message = self._message(request, state, session)
        except Fault as fault:
            return dump(error(request, *fault.args))
        current = self.sessions.get(state["session"] or "")
        data = dump(ok(request, message, session=state["session"]))
        if current is not None:
            current["record"][request["id"]] = data
        return data

    def _message(self, request: Request, state: dict[str, Any], session: dict[str, Any] | None) -> Any:
        kind, message = request["type"], request["message"]
        if kind in ("hello", "ping"):
            return {"server": "fake 0"} if kind == "hello" else {}
        if kind == "setup":
            if message["config"] == "[wrong]":
                problems = [
                    {
                        "section": "level",
                        "key": "par_typ",
                        "value": "x",
                        "detail": "unknown",
                        "hint": "par_type",
                    }
                ]
                raise Fault("bad_config", "1 problem", {"problems": problems})
            name = request["session"]
            session = self.sessions.setdefault(name, {"record": {}, "pending": {}, "asked": 0, "setups": 0})
            session["setups"] += 1
            state["session"] = name
            return {
                "session": name,
                "strategy": session["setups"] - 1,
                "parameters": {"level": {"type": "continuous", "lower": 0, "upper": 100, "scale": "linear"}},
                "outcomes": [{"name": "outcome_1", "type": "binary"}],
                "stages": ["init"],
                "seed": message.get("seed", 1),
            }
        if kind == "resume":
            name = message["session"] if message["session"] != "last" else list(self.sessions)[-1]
            state["session"] = name
            pending = [{"trial": n, "config": c} for n, c in sorted(self.sessions[name]["pending"].items())]
            return {"session": name, "strategy": 0, "trials": {"pending": len(pending)}, "pending": pending}
        if session is None or (self.needs_resume and state["session"] is None):
            raise Fault("no_session", "nothing is set up on this connection", {"hint": "send setup"})
        state["session"] = request.get("session") or state["session"]
        return getattr(self, f"_{kind}")(message, session)

    def _ask(self, message: Any, session: dict[str, Any]) -> Any:
        left = self.trials - session["asked"]
        n = message.get("n", 1) if message.get("beyond") else min(message.get("n", 1), left)
        trials = []
        for _ in range(n):
            session["asked"] += 1
            config = {"level": 10.0 * session["asked"], **message.get("fixed", {})}
            session["pending"][session["asked"]] = config
            trials.append({"trial": session["asked"], "config": config})
        finished = session["asked"] >= self.trials
        return {
            "trials": trials,
            "stage": "init",
            "finished": finished,
            "reason": "min_asks" if finished else None,
            "remaining": {"trials": max(0, self.trials - session["asked"])},
        }

    def _tell(self, message: Any, session: dict[str, Any]) -> Any:
        numbers = []
        for tell in message.get("trials", [message]):
            if "config" in tell:
                session["asked"] += 1
                numbers.append(session["asked"])
            elif tell["trial"] not in session["pending"]:
                raise Fault(
                    "trial_already_told", f"trial {tell['trial']} was told", {"where": "message.trial"}
                )
            else:
                del session["pending"][tell["trial"]]
                numbers.append(tell["trial"])
        return {"trials": numbers, "modelled": len(numbers), "finished": False}

    def _skip(self, message: Any, session: dict[str, Any]) -> Any:
        if session["pending"].pop(message["trial"], None) is None:
            raise Fault(
                "trial_already_told", f"trial {message['trial']} was told", {"where": "message.trial"}
            )
        return {"trial": message["trial"]}

    def _correct(self, message: Any, session: dict[str, Any]) -> Any:
        return {"trial": message["trial"], "modelled": 0 if message.get("remove") else 1}

    def _replay(self, message: Any, session: dict[str, Any]) -> Any:
        if message.get("verify") is False:
            return {"identical": None, "asks": session["asked"]}
        first = {"seq": 2, "recorded": {"points": [1]}, "recomputed": {"points": [2]}}
        return {"identical": False, "asks": 1, "first_difference": first, "broken_chain": 2}

    def _update(self, message: Any, session: dict[str, Any]) -> Any:
        return {"tell": self._tell(message["tell"], session), "ask": self._ask(message["ask"], session)}

    def _parameters(self, message: Any, session: dict[str, Any]) -> Any:
        return {"level": {"type": "continuous"}, "site": {"type": "fixed", "value": "left"}}

    def _query(self, message: Any, session: dict[str, Any]) -> Any:
        x = message.get("x") or {"level": [50.0]}
        count = len(next(iter(x.values()), [0]))
        if message["query"] == "threshold":
            x = {**(message.get("x") or {}), message["parameter"]: [42.0] * count}
        column = [0.5] * count
        return {"x": x, "y": column, "lower": [0.4] * count, "upper": [None] * count, "sd": [0.1] * count}

    def _info(self, message: Any, session: dict[str, Any]) -> Any:
        return {"trials": {"asked": session["asked"], "pending": len(session["pending"])}}

    def _get_config(self, message: Any, session: dict[str, Any]) -> Any:
        return {message.get("section", "common"): {}}

    def _finish_strategy(self, message: Any, session: dict[str, Any]) -> Any:
        return {"finished": "init", "strategy": 0}

    def _exit(self, message: Any, session: dict[str, Any]) -> Any:
        return {"trials": {"asked": session["asked"]}}

    # -- in process

    def connect(self) -> MemoryConnection:
        return MemoryConnection(self)


class MemoryConnection:
    def __init__(self, server: FakeServer) -> None:
        self.server = server
        self.state: dict[str, Any] = {"session": None}
        self.closed = False

    def request(self, request: Request) -> Request:
        self.server.requests.append(request)
        return dict(json.loads(self.server.answer(request, self.state)))

    def close(self) -> None:
        self.closed = True


class Fault(Exception):
    pass


def ok(request: Request, message: Any, session: str | None = None, **more: Any) -> Request:
    reply = {"version": "1", "type": request["type"], "id": request["id"], "ok": True, "message": message}
    return {**reply, **({"session": session} if session else {}), "timing": {"tier": "generator"}, **more}


def error(request: Request, code: str, detail: str, more: dict[str, Any] | None = None) -> Request:
    fault = {"code": code, "detail": detail, **(more or {})}
    return {"version": "1", "type": request["type"], "id": request["id"], "ok": False, "error": fault}


def dump(reply: Request) -> bytes:
    return json.dumps(reply, ensure_ascii=False).encode() + b"\n"


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    """A scripted server, listening."""
    server = FakeServer().start()
    yield server
    server.stop()


@pytest.fixture
def replies() -> tuple[Callable[..., Request], Callable[..., Request]]:
    """What makes an ok reply and an error reply to a request."""
    return ok, error


@pytest.fixture
def client(fake: FakeServer) -> Iterator[Client]:
    """A client of the scripted server, before setup."""
    with Client(port=fake.port, timeout=20, retry_for=5) as connected:
        yield connected


@pytest.fixture
def config() -> str:
    """A configuration."""
    return CONFIG
