"""correct: another outcome for a told trial, or its removal; what was told stays on record."""

from __future__ import annotations

from fechner.database.form.changes import CorrectChange
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.messages import Correct
from fechner.server.session.handlers.registry import handles
from fechner.server.session.handlers.results import Answer, Context, require_setup
from fechner.server.session.handlers.trials import AFTER_ALL, trial_by_number
from fechner.server.session.session import SKIPPED, TOLD
from fechner.strategies.space.outcomes import clean_outcome


@handles("correct", "1")
def correct(context: Context, message: Correct) -> Answer:
    """From now on the model sees the corrected data."""
    require_setup(context)
    session = context.session
    trial = trial_by_number(session, message.trial, "message.trial")
    if trial.status != TOLD:
        raise FechnerError(
            "unknown_trial",
            f"trial {message.trial} has no outcome to correct; it is {trial.status}",
            where="message.trial",
            hint=AFTER_ALL if trial.status == SKIPPED else "tell it",
        )
    if message.remove == (message.outcome is not None):
        raise FechnerError(
            "bad_value",
            "either an `outcome` or `remove` says how the trial is corrected",
            where="message.outcome" if message.remove else "message",
        )
    strategy = session.strategies[trial.strategy]
    outcome = None
    if message.outcome is not None:
        outcome = clean_outcome(strategy.state.specification, message.outcome)
    modelled = outcome is not None and (message.trial in strategy.rows or message.trial in strategy.removed)
    change: CorrectChange = {
        "type": "correct",
        "trial": message.trial,
        "strategy": trial.strategy,
        "outcome": outcome,
    }
    return Answer({"trial": message.trial, "modelled": int(modelled)}, change)
