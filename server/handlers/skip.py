"""skip: a trial that was handed out is closed without outcome."""

from __future__ import annotations

from fechner.server.handlers.registry import Answer, Context, handles, require_setup
from fechner.server.handlers.trials import pending_trial
from fechner.server.messages import Skip


@handles("skip", "1")
def skip(context: Context, message: Skip) -> Answer:
    """Close a pending trial; it counts as asked, and `again` hands its point out again."""
    require_setup(context)
    trial = pending_trial(context.session, message.trial, "message.trial")
    change = {
        "type": "skip",
        "trial": trial.number,
        "strategy": trial.strategy,
        "reason": message.reason,
        "again": message.again,
    }
    return Answer({"trial": trial.number}, change)
