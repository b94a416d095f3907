"""Who may do what: tokens and the roles of those who show them (docs/reference/wire.md, Security).

Neither logs nor the record hold tokens: a session's owner is a digest of the token.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["experimenter", "observer", "admin"]
ROLES: tuple[Role, ...] = ("experimenter", "observer", "admin")

#: How long a wrong token waits for its answer, and how many of them close a connection.
PENALTY_SECONDS = 1.0
MOST_WRONG = 3


@dataclass(frozen=True)
class Principal:
    """Whoever is on the other end of a connection.

    Attributes:
        role: what they may do.
        owner: the owner of the sessions they set up; None where nobody asked for a token.
        sees_all: other people's sessions are open to them too.
    """

    role: Role
    owner: str | None = None
    sees_all: bool = False


#: Everybody, on a server that asks for no token.
OPEN = Principal("experimenter", sees_all=True)

#: A client of a dialect that has no way to authenticate, on a server that asks others for a token.
NAMELESS = Principal("experimenter")


class Tokens:
    """The tokens that a server takes.

    Args:
        roles: each token's role.
    """

    def __init__(self, roles: Mapping[str, Role]) -> None:
        self._principals = [
            (_digest(token), Principal(role, _owner(token), role == "admin")) for token, role in roles.items()
        ]

    def principal(self, token: str) -> Principal | None:
        """Whose token it is, None if nobody's; takes the same time for every token."""
        given = _digest(token)
        found = None
        for digest, principal in self._principals:
            if hmac.compare_digest(digest, given):
                found = principal
        return found


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _owner(token: str) -> str:
    """What the record calls a token's owner: tells owners apart and gives no token away."""
    return hashlib.sha256(b"fechner owner\0" + token.encode()).hexdigest()[:32]
