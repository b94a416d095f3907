"""Sessions by their ids."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from fechner.server.protocol.errors import FechnerError
from fechner.server.session.handlers.registry import load
from fechner.strategies._lazy import Lazy

if TYPE_CHECKING:
    from fechner.server.session import session as sessions
else:
    sessions = Lazy("fechner.server.session.session")  # numpy: not before a session is wanted


def new_session(id_: str) -> sessions.Session:
    """A session without a strategy."""
    load()
    return sessions.Session(id_)


def session_id(text: str | None) -> str | None:
    """A session's UUID in its canonical spelling.

    Raises:
        FechnerError: it is none.
    """
    if text is None:
        return None
    try:
        if len(text) != 36:
            raise ValueError
        return str(uuid.UUID(text))
    except ValueError:
        raise FechnerError(
            "bad_value",
            f"{text[:40]!r} is no session id",
            "session",
            "a session id is a UUID, as setup returned it",
        ) from None
