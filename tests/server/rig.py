"""An engine on a rig: a virtual clock, storage that waits to be told, peers that note replies."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fechner.database.record import Entry
from fechner.server.engine.effects import (
    Commit,
    Compute,
    Effect,
    Find,
    Load,
    Promote,
    ReadHistory,
    ReadSeedData,
    Wake,
)
from fechner.server.engine.engine import Engine
from fechner.server.engine.events import (
    CommitFailed,
    Computed,
    ComputeFailed,
    Connected,
    Emitted,
    Ended,
    Event,
    Found,
    Gone,
    Loaded,
    Now,
    Received,
    Stop,
    Unreadable,
    Woken,
)
from fechner.server.engine.options import EngineOptions
from fechner.server.observing.faults import Fault
from fechner.server.observing.logs import Log
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.limits import Limits
from fechner.server.session.handlers.results import Priority
from fechner.server.session.session import Session
from fechner.server.shell.driver import Driver
from fechner.server.shell.execution import Result, run
from fechner.server.shell.ports import Workload
from fechner.server.shell.storage import StorageEffect

from .configs import SPACE_FILLING
from .disk import Disk

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


#: How the rig computes: a task's result, or what became of it.
Computing = Callable[[Compute], Result]


def guessed(task: Compute) -> Computed:
    """The result of a computation without its mathematics: the next point of a fixed sequence."""
    state = task.arguments[0]
    if task.function == "query":
        return Computed(
            task.task, {"x": {"p": [0.5]}, "y": [0.25], "lower": [0], "upper": [1], "sd": [0.1]}, 2.5
        )
    n = task.arguments[1]
    points = [[[((state.asked + i) * 0.381966) % 1.0]] for i in range(n)]
    result = {"stage": 1, "points": points, "tier": "model", "post_mean": [0.5] * n, "post_sd": [0.1] * n}
    return Computed(task.task, result, 2.5)


class Peer:
    """A client of the rig."""

    def __init__(self, rig: Rig, number: int, stream: bool) -> None:
        self.rig, self.number, self.stream = rig, number, stream
        self.raw: list[bytes] = []
        self.closed = False
        self.paused = False

    @property
    def replies(self) -> list[Any]:
        """Every reply so far, parsed."""
        return [json.loads(data) for data in self.raw]

    @property
    def last(self) -> Any:
        return json.loads(self.raw[-1])

    def send(self, type: str, message: Any = None, **envelope: Any) -> None:
        """Send a request of version 1."""
        value = {"version": "1", "type": type, **envelope}
        if message is not None:
            value["message"] = message
        self.send_value(value)

    def send_value(self, value: Any) -> None:
        self.rig.event(Received(self.number, value))

    def unreadable(self, code: str = "bad_json") -> None:
        self.rig.event(Unreadable(self.number, FechnerError(code, "no JSON")))

    def request(self, type: str, message: Any = None, **envelope: Any) -> Any:
        """Send a request of version 1, let everything happen, return its reply."""
        before = len(self.raw)
        self.send(type, message, **envelope)
        self.rig.settle()
        assert len(self.raw) == before + 1, f"{len(self.raw) - before} replies"
        return self.last

    def ok(self, type: str, message: Any = None, **envelope: Any) -> Any:
        """The reply message of a request that succeeds."""
        reply = self.request(type, message, **envelope)
        assert reply["ok"], reply
        return reply["message"]

    def error(self, type: str, message: Any = None, **envelope: Any) -> Any:
        """The error of a request that fails."""
        reply = self.request(type, message, **envelope)
        assert reply["ok"] is False, reply
        assert "message" not in reply
        return reply["error"]

    def aepsych(self, type: str, message: Any = None, **more: Any) -> Any:
        """The reply to a request of the AEPsych 0.8 dialect."""
        before = len(self.raw)
        self.send_value({"type": type, **({} if message is None else {"message": message}), **more})
        self.rig.settle()
        assert len(self.raw) == before + 1
        assert not self.raw[-1].endswith(b"\n")
        return self.last

    def end(self) -> None:
        self.rig.event(Ended(self.number))

    def vanish(self) -> None:
        self.rig.event(Gone(self.number))


class Seat:
    """The server's end of a peer."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def send(self, data: bytes) -> None:
        assert not self.peer.closed, "a reply after the connection was closed"
        self.peer.raw.append(data)

    def pause(self, paused: bool) -> None:
        self.peer.paused = paused

    def trust(self, limits: Limits) -> None:
        """The rig's peers have whole messages."""

    def close(self, linger: float = 0.0) -> None:
        self.peer.closed = True


