"""What is on record: the entry to append, the message read back, and the hash that chains them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fechner.database.form.changes import Change

#: The hash before a session's first message.
NO_HASH = ""

#: The columns of ``messages`` that the hash covers, in its order: all but itself.
_HASHED = (
    "session",
    "seq",
    "client_id",
    "received_at",
    "duration_ms",
    "dialect",
    "type",
    "request",
    "reply",
    "ok",
    "tier",
    "change",
)
_TIME = _HASHED.index("received_at")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a session is.

    Attributes:
        name: the digest of the token that set it up; None where none was asked for.
    """

    name: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A message to append; the record gives it a sequence number and a hash.

    Attributes:
        session: the session's UUID.
        client_id: the client's id of the request, unique in the session among ok messages; None without one.
        dialect: the wire version.
        type: the message's type, for instance ``"ask"``.
        request: JSON text of the request.
        reply: the reply's text exactly as sent.
        ok: whether the request succeeded.
        received_at: when the request came, with a time zone.
        duration_ms: from receipt to reply.
        tier: which tier answered an ask, else None.
        change: what the message did to the session (see `form.changes`); None if nothing. The state is a
            fold over these.
    """

    session: str
    client_id: str | None
    dialect: str
    type: str
    request: str
    reply: str
    ok: bool
    received_at: datetime
    duration_ms: float
    tier: str | None = None
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message on record: an `Entry` with its sequence number (from 1 in its session) and hash."""

    session: str
    seq: int
    client_id: str | None
    dialect: str
    type: str
    request: str
    reply: str
    ok: bool
    received_at: datetime
    duration_ms: float
    tier: str | None
    change: Change | None
    hash: str


def to_json(value: object) -> str:
    """JSON text that gives back the very same value: keys in order, floats to the last bit, pure ASCII."""
    return json.dumps(value, separators=(",", ":"))


def chain(previous: str, row: Mapping[str, Any]) -> str:
    """The hash of a message: SHA-256 over the hash before it and a canonical text of its columns.

    Args:
        previous: the hash of the session's message before, `NO_HASH` for the first.
        row: the columns of ``messages`` by name.
    """
    values = [row[name] for name in _HASHED]
    values[_TIME] = row["received_at"].astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(to_json([previous, *values]).encode("ascii")).hexdigest()


def escape_id(client_id: str) -> str:
    """A client's id as it can be stored in any database: itself, unless it holds NUL or a lone surrogate.

    Ids with a backslash are escaped too, so that two different ids never become one.
    """
    if client_id.isascii() and "\\" not in client_id and "\0" not in client_id:
        return client_id
    if "\\" in client_id or "\0" in client_id or any("\ud800" <= mark <= "\udfff" for mark in client_id):
        return client_id.encode("unicode_escape").decode("ascii")
    return client_id


def unescape_id(stored: str) -> str:
    """The client's id that `escape_id` stored."""
    return stored.encode("ascii").decode("unicode_escape") if "\\" in stored else stored
