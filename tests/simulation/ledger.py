"""What clients sent and what they got, for the reckoning afterwards."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fechner.server.protocol.jsontext import render

#: Requests whose acknowledgement is on record before it is sent.
KEPT = ("setup", "ask", "tell", "update", "skip", "correct", "finish_strategy", "resume", "exit", "begin")


@dataclass(eq=False)
class Request:
    """A request, however often it was sent.

    Attributes:
        owner: whose.
        type: of the message.
        value: what it says; `text` is that as it goes on record.
        id: as in the envelope.
        mark: a text in it that no other request has.
        connections: those on which it was sent to its last byte, in order.
        replies: what came back, each time.
        acknowledged: whether one of them says that it succeeded.
    """

    owner: str
    type: str
    value: dict[str, Any]
    id: str | None = None
    mark: str | None = None
    connections: list[int] = field(default_factory=list)
    replies: list[bytes] = field(default_factory=list)
    acknowledged: bytes | None = None
    text: str = ""

    def __post_init__(self) -> None:
        self.text = render(self.value)

    @property
    def data(self) -> bytes:
        """Its bytes."""
        return json.dumps(self.value).encode()


@dataclass
class Ledger:
    """Of a whole schedule.

    Attributes:
        sent: how often each text was sent whole.
        sendings: requests by connection, in order.
        requests: all, in order.
        targets: the sessions that a client means.
        broken: promises that were seen broken on the way.
    """

    now: Callable[[], float]
    sent: Counter[str] = field(default_factory=Counter)
    sendings: dict[int, list[Request]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    targets: dict[str, set[str]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    unreadable: bool = False  # somebody sent what is no JSON

    def breach(self, text: str) -> None:
        """A promise was broken."""
        self.broken.append(f"at {self.now():.3f}: {text}")

    def note_sent(self, request: Request, connection: int) -> None:
        """A request went out to its last byte."""
        if not request.connections:
            self.requests.append(request)
        request.connections.append(connection)
        self.sendings.setdefault(connection, []).append(request)
        self.sent[request.text] += 1
        companion = self._companion(request)
        if companion is not None:
            self.sent[companion] += 1

    def _companion(self, request: Request) -> str | None:
        """The ask of an update, or of a setup that answers with the first point, as it is recorded."""
        if request.type not in ("update", "begin"):
            return None
        message = request.value.get("message")
        ask = message.get("ask", {}) if isinstance(message, dict) else {}
        return render({"version": request.value.get("version"), "type": "ask", "message": ask})
