"""What each message type is: one row each, read by all who treat some types otherwise than others.

A new type is a class in `messages`, a row here and its handler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fechner.server.protocol.messages import (
    Ask,
    Auth,
    Correct,
    Exit,
    FinishStrategy,
    GetConfig,
    Hello,
    Info,
    Message,
    Parameters,
    Ping,
    Query,
    Replay,
    Resume,
    Setup,
    Shutdown,
    Skip,
    Status,
    Tell,
    Update,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A message type.

    Attributes:
        message: what its requests are parsed into.
        handler: the module of `session.handlers` that answers it; empty where the engine answers it itself,
            or makes two of it.
        in_version_1: version 1 has it; other types are those of older dialects alone.
        sessionless: it belongs to no session: it is answered without one, and is not on record.
        before_auth: whoever has shown no token may send it.
        observer_may: who only looks on may send it.
        sets_up: it begins a session where there is none.
        takes_hold: its sender holds the session from then on, or looks on, also after the session's end.
        barrier: later requests of its connection wait for its outcome, which decides what session they mean.
        reattachable: it may go on with a session that a lost connection left behind, without naming it.
        carries_trials: it may hold so many trials that their number is looked at before they are.
        in_vain: nobody needs its answer once its sender is gone.
        waits_for_commit: its reply waits for its commit also where it changes nothing: experiments end by it.
        needs_disk: its reply warns of a disk that is nearly full.
        before_ask: after it the same participant's next ask is on its way.
        logged: what the log says has become of a session that adopted it; empty: nothing.
    """

    message: type[Message]
    handler: str = ""
    in_version_1: bool = True
    sessionless: bool = False
    before_auth: bool = False
    observer_may: bool = False
    sets_up: bool = False
    takes_hold: bool = False
    barrier: bool = False
    reattachable: bool = False
    carries_trials: bool = False
    in_vain: bool = False
    waits_for_commit: bool = False
    needs_disk: bool = False
    before_ask: bool = False
    logged: str = ""


#: Every type by its name on the wire, those of version 1 in the order in which it lists them.
KINDS: Mapping[str, Kind] = {
    "hello": Kind(Hello, sessionless=True, before_auth=True),
    "auth": Kind(Auth, sessionless=True, before_auth=True),
    "ping": Kind(Ping, sessionless=True, observer_may=True, in_vain=True),
    "status": Kind(Status, sessionless=True, observer_may=True),
    "setup": Kind(
        Setup, "setup", sets_up=True, takes_hold=True, barrier=True, needs_disk=True, logged="set up"
    ),
    "ask": Kind(Ask, "ask", reattachable=True, in_vain=True, waits_for_commit=True, needs_disk=True),
    "tell": Kind(Tell, "tell", reattachable=True, carries_trials=True, before_ask=True),
    "update": Kind(Update, reattachable=True, carries_trials=True),
    "skip": Kind(Skip, "skip", before_ask=True),
    "correct": Kind(Correct, "correct", before_ask=True),
    "query": Kind(Query, "query", observer_may=True, in_vain=True),
    "parameters": Kind(Parameters, "info", observer_may=True, in_vain=True),
    "info": Kind(Info, "info", observer_may=True, in_vain=True),
    "get_config": Kind(GetConfig, "info", observer_may=True, in_vain=True),
    "finish_strategy": Kind(FinishStrategy, "finish_strategy", before_ask=True),
    "resume": Kind(Resume, "resume", observer_may=True, takes_hold=True, barrier=True, logged="resumed"),
    "replay": Kind(Replay, in_vain=True),
    "exit": Kind(Exit, "exit", barrier=True, logged="ended"),
    "shutdown": Kind(Shutdown, sessionless=True),
    "can_model": Kind(Info, "info", in_version_1=False),
}

#: What a type is that there is not.
UNKNOWN = Kind(Message)

#: The message of each type of version 1.
MESSAGES: Mapping[str, type[Message]] = {
    type_: kind.message for type_, kind in KINDS.items() if kind.in_version_1
}


def kind_of(type_: str) -> Kind:
    """The row of a type, as a request names it."""
    return KINDS.get(type_, UNKNOWN)
