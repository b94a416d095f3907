"""skip: a trial that was handed out is closed without outcome."""

from __future__ import annotations

from fechner.database.form.changes import SkipChange
from fechner.server.protocol.messages import Skip
from fechner.server.session.handlers.registry import handles
from fechner.server.session.handlers.results import Answer, Context, require_setup
from fechner.server.session.handlers.trials import pending_trial


@handles("skip", "1")
def skip(context: Context, message: Skip) -> Answer:
    """Close a pending trial; it counts as asked, and `again` hands its point out again."""
    require_setup(context)
    trial = pending_trial(context.session, message.trial, "message.trial")
    change: SkipChange = {
        "type": "skip",
        "trial": trial.number,
        "strategy": trial.strategy,
        "reason": message.reason,
        "again": message.again,
    }
    return Answer({"trial": trial.number}, change)
