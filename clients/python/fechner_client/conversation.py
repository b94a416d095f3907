"""Requests and their replies: ids, the session's name, errors and warnings, and what was left unanswered.

A request that changes the session and whose reply never came (a timeout, a lost connection, an interrupted
cell of a notebook) may have happened or not. It is kept, and sent again with the same id before anything else
changes the session: the server answers it from its record if it happened, and does it if not.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from typing import Any, Callable, Optional

from fechner_client.connection import Attempts, Connection
from fechner_client.errors import FechnerError, error_of, warn
from fechner_client.framing import plain

_SETTLED = ("ask", "tell", "update", "finish_strategy")  # what else was left unanswered is merely dropped
_ELSEWHERE = ("no_session", "session_busy")
_LETTING_GO_S = 3.0  # a server needs a moment to see that the connection of an earlier program has gone


class Conversation:
    """Everything said over one client, in order.

    Attributes:
        session: the current session's name; None before setup or resume.
        timing: what the last reply said about the time it took.
    """

    def __init__(
        self,
        connection: Connection,
        applied: Callable[[str, dict[str, Any], dict[str, Any], Optional[str]], None],
    ) -> None:
        self._connection = connection
        self._applied = applied
        self._lock = threading.RLock()
        self._unanswered: Optional[dict[str, Any]] = None
        self._joined = 0
        self.session: Optional[str] = None
        self.timing: dict[str, Any] = {}

    def call(
        self,
        kind: str,
        message: Optional[Mapping[str, Any]] = None,
        *,
        session: Optional[str] = None,
        in_session: bool = True,
        changes: bool = False,
    ) -> dict[str, Any]:
        """The message of the reply. ``session``: the one to name instead of the current one."""
        with self._lock:
            content = plain(message or {})
            request = self._unanswered if changes else None
            if request is None or (request["type"], request["message"]) != (kind, content):
                if changes:
                    self.settle()
                named = session or (self.session if in_session else None)
                request = {
                    "version": "1",
                    "type": kind,
                    "id": uuid.uuid4().hex,
                    **({"session": named} if named else {}),
                    "message": content,
                }
            if changes:
                self._unanswered = request
            return self._understood(request, self._answered(request))

    def settle(self) -> None:
        """Get the reply to the request that was left unanswered, if there is one."""
        with self._lock:
            request = self._unanswered
            if request is None:
                return
            if request["type"] not in _SETTLED:
                self._unanswered = None
                return
            reply = self._answered(request)
            try:
                self._understood(request, reply)
            except FechnerError as error:
                warn(f"an earlier {request['type']} without reply turned out to have failed: {error}")

    def _answered(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["type"] == "resume":
            return self._resumed(request, min(_LETTING_GO_S, self._connection.retry_for))
        reply = self._connection.exchange(request)
        if _code(reply) in _ELSEWHERE and self._has_reconnected(request):
            self._rejoin()
            reply = self._connection.exchange(request)
        return reply

    def _has_reconnected(self, request: Mapping[str, Any]) -> bool:
        named = request.get("session")
        return named is not None and named == self.session and self._connection.opened != self._joined

    def _rejoin(self) -> None:
        """Take the session over on a new connection."""
        request = {
            "version": "1",
            "type": "resume",
            "id": uuid.uuid4().hex,
            "message": {"session": self.session},
        }
        reply = self._resumed(request, self._connection.retry_for)
        if not reply["ok"]:
            raise error_of(reply.get("error"))
        self._joined = self._connection.opened

    def _resumed(self, request: dict[str, Any], patience: float) -> dict[str, Any]:
        attempts = Attempts(patience)
        reply = self._connection.exchange(request)
        while _code(reply) == "session_busy" and attempts.another():
            reply = self._connection.exchange(request)
        return reply

    def _understood(self, request: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
        if self._unanswered is request:
            self._unanswered = None
        for warning in reply.get("warnings") or []:
            warn(f"{warning.get('detail', '')} [{warning.get('code', 'warning')}]")
        if not reply["ok"]:
            raise error_of(reply.get("error"))
        message = reply.get("message") or {}
        self.timing = reply.get("timing") or {}
        if request["type"] == "exit":
            self.session = None
        elif self.session is None or request["type"] in ("setup", "resume"):
            self.session = message.get("session") or reply.get("session") or self.session
            self._joined = self._connection.opened
        self._applied(request["type"], request["message"], message, self.session)
        return dict(message)


def _code(reply: Mapping[str, Any]) -> str:
    return "" if reply["ok"] else str((reply.get("error") or {}).get("code", ""))