class Ports:
    """Keeps what the engine wants until the rig is told to do it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.peers = self.store = self.executor = self.timers = self

    def get(self, number: int) -> Seat:
        return Seat(self.rig.peers[number])

    def forget(self, number: int) -> None:
        """Its replies are still to be looked at."""

    def put(self, effect: StorageEffect) -> None:
        if not isinstance(effect, ReadSeedData):
            self.rig.storage.append(effect)

    @property
    def load(self) -> Workload:
        return Workload()

    def submit(self, task: Compute) -> None:
        self.rig.tasks.append(task)

    def promote(self, number: int, priority: int) -> None:
        self.rig.promoted.append(Promote(number, Priority(priority)))

    def abandon(self, number: int) -> None:
        self.rig.abandoned.append(number)
        self.rig.tasks = deque(waiting for waiting in self.rig.tasks if waiting.task != number)

    def close(self) -> None:
        """Nothing runs."""

    def set(self, wake: Wake) -> None:
        self.rig.alarms.append(wake)

    def silence(self, token: int) -> None:
        self.rig.silenced.append(token)

    def log(self, line: Log) -> None:
        assert "unexpected fault" not in line.text, line.text
        self.rig.logs.append(line)

    def halt(self) -> None:
        assert not self.rig.halted
        self.rig.halted = True

    def fail(self, effect: Effect, error: Exception) -> None:
        raise error


class Rig:
    """Drives an engine. Storage and computations wait until `settle`, or are released one by one."""

    def __init__(
        self, compute: Computing = guessed, disk: Disk | None = None, seed: int = 0, **options: Any
    ) -> None:
        self.compute = compute
        self.disk = disk or Disk()
        self.engine = Engine(random.Random(seed).randbytes, "rig.db", EngineOptions(**options))
        self.seconds = 100.0
        self.peers: dict[int, Peer] = {}
        self.storage: deque[Commit | Load | Find | ReadHistory] = deque()
        self.tasks: deque[Compute] = deque()
        self.abandoned: list[int] = []
        self.promoted: list[Promote] = []
        self.alarms: deque[Wake] = deque()
        self.silenced: list[int] = []
        self.logs: list[Log] = []
        self.halted = False
        self.driver = Driver(self.engine, self.now, Ports(self))

    def connect(self, stream: bool = True) -> Peer:
        number = len(self.peers) + 1
        peer = self.peers[number] = Peer(self, number, stream)
        self.event(Connected(number, stream, f"peer-{number}"))
        return peer

    def setup(self, config: str = SPACE_FILLING, **more: Any) -> Peer:
        """A peer that has set up a session."""
        peer = self.connect()
        peer.ok("setup", {"config": config, "seed": 1}, **more)
        return peer

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.seconds += seconds

    def stop(self) -> None:
        self.event(Stop())

    def event(self, event: Event) -> None:
        """Take an event to the engine and note its effects."""
        self.driver.deliver(event)

    def now(self) -> Now:
        """What its clock shows."""
        return Now(self.seconds, NOON + timedelta(seconds=self.seconds))

    def store(self) -> None:
        """Carry the oldest storage effect out."""
        effect = self.storage.popleft()
        match effect:
            case Commit():
                event: Event | None = self.disk.commit(effect)
            case Load():
                event = self.disk.load(effect)
            case Find():
                event = self.disk.find(effect)
        if event is not None:
            self.event(event)

    def store_all(self) -> None:
        """Carry out storage, but no computation."""
        while self.storage:
            self.store()

    def fail_commit(self, reason: str = "the disk is full", unsettled: bool = False) -> None:
        """The oldest commit does not come to the disk, or (`unsettled`) nobody can say."""
        effect = self.storage.popleft()
        assert isinstance(effect, Commit)
        if effect.token is not None:
            self.event(CommitFailed(effect.token, reason, unsettled))

    def fail_reading(self, reason: str = "the disk can't be read") -> None:
        """What the record is asked for first can't be read."""
        effect = self.storage.popleft()
        match effect:
            case Load(token):
                self.event(Loaded(token, None, error=reason))
            case Find(token):
                self.event(Found(token, None, None, reason))

    def fail_work(self, reason: str = "3 workers died") -> None:
        """The oldest computation comes to nothing."""
        task = self.tasks.popleft()
        self.event(ComputeFailed(task.task, FechnerError("internal", reason), Fault(reason)))

    def work(self) -> None:
        """Carry the oldest computation out."""
        self.event(self.compute(self.tasks.popleft()))

    def half_work(self, tiers: int) -> None:
        """Let the oldest computation come so far that this many of its lower tiers are there."""
        found: list[Emitted] = []
        run(self.tasks[0], emit=found.append)
        for event in found[:tiers]:
            self.event(event)

    def ring(self) -> None:
        """The time of the oldest alarm comes."""
        alarm = self.alarms.popleft()
        self.seconds = max(self.seconds, alarm.seconds)
        self.event(Woken(alarm.token))

    def settle(self) -> None:
        """Let everything happen that is under way."""
        while self.storage or self.tasks:
            if self.storage:
                self.store()
            else:
                self.work()

    def session(self, peer: Peer) -> Session:
        """The session that a peer's connection is in, as the engine has it."""
        id_ = self.engine.state.connections[peer.number].session
        assert id_ is not None
        return self.engine.state.lanes[id_].session

    @property
    def commit(self) -> Commit:
        """The commit that is all that storage waits for."""
        [effect] = self.storage
        assert isinstance(effect, Commit)
        return effect

    def change(self, session: str, index: int = -1) -> Any:
        """What a message of a session did: the last one, or another by its index; None if nothing."""
        return self.recorded(session)[index].change

    def recorded(self, session: str) -> Sequence[Entry]:
        """What is on record of a session."""
        return self.disk.entries.get(session, [])
