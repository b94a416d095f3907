"""Requests that belong to no session: hello, auth, ping, status, shutdown. None of them is on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from fechner.server.engine.authentication import authenticate
from fechner.server.engine.lanes import Connection
from fechner.server.engine.state import EngineState
from fechner.server.engine.status import status
from fechner.server.observing.logs import Log
from fechner.server.protocol.dialects import Request
from fechner.server.protocol.dialects.base import Reply
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.messages import Auth
from fechner.server.session.handlers.hello import hello


def reply_of(engine: EngineState, connection: Connection, request: Request) -> Reply | None:
    """The reply to such a request, or to one whose fault needs no session; None: it has to wait."""
    if request.fault is not None:
        return Reply(error=request.fault)
    return ANSWERS[request.type](engine, connection, request)


def _greet(engine: EngineState, connection: Connection, request: Request) -> Reply:
    auth: Literal["none", "token"] = "none" if engine.options.tokens is None else "token"
    return Reply(hello(engine.server, engine.limits, auth))


def _authenticate(engine: EngineState, connection: Connection, request: Request) -> Reply | None:
    assert isinstance(request.message, Auth)
    return authenticate(engine, connection, request.message)


def _ping(engine: EngineState, connection: Connection, request: Request) -> Reply:
    return Reply({})


def _status(engine: EngineState, connection: Connection, request: Request) -> Reply:
    return Reply(status(engine, connection))


def _shut_down(engine: EngineState, connection: Connection, request: Request) -> Reply:
    """Have the engine stop once the reply is on its way."""
    if connection.principal is None or connection.principal.role != "admin":
        text = "only an admin's token can shut the server down"
        return Reply(error=FechnerError("unauthorized", text, "type"))
    engine.emit(Log("warning", f"{connection.peer} shuts the server down", connection.number))
    engine.to_stop = True
    return Reply({})


#: What answers each type.
ANSWERS: Mapping[str, Callable[[EngineState, Connection, Request], Reply | None]] = {
    "hello": _greet,
    "auth": _authenticate,
    "ping": _ping,
    "status": _status,
    "shutdown": _shut_down,
}
