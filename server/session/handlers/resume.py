"""resume: go on with a strategy, or with a session on record (the engine has loaded it by now)."""

from __future__ import annotations

from fechner.database.form.changes import ResumeChange
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.messages import Resume
from fechner.server.session.handlers.registry import handles
from fechner.server.session.handlers.results import Answer, Context, require_setup


@handles("resume", "1", "aepsych-0.8")
def resume(context: Context, message: Resume) -> Answer:
    """Make a strategy current; trials handed out and not told come back."""
    require_setup(context)
    session = context.session
    strategy = session.current if message.strategy is None else message.strategy
    if strategy >= len(session.strategies):
        raise FechnerError(
            "unknown_strategy",
            f"the session has no strategy {strategy}",
            where="message.strategy",
            hint=f"its strategies are 0 to {len(session.strategies) - 1}",
        )
    reply = {
        "session": session.id,
        "strategy": strategy,
        "trials": session.counts(),
        "pending": session.pending_list(),
    }
    if context.read_only:
        return Answer(reply)
    change: ResumeChange = {
        "type": "resume",
        "strategy": strategy,
        "environment": context.environment(),
    }
    return Answer(reply, change)
