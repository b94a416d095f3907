"""Faults of the protocol, in the same form as those of the core: code, detail, where, hint.

The form is that of docs/reference/wire.md, Requests and replies; the codes are those of its section Codes.
"""

from __future__ import annotations

from typing import Any

from fechner.strategies.errors import ConfigError, FechnerError

__all__ = ["CODES", "ConfigError", "FechnerError", "as_message", "inside"]

#: Every code that a reply can carry, and what raises it.
CODES: dict[str, str] = {
    "bad_json": "the stream is not JSON",
    "too_large": "a message or a text is longer than the limit",
    "too_deep": "a message is nested deeper than the limit",
    "bad_request": "the envelope has a wrong form",
    "unknown_type": "no such message type in this version",
    "unknown_version": "no such protocol version",
    "unknown_field": "a field that the message doesn't have",
    "bad_value": "a field's value has a wrong type or range",
    "unknown_parameter": "a misspelt or missing parameter name",
    "out_of_bounds": "a value outside its parameter's box",
    "bad_outcome": "an outcome that its type doesn't allow",
    "bad_config": "a configuration that can't be used",
    "no_session": "nothing is set up on this connection",
    "unknown_session": "no such session for this sender",
    "session_busy": "another connection holds the session",
    "no_strategy": "a strategy is named, but nothing is set up on this connection",
    "unknown_strategy": "the session has no such strategy",
    "unknown_trial": "no such trial in the session",
    "trial_already_told": "the trial has its outcome already",
    "no_model": "the current stage has no model",
    "not_enough_data": "the model has no data",
    "unauthorized": "the sender may not do this",
    "id_reused": "the id belongs to another request",
    "limit_reached": "a limit of the server",
    "read_only": "the record is open for reading only",
    "shutting_down": "the server is stopping",
    "storage_failed": "the record could not be written; sent again with its id, the request counts once",
    "internal": "a fault of the server; its log explains the incident",
}


def inside(error: FechnerError, field: str) -> FechnerError:
    """The error of a message that stands in a field of another one: the same, in that place."""
    if error.where.partition(".")[0] != "message":
        return error
    where = f"message.{field}{error.where.removeprefix('message')}"
    return FechnerError(error.code, error.detail, where, error.hint)


def as_message(error: FechnerError) -> dict[str, Any]:
    """The error as the wire shows it: `code` and `detail`, `where` and `hint` where there are any."""
    message: dict[str, Any] = {"code": error.code, "detail": error.detail}
    if error.where:
        message["where"] = error.where
    if error.hint:
        message["hint"] = error.hint
    if isinstance(error, ConfigError):
        message["problems"] = [
            {
                "section": problem.section,
                "key": problem.key,
                "value": problem.value,
                "detail": problem.detail,
                "hint": problem.hint,
            }
            for problem in error.problems
        ]
    return message
