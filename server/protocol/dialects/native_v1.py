"""Version 1 of the wire (docs/reference/wire.md, Requests and replies, Messages)."""

from __future__ import annotations

import difflib
import json
from typing import Any

from fechner.server.protocol.dialects.base import Reply, Request, Timing
from fechner.server.protocol.dialects.traits import Traits
from fechner.server.protocol.errors import FechnerError, as_message
from fechner.server.protocol.jsontext import render as to_json
from fechner.server.protocol.kinds import MESSAGES
from fechner.server.protocol.messages import validate

_ENVELOPE = ("version", "type", "id", "session", "message")


class Native:
    """Translates version 1."""

    name = "1"
    versions: tuple[str | None, ...] = ("1",)
    handlers = "1"
    traits = Traits()
    ending = b"\n"

    def speaks(self, value: dict[str, Any]) -> bool:
        """Who says so."""
        return bool(value.get("version") == "1")

    def parse(self, value: dict[str, Any]) -> Request:
        """A request of version 1."""
        type_, id_, session = value.get("type"), value.get("id"), value.get("session")
        request = Request(
            raw=value,
            type=type_ if isinstance(type_, str) else "",
            id=id_ if isinstance(id_, str) and len(id_) <= 64 else None,
            session=session if isinstance(session, str) else None,
        )
        try:
            self._check(value)
            request.message = validate(MESSAGES[request.type], value.get("message", {}))
        except FechnerError as error:
            request.fault = error
        return request

    def _check(self, value: dict[str, Any]) -> None:
        if value.get("version") != "1":
            named = (
                f"not {str(value['version'])[:40]!r}" if "version" in value else "and the request names none"
            )
            raise FechnerError(
                "unknown_version",
                f"this connection speaks version 1, {named}",
                where="version",
                hint='every request carries "version": "1"',
            )
        for key in value:
            if key not in _ENVELOPE:
                near = difflib.get_close_matches(key, _ENVELOPE, 1)
                raise FechnerError(
                    "unknown_field",
                    f"'{key[:60]}' is no field of a request",
                    where=key[:300],
                    hint=f"did you mean '{near[0]}'?" if near else f"the fields are {', '.join(_ENVELOPE)}",
                )
        type_, id_, session = value.get("type"), value.get("id"), value.get("session")
        if not isinstance(type_, str):
            raise FechnerError("bad_request", "a request has a `type`, a text", where="type")
        if id_ is not None and not (isinstance(id_, str) and len(id_) <= 64):
            raise FechnerError("bad_request", "an id is a text of up to 64 characters", where="id")
        if session is not None and not isinstance(session, str):
            raise FechnerError("bad_request", "a session is named by its UUID, a text", where="session")
        if type_ not in MESSAGES:
            near = difflib.get_close_matches(type_, MESSAGES, 1)
            raise FechnerError(
                "unknown_type",
                f"there is no message type '{type_[:60]}'",
                where="type",
                hint=f"did you mean '{near[0]}'?" if near else f"the types are {', '.join(MESSAGES)}",
            )

    def render(self, request: Request, reply: Reply) -> str:
        """The envelope of a reply."""
        envelope: dict[str, Any] = {"version": "1", "type": request.type or None}
        if request.id is not None:
            envelope["id"] = request.id
        if reply.error is not None:
            return to_json({**envelope, "ok": False, "error": as_message(reply.error)})
        if reply.session is not None:
            envelope["session"] = reply.session
        envelope["ok"] = True
        envelope["message"] = reply.message
        if reply.warnings:
            envelope["warnings"] = [{"code": code, "detail": detail} for code, detail in reply.warnings]
        timing = {
            "queue_ms": round(reply.timing.queue_ms, 3),
            "compute_ms": round(reply.timing.compute_ms, 3),
        }
        if reply.timing.tier is not None:
            timing["tier"] = reply.timing.tier  # type: ignore[assignment]
        envelope["timing"] = {**timing, "from": reply.timing.source}
        return to_json(envelope)

    def recall(self, text: str) -> Reply:
        """The reply that such an envelope shows."""
        envelope = json.loads(text)
        timing = envelope["timing"]
        return Reply(
            envelope["message"],
            session=envelope["session"],
            warnings=[(warning["code"], warning["detail"]) for warning in envelope.get("warnings", ())],
            timing=Timing(timing["queue_ms"], timing["compute_ms"], timing.get("tier"), timing["from"]),
        )


NATIVE = Native()
