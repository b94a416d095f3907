"""A value has come from a client: the steps by which it becomes a request that waits for its turn.

Each step takes the request as far as it is known and returns it, or `Done` where nothing more is to be done
with it. They are in `STEPS`, in their order; `names` lists them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Literal

from fechner.server.engine.authentication import introduce
from fechner.server.engine.events import Received
from fechner.server.engine.lanes import Connection
from fechner.server.engine.reattachment import note_sender
from fechner.server.engine.routing import queue, reply_to
from fechner.server.engine.state import EngineState
from fechner.server.protocol.dialects import Request, choose
from fechner.server.protocol.dialects.base import Reply
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.kinds import kind_of
from fechner.server.protocol.limits import count_trials, too_many
from fechner.server.protocol.messages import Ping


class Done(Enum):
    """What a step returns that leaves nothing to do for the others."""

    DONE = "done"


DONE: Literal[Done.DONE] = Done.DONE

Step = Callable[[EngineState, Connection, Request], Request | Done]


def choose_dialect(engine: EngineState, connection: Connection, request: Request) -> Request | Done:
    """A connection's first request decides which dialect it speaks; what is no request speaks none."""
    fault = None
    if not isinstance(request.raw, dict):
        fault = FechnerError("bad_request", "a request is a JSON object", hint="send {…}")
    elif connection.dialect is None:
        try:
            connection.dialect = choose(request.raw, engine.options.dialect)
        except FechnerError as error:
            fault = error
    if fault is None:
        return request
    request.fault = fault
    return wait_for_turn(engine, connection, request)


def introduce_sender(engine: EngineState, connection: Connection, request: Request) -> Request | Done:
    """Whoever needs no token is somebody from the first request on."""
    if connection.principal is None:
        introduce(engine, connection)
    return request


def refuse_too_many(engine: EngineState, connection: Connection, request: Request) -> Request | Done:
    """More trials than one message may have are refused before it takes time to look at each."""
    type_ = request.raw.get("type")
    if not (isinstance(type_, str) and kind_of(type_).carries_trials):
        return request
    told, where = count_trials(request.raw)
    if told <= engine.limits.trials_per_tell:
        return request
    assert connection.dialect is not None
    refused = connection.dialect.parse({**request.raw, "message": {}})
    refused.raw, refused.message = request.raw, None
    refused.fault = too_many(told, engine.limits, where)
    return refused


def parse(engine: EngineState, connection: Connection, request: Request) -> Request | Done:
    """The dialect says what is asked, or what is wrong with it."""
    assert connection.dialect is not None
    return request if request.fault is not None else connection.dialect.parse(request.raw)


def note_who_sits_there(engine: EngineState, connection: Connection, request: Request) -> Request | Done:
    """Of dialects that name no session: who speaks, for when the connection breaks."""
    note_sender(engine, connection, request)
    return request


def answer_ping(engine: EngineState, connection: Connection, request: Request) -> Request | Done:
    """A ping with an id waits for nothing."""
    ping = isinstance(request.message, Ping) and request.id is not None
    if not ping or connection.principal is None:
        return request
    reply_to(engine, connection, request, Reply(), engine.now.seconds)
    return DONE


def wait_for_turn(engine: EngineState, connection: Connection, request: Request) -> Request | Done:
    """Everything else comes after what the connection asked before."""
    queue(engine, connection, request)
    return DONE


STEPS: tuple[Step, ...] = (
    choose_dialect,
    introduce_sender,
    refuse_too_many,
    parse,
    note_who_sits_there,
    answer_ping,
    wait_for_turn,
)


def names() -> list[str]:
    """The steps by name, in their order."""
    return [step.__name__ for step in STEPS]


def receive(engine: EngineState, event: Received) -> None:
    """A value came: take it through the steps."""
    connection = engine.connections.get(event.connection)
    if connection is None or not connection.phase.hears:
        return
    connection.last_heard = engine.now.seconds
    request = Request(raw=event.value, type="")
    for step in STEPS:
        taken = step(engine, connection, request)
        if isinstance(taken, Done):
            return
        request = taken
