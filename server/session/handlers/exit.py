"""exit: end the session (it can be resumed)."""

from __future__ import annotations

from fechner.server.protocol.messages import Exit
from fechner.server.session.handlers.registry import handles
from fechner.server.session.handlers.results import Answer, Context, require_setup


@handles("exit", "1", "aepsych-0.8")
def exit(context: Context, message: Exit) -> Answer:
    """End the session."""
    require_setup(context)
    return Answer({"trials": context.session.counts()}, {"type": "exit"})
