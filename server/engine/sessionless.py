"""Requests that belong to no session: hello, auth, ping, status, shutdown. None of them is on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fechner.server.engine.authentication import authenticate
from fechner.server.engine.events import Log
from fechner.server.engine.lanes import Connection
from fechner.server.engine.status import status
from fechner.server.protocol.dialects import Request
from fechner.server.protocol.dialects.base import Reply
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.messages import Auth
from fechner.server.session.handlers.hello import hello

if TYPE_CHECKING:
    from fechner.server.engine.engine import Engine


def reply_of(engine: Engine, connection: Connection, request: Request) -> Reply | None:
    """The reply to such a request, or to one whose fault needs no session; None: it has to wait."""
    if request.fault is not None:
        return Reply(error=request.fault)
    if isinstance(request.message, Auth):
        return authenticate(engine, connection, request.message)
    if request.type == "hello":
        auth: Literal["none", "token"] = "none" if engine.tokens is None else "token"
        return Reply(hello(engine.server, engine.limits, auth))
    if request.type == "status":
        return Reply(status(engine, connection))
    if request.type == "shutdown":
        return _shut_down(engine, connection)
    return Reply({})


def _shut_down(engine: Engine, connection: Connection) -> Reply:
    """Have the engine stop once the reply is on its way."""
    if connection.principal is None or connection.principal.role != "admin":
        text = "only an admin's token can shut the server down"
        return Reply(error=FechnerError("unauthorized", text, "type"))
    engine.emit(Log("warning", f"{connection.peer} shuts the server down", connection.number))
    engine.exited = engine.exit_with_client = True
    return Reply({})
