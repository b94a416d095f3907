"""auth on the engine's side: who a connection is, what roles may send (docs/reference/wire.md, Security).

A wrong token waits a second for its answer and holds up nobody but its own connection; the third one closes
it. Until a connection has shown its token it gets an answer to hello and auth only.
"""

from __future__ import annotations

from fechner.server.engine.alarms import set_penalty
from fechner.server.engine.effects import Trust
from fechner.server.engine.lanes import Connection
from fechner.server.engine.principals import NAMELESS, OPEN
from fechner.server.engine.state import EngineState
from fechner.server.observing.logs import Log
from fechner.server.protocol.dialects.base import Reply
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.kinds import kind_of
from fechner.server.protocol.messages import Auth


def introduce(engine: EngineState, connection: Connection) -> None:
    """Who is it that begins to speak this dialect? Nobody yet where a token is asked for."""
    if engine.options.tokens is None:
        connection.principal = OPEN
    elif connection.dialect is not None and connection.dialect.traits.tokenless and engine.options.nameless:
        connection.principal = NAMELESS


def fault_of(engine: EngineState, connection: Connection, type_: str) -> FechnerError | None:
    """Why the connection may not send this type; None if it may."""
    kind = kind_of(type_)
    if kind.before_auth or engine.options.tokens is None:
        return None
    principal = connection.principal
    if principal is None:
        dialect = connection.dialect
        if dialect is not None and dialect.traits.tokenless:
            text = "this server asks for a token, which this dialect has no way to send"
            return FechnerError("unauthorized", text, hint='use "version": "1", or a server on this machine')
        text = "this server asks for a token first"
        return FechnerError("unauthorized", text, where="type", hint='send {"type": "auth"} with the token')
    if principal.role == "observer" and not kind.observer_may:
        return FechnerError("unauthorized", f"an observer can't send {type_}", where="type")
    return None


def authenticate(engine: EngineState, connection: Connection, message: Auth) -> Reply | None:
    """The reply to a token; None if it is wrong: that has to wait."""
    if engine.options.tokens is None:
        return Reply({"role": OPEN.role})
    principal = engine.options.tokens.principal(message.token)
    if principal is not None and connection.principal in (None, principal):
        connection.principal = principal
        engine.emit(Trust(connection.number))
        return Reply({"role": principal.role})
    connection.wrong_tokens += 1
    set_penalty(engine, connection)
    return None


def longest_stranger(engine: EngineState, connection: Connection) -> Connection | None:
    """Who has waited longest without showing a token: they make room where there is none left."""
    if engine.options.tokens is None:
        return None
    others = (one for one in engine.connections.values() if one is not connection)
    return next((one for one in others if one.principal is None and not (one.closing or one.gone)), None)


def refuse_token(engine: EngineState, connection: Connection) -> FechnerError:
    """What a wrong token is told once it has waited."""
    engine.emit(Log("warning", f"{connection.peer} sent a wrong token"))
    if connection.principal is not None:
        text, hint = "this connection has shown another token already", "open another connection"
        return FechnerError("unauthorized", text, "message.token", hint)
    return FechnerError("unauthorized", "the token is not one that this server takes", "message.token")
