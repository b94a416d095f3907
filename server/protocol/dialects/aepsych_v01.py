"""The AEPsych 0.1 dialects: bare points and bare words, and what `"version": "0.01"` changes.

They are those of docs/reference/wire.md, AEPsych.

A request with that version has its setup, resume and ask answered in the versioned shapes; all else, and
every request without it, in the unversioned ones. An unversioned setup answers with the first point, an
update with the point after its tell: both go on record as two messages.
"""

from __future__ import annotations

from typing import Any

from fechner.server.protocol.dialects.aepsych_tells import parse_trials
from fechner.server.protocol.dialects.aepsych_v08 import AEPSYCH_08, HABITS, parse_setup
from fechner.server.protocol.dialects.base import Reply, Request
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.jsontext import render as to_json
from fechner.server.protocol.messages import Ask, Begin, Exit, Message, Setup, Tell, Update, validate

VERSION = "0.01"
#: Types that are as they are in 0.8; can_model's and query's replies too.
_AS_LATER = ("resume", "query", "parameters", "can_model")
_TYPES = ("setup", "resume", "ask", "tell", "update", "query", "parameters", "can_model", "exit")


class Aepsych01:
    """Translates the 0.1 generation, versioned and not."""

    name = "aepsych-0.1"
    versions: tuple[str | None, ...] = (VERSION,)
    handlers = AEPSYCH_08.handlers
    traits = HABITS
    ending = b""
    recall = None

    def speaks(self, value: dict[str, Any]) -> bool:
        """Who names its version and isn't the Unity client."""
        return is_versioned(value) and not AEPSYCH_08.speaks(value)

    def parse(self, value: dict[str, Any]) -> Request:
        """A request of the 0.1 generation."""
        type_ = value.get("type")
        request = Request(raw=value, type=type_ if isinstance(type_, str) else "")
        try:
            if request.type not in _TYPES:
                raise FechnerError("unknown_type", f"there is no message type '{request.type[:60]}'", "type")
            if request.type in _AS_LATER:
                return AEPSYCH_08.parse(value)
            request.message = _message(request.type, value)
        except FechnerError as error:
            request.fault = error
        return request

    def render(self, request: Request, reply: Reply) -> str:
        """The reply, most often a bare word or a bare point."""
        message = reply.message
        if reply.error is not None:
            return "bad request"
        if request.type == "update" or isinstance(request.message, Begin):  # the point that follows is all
            return "bad request" if "error" in message["ask"] else to_json(_point(message["ask"]))
        if request.type == "setup":
            return str(message["strategy"])
        if request.type == "resume":
            return to_json(message["strategy"])
        if request.type == "ask":
            versioned = is_versioned(request.raw) and request.raw.get("type") == "ask"
            point = _point(message)
            return to_json({"config": point, "is_finished": message["finished"]} if versioned else point)
        if request.type == "tell":
            return "acq"
        if request.type == "exit":
            return "Terminate"
        return AEPSYCH_08.render(request, reply)


def is_versioned(raw: Any) -> bool:
    """Whether a request is of the versioned kind."""
    return isinstance(raw, dict) and raw.get("version") == VERSION


def _point(asked: dict[str, Any]) -> dict[str, list[Any]]:
    """An ask's trials, as a list of values for each parameter."""
    trials = asked["trials"]
    names = trials[0]["config"] if trials else ()
    return {name: [trial["config"][name] for trial in trials] for name in names}


def _message(type_: str, value: dict[str, Any]) -> Message:
    content = value.get("message")
    if type_ == "setup":
        setup = parse_setup(value, content if isinstance(content, dict) else {})
        assert isinstance(setup, Setup)
        return setup if is_versioned(value) else Begin(setup=setup)
    if type_ == "ask":
        return validate(Ask, {})
    if type_ == "exit":
        return Exit()
    tells = content if isinstance(content, list) else [content]
    told = []
    for one in tells:
        if not isinstance(one, dict):
            raise FechnerError("bad_value", "a tell has a `config` and an `outcome`", where="message")
        told += parse_trials(one, value.get("extra_info"))
    tell = Tell(trials=told)
    return tell if type_ == "tell" else Update(tell=tell)


AEPSYCH_01 = Aepsych01()
