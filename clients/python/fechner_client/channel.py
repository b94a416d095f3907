"""What a connection to a server is: send a request, wait for the reply with its id.

A channel knows nothing of sessions and never connects again: it raises ``Broken`` or ``Slow``. Where it
can't be opened in the first place, that is ``NoHost``, ``NotTrusted``, or an OSError that may pass.
"""

from __future__ import annotations

from typing import Any, Optional, Protocol

from fechner_client.errors import ProtocolError


class Broken(Exception):
    """The connection is gone; whether the request arrived is not known."""


class Slow(Exception):
    """No reply in time; the connection is as good as before."""


class NoHost(Exception):
    """The host's name is not known; trying again won't help. Its cause says more."""


class NotTrusted(Exception):
    """Who answers can't show to be the one wanted; trying again won't help. Its cause says more."""


class Channel(Protocol):
    """What the rest of the client needs of a connection."""

    def request(self, request: dict[str, Any], timeout: Optional[float]) -> dict[str, Any]:
        """The reply to a request (an envelope with an id); raises Broken, Slow or ProtocolError."""

    def close(self) -> None:
        """Let go of the connection; may be called twice."""


def reply_to(request: dict[str, Any], reply: Any, where: str) -> Optional[dict[str, Any]]:
    """The reply if it belongs to the request, None if it is the late one of an earlier request.

    An error without id belongs to whatever was sent last: the server could not read its id.
    """
    if not isinstance(reply, dict) or not isinstance(reply.get("ok"), bool):
        raise not_fechner(where, repr(reply)[:80])
    if reply.get("id") == request["id"] or (not reply["ok"] and "id" not in reply):
        return reply
    return None


def not_fechner(where: str, answer: str) -> ProtocolError:
    """What to raise when something else than Fechner's version 1 answers."""
    return ProtocolError(
        "protocol",
        f"what listens at {where} does not answer in version 1 of Fechner's protocol: {answer}",
        hint="is this the address and port of `fechner serve`?",
    )
