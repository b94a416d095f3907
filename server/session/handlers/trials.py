"""Which trial a request means."""

from __future__ import annotations

from fechner.server.protocol.errors import FechnerError
from fechner.server.session.session import PENDING, SKIPPED, Session, Trial

#: How a skipped trial gets an outcome after all.
AFTER_ALL = "tell an outcome after all by `config`, as a trial of its own"


def trial_by_number(session: Session, number: int, where: str) -> Trial:
    """The trial of this number.

    Raises:
        FechnerError: unknown_trial.
    """
    if number > len(session.trials):
        raise FechnerError(
            "unknown_trial",
            f"the session has no trial {number}",
            where=where,
            hint=f"its trials are numbered 1 to {len(session.trials)}" if session.trials else "ask first",
        )
    return session.trials[number - 1]


def pending_trial(session: Session, number: int, where: str) -> Trial:
    """The trial of this number, which waits for its outcome.

    Raises:
        FechnerError: unknown_trial, trial_already_told.
    """
    trial = trial_by_number(session, number, where)
    if trial.status == SKIPPED:
        raise FechnerError(
            "trial_already_told",
            f"trial {number} was skipped",
            where=where,
            hint=AFTER_ALL,
        )
    if trial.status != PENDING:
        raise FechnerError(
            "trial_already_told",
            f"trial {number} has its outcome already",
            where=where,
            hint="`correct` changes an outcome",
        )
    return trial
