"""What is said to a server and what follows from its replies: no socket, no sleep, no clock of its own.

``Talk`` decides; a driver acts. Each method that needs the server is a generator of steps: it yields an
action, is sent what came of it, and returns or raises in the end. A blocking driver, one for asyncio and a
test by hand drive the same object, one generator at a time.

| action | what came of it |
|---|---|
| ``Open`` a channel in place of the one there is | None, or the fault: NoHost, NotTrusted, OSError |
| ``Send`` a request, the same bytes whenever it is the same request | the reply, or the fault: Broken, Slow |
| ``Close`` the channel | None |
| ``Wait`` some seconds | None |

Whatever else goes wrong during a Send (an interrupt, a reply that isn't one), the driver closes the channel,
calls ``forget_channel``, and leaves the generator where it is. The states that a request goes through:

| state | action | what came of it | then |
|---|---|---|---|
| opening | Open | None, with a token to show | showing |
| | | None, without | asking |
| | | NoHost, NotTrusted | raise ConnectionFailed |
| | | OSError | Wait, opening; out of patience: raise ConnectionFailed |
| showing | Send auth | ok | asking |
| | | an error | Close, raise it |
| | | Broken | Close, Wait, opening; out of patience: raise ConnectionFailed |
| | | Slow | Close, raise ConnectionFailed |
| asking | Send the request | Slow | raise Timeout; the channel stays |
| | | Broken | Close, Wait, opening; out of patience: raise ConnectionFailed |
| | | the error shutting_down | Close, Wait, opening; out of patience: raise it |
| | | no_session, session_busy, over another channel than the session was joined by | rejoining |
| | | any other reply | the end |
| rejoining | Send resume, as asking does | session_busy | Wait, rejoining; out of patience: raise it |
| | | any other error | raise it |
| | | ok | asking, this time to the end |

A request begins in opening where there is no channel, else in asking. One that is itself a resume waits as
rejoining does, but no longer than 3 s, and any reply ends it. Patience lasts ``retry_for`` seconds, from the
beginning of an outage; a Wait of 0.02 s is followed by longer ones up to 0.4 s.

A request that changes the session and whose reply never came (a timeout, a lost connection, an interrupted
cell of a notebook) may have happened or not. It stays *unanswered*, and is sent again with the same id before
anything else changes the session: the server answers it from its record if it happened, and does it if not.

| unanswered | the next request that changes the session | then |
|---|---|---|
| none | any | it is unanswered from before it is sent until its reply is taken in |
| any | the same type and message | the unanswered one again, with its id |
| ask, tell, update, finish_strategy | another | the unanswered one first; its error is a warning |
| any other type | another | the unanswered one is dropped |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

from fechner_client.channel import Broken, NoHost, NotTrusted, Slow
from fechner_client.errors import ConnectionFailed, FechnerError, Timeout, error_of, warn
from fechner_client.framing import plain
from fechner_client.steps import Close, Message, Open, Patience, Send, Steps

_SETTLED = ("ask", "tell", "update", "finish_strategy")
_ELSEWHERE = ("no_session", "session_busy")
_CONNECT_TIMEOUT = 5.0
_AUTH_TIMEOUT = 10.0
_LETTING_GO_S = 3.0  # a server needs a moment to see that the connection of an earlier program has gone


class Talk:
    """Everything said over one client, in order.

    Args:
        where: the server's address, for errors.
        token: what is shown on every new channel, if anything.
        timeout, retry_for: the attributes.
        apply: takes in each reply that is no error: its type, the request's message, its own, the session.
        clock: seconds that pass.
        new_id: an id that no request had.

    Attributes:
        session: the current session's name; None before setup or resume.
        timing: what the last reply said about the time it took.
        timeout: seconds to wait for a reply; None waits for ever.
        retry_for: seconds to go on trying when no connection can be had.
    """

    def __init__(
        self,
        where: str,
        token: Optional[str],
        timeout: Optional[float],
        retry_for: float,
        apply: Callable[[str, Message, Message, Optional[str]], None],
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._where = where
        self._token = token
        self._apply = apply
        self._clock = clock
        self._new_id = new_id
        self._connected = False
        self._channels = 0
        self._joined = 0  # the channel by which the current session was set up or resumed, counted from 1
        self._unanswered: Optional[Message] = None
        self.session: Optional[str] = None
        self.timing: dict[str, Any] = {}
        self.timeout = timeout
        self.retry_for = retry_for

    def connect(self) -> Steps[None]:
        """Open a channel if there is none."""
        if not self._connected:
            yield from self._open(Patience(self.retry_for, self._clock))

    def forget_channel(self) -> None:
        """There is no channel any more: the driver closed it."""
        self._connected = False

    def call(
        self,
        kind: str,
        message: Optional[Mapping[str, Any]] = None,
        *,
        session: Optional[str] = None,
        in_session: bool = True,
        changes: bool = False,
    ) -> Steps[Message]:
        """The message of the reply. ``session``: the one to name instead of the current one."""
        content = plain(message) if message else {}
        request = self._unanswered if changes else None
        if request is None or (request["type"], request["message"]) != (kind, content):
            if changes and self._unanswered is not None:
                yield from self.settle()
            named = session or (self.session if in_session else None)
            request = self._request(kind, content, {"session": named} if named else {})
        if changes:
            self._unanswered = request
        reply = yield from self._answer(request)
        return self._understand(request, reply)

    def settle(self) -> Steps[None]:
        """Get the reply to the request that was left unanswered, if there is one."""
        request = self._unanswered
        if request is None:
            return
        if request["type"] not in _SETTLED:
            self._unanswered = None
            return
        reply = yield from self._answer(request)
        try:
            self._understand(request, reply)
        except FechnerError as error:
            warn(f"an earlier {request['type']} without reply turned out to have failed: {error}")

    def _request(self, kind: str, content: Message, named: Message) -> Message:
        return {"version": "1", "type": kind, "id": self._new_id(), **named, "message": content}

    def _answer(self, request: Message, busy: Optional[Patience] = None) -> Steps[Message]:
        """The reply to a request, which must have no second effect when it is sent again.

        ``busy``: how long to wait for a session that another connection holds.
        """
        if busy is None and request["type"] == "resume":
            busy = Patience(min(_LETTING_GO_S, self.retry_for), self._clock)
        outage: Optional[Patience] = None
        rejoined = False
        while True:
            if not self._connected:
                yield from self._open(outage or Patience(self.retry_for, self._clock))
            heard = yield Send(request, self.timeout)
            if isinstance(heard, dict) and heard["ok"]:
                return heard
            if isinstance(heard, Slow):
                raise Timeout(
                    "timeout",
                    f"no reply to {request['type']} from {self._where} within {self.timeout:g} s",
                    hint="make the same call again to go on waiting, or raise client.timeout",
                )
            if not isinstance(heard, dict) or _code(heard) == "shutting_down":
                yield from self._close()
                outage = outage or Patience(self.retry_for, self._clock)
                if (yield from outage.wait()):
                    continue
                if isinstance(heard, dict):
                    raise error_of(heard["error"])
                raise self._failed(str(heard)) from heard
            outage = None
            if busy is not None:
                if _code(heard) != "session_busy" or not (yield from busy.wait()):
                    return heard
            elif _code(heard) in _ELSEWHERE and self._is_joined_elsewhere(request) and not rejoined:
                yield from self._rejoin()
                rejoined = True
            else:
                return heard

    def _is_joined_elsewhere(self, request: Message) -> bool:
        named = request.get("session")
        return named is not None and named == self.session and self._channels != self._joined

    def _rejoin(self) -> Steps[None]:
        """Take the session over on a new connection."""
        request = self._request("resume", {"session": self.session}, {})
        reply = yield from self._answer(request, Patience(self.retry_for, self._clock))
        if not reply["ok"]:
            raise error_of(reply.get("error"))
        self._joined = self._channels

    def _open(self, patience: Patience) -> Steps[None]:
        while not self._connected:
            fault = yield Open(_CONNECT_TIMEOUT)
            assert not isinstance(fault, dict)
            if isinstance(fault, NoHost):
                raise self._failed(f"the host name is not known ({fault})") from fault.__cause__
            if isinstance(fault, NotTrusted):
                raise ConnectionFailed(
                    "connection_failed",
                    f"{self._where} is not who it should be: {fault}",
                    hint="tls= takes the server's certificate, whose name must be the one connected to",
                ) from fault.__cause__
            if fault is None:
                fault = yield from self._show_token()
            if fault is None:
                self._channels += 1
                self._connected = True
            elif not (yield from patience.wait()):
                wanting = ", as one that wants tls= would" if isinstance(fault, Broken) else ""
                raise self._failed(f"{fault}{wanting}") from fault

    def _show_token(self) -> Steps[Optional[Broken]]:
        """Broken if the new channel didn't outlast it; raises the server's error if the token isn't taken."""
        if not self._token:
            return None
        request = {"version": "1", "type": "auth", "id": "auth", "message": {"token": self._token}}
        heard = yield Send(request, _AUTH_TIMEOUT)
        if isinstance(heard, dict) and heard["ok"]:
            return None
        yield from self._close()
        if isinstance(heard, Broken):
            return heard
        if isinstance(heard, Slow):
            raise self._failed("what listens there does not answer; does it want tls=?") from heard
        assert isinstance(heard, dict)
        raise error_of(heard["error"])

    def _close(self) -> Steps[None]:
        self._connected = False
        yield Close()

    def _understand(self, request: Message, reply: Message) -> Message:
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
            self._joined = self._channels
        self._apply(request["type"], request["message"], message, self.session)
        return dict(message)

    def _failed(self, fault: str) -> ConnectionFailed:
        return ConnectionFailed(
            "connection_failed",
            f"no connection to {self._where} for {self.retry_for:g} s: {fault}",
            hint="is `fechner serve` running there?",
        )


def _code(reply: Message) -> str:
    return "" if reply["ok"] else str((reply.get("error") or {}).get("code", ""))
