"""How an engine behaves: decided when the server begins, and the same until it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fechner.server.engine.principals import Tokens
from fechner.server.protocol.limits import Limits


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """What `Engine` is told.

    Attributes:
        dialect: `auto`, or the name of the dialect that every connection speaks.
        default_config: set up a connection's session from it if its first session message is not a setup.
        default_session: a session's id, or `last`: such a connection resumes it instead.
        read_only: change and record nothing; sessions can be looked at.
        eager, speculate: compute asks ahead of their requests (foresight.py).
        reattach: let a client that can't name its session go on with it after its connection broke
            (reattachment.py).
        exit_with_client: stop as soon as an exit is answered.
        limits: of the server.
        tokens: those that the server takes; None asks for none.
        nameless: with tokens, serve dialects that can't show one all the same (authentication.py).
    """

    dialect: str = "auto"
    default_config: str | dict[str, Any] | None = None
    default_session: str | None = None
    read_only: bool = False
    eager: bool = False
    speculate: bool = False
    reattach: bool = True
    exit_with_client: bool = False
    limits: Limits = field(default_factory=Limits)
    tokens: Tokens | None = None
    nameless: bool = True
