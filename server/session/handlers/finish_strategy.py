"""finish_strategy: end the current stage."""

from __future__ import annotations

from fechner.database.form.changes import FinishStrategyChange
from fechner.server.protocol.messages import FinishStrategy
from fechner.server.session.handlers.registry import handles
from fechner.server.session.handlers.results import Answer, Context, require_setup


@handles("finish_strategy", "1", "aepsych-0.8")
def finish_strategy(context: Context, message: FinishStrategy) -> Answer:
    """The next stage begins at the next ask."""
    require_setup(context)
    session = context.session
    stage = session.state.current.name
    change: FinishStrategyChange = {
        "type": "finish_strategy",
        "strategy": session.current,
        "stage": stage,
    }
    return Answer({"finished": stage, "strategy": session.current}, change)
