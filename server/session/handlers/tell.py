"""tell: outcomes of trials, by number or by configuration."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fechner.database.form.changes import TellChange, ToldTrial
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.limits import session_full, too_many
from fechner.server.protocol.messages import Tell, Told
from fechner.server.session.handlers.registry import handles
from fechner.server.session.handlers.results import Answer, Context, require_setup
from fechner.server.session.handlers.trials import pending_trial
from fechner.server.session.session import Session, Trial
from fechner.strategies.core import stopping
from fechner.strategies.core.sequential import advance
from fechner.strategies.space.axes import TOLERANCE
from fechner.strategies.space.outcomes import clean_outcome
from fechner.strategies.space.region import broken


@handles("tell", "1", "aepsych-0.8")
def tell(context: Context, message: Tell) -> Answer:
    """All outcomes of the message, or none."""
    require_setup(context)
    session, limits = context.session, context.limits
    many = message.trials is not None
    if many and message.model_fields_set != {"trials"}:
        raise FechnerError(
            "bad_value",
            "`trials` stands alone",
            where="message.trials",
            hint="put the options into each trial of the list",
        )
    told: list[Told] = message.trials if message.trials is not None else [message]
    if len(told) > limits.trials_per_tell:
        raise too_many(len(told), limits)
    taken: set[int] = set()
    pending = _Pending(session)
    rows: list[ToldTrial] = []
    new = session.next_trial
    for i, one in enumerate(told):
        where = f"message.trials.{i}" if many else "message"
        row = _row(session, one, pending, taken, new, where)
        new += not row["asked"]
        taken.add(row["trial"])
        rows.append(row)
    if new - 1 > limits.trials_per_session:
        raise session_full(limits)
    change: TellChange = {"type": "tell", "trials": rows}
    modelled = sum(row["model_data"] and row["outcome"] is not None for row in rows)
    reply = {
        "trials": [row["trial"] for row in rows],
        "modelled": modelled,
        "finished": _finished_after(session, rows),
    }
    return Answer(reply, change, _outside(session, rows))


def _outside(session: Session, rows: list[ToldTrial]) -> list[tuple[str, str]]:
    """Warnings of points that [constraints] rules out: they were shown, so they count."""
    found = []
    for row in rows:
        space = session.strategies[row["strategy"]].state.space
        config = row["shown"] or (None if row["asked"] else row["config"])
        rule = broken(space, config) if space.constraints and config is not None else None
        if rule is not None:
            word = "lies in" if rule.forbidden else "breaks"
            text = f"trial {row['trial']} {word} '{rule.key}' of [constraints]; it is taken all the same"
            found.append(("constraint", text))
    return found


def _row(session: Session, told: Told, pending: _Pending, taken: set[int], new: int, where: str) -> ToldTrial:
    """One told trial as the record keeps it; a point that was not asked has the number `new`."""
    trial: Trial | None
    if told.trial is not None:
        if told.config is not None:
            raise FechnerError(
                "bad_value",
                "either `trial` or `config` says which trial",
                where=f"{where}.config",
                hint="for the stimulus really shown use `shown`",
            )
        trial = _by_number(session, told.trial, taken, where)
        strategy = trial.strategy
        config = trial.config
    else:
        trial, strategy, config = None, session.current, None
        if told.config is not None:
            state = session.state
            stimuli = state.specification.stimuli_per_trial
            config = state.space.validate(dict(told.config), stimuli, f"{where}.config")
            trial = pending.at(config, taken)
        elif told.model_data or told.outcome is None:
            raise FechnerError(
                "bad_value",
                "a tell names its trial",
                where=where,
                hint="give `trial` (its number) or `config`",
            )
    specification, space = (
        session.strategies[strategy].state.specification,
        session.strategies[strategy].state.space,
    )
    outcome = None
    if told.outcome is not None:
        outcome = clean_outcome(specification, told.outcome, f"{where}.outcome")
    elif told.model_data:
        raise FechnerError(
            "bad_outcome",
            "the outcome is missing",
            where=f"{where}.outcome",
            hint="with model_data false a trial may be told without one",
        )
    shown = None
    if told.shown is not None:
        shown = space.validate(dict(told.shown), specification.stimuli_per_trial, f"{where}.shown")
    return {
        "trial": trial.number if trial is not None else new,
        "strategy": strategy,
        "asked": trial is not None,
        "stage": session.strategies[strategy].state.current.name,
        "config": dict(config) if config is not None else None,
        "shown": shown,
        "outcome": outcome,
        "model_data": told.model_data,
        "response_time": told.response_time,
        "confidence": told.confidence,
        "client_time": told.client_time,
        "extra": told.extra,
    }


def _by_number(session: Session, number: int, taken: set[int], where: str) -> Trial:
    trial = pending_trial(session, number, f"{where}.trial")
    if number in taken:
        raise FechnerError(
            "trial_already_told", f"trial {number} stands twice in this tell", where=f"{where}.trial"
        )
    return trial


class _Pending:
    """The pending trials of the current strategy, to be found by their points, also when there are many."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def _table(self) -> tuple[list[Trial], NDArray[np.float64]]:
        """The trials, oldest first, and their points as rows."""
        session = self._session
        trials = [trial for trial in session.pending.values() if trial.strategy == session.current]
        return trials, np.array([np.ravel(trial.unit) for trial in trials if trial.unit is not None])

    def at(self, config: dict[str, Any], taken: set[int]) -> Trial | None:
        """The oldest one whose point this is, of those that are not taken."""
        trials, points = self._table
        if not trials:
            return None
        state = self._session.state
        point = state.space.encode_trial(config, state.specification.stimuli_per_trial)
        for i in np.flatnonzero((np.abs(points - point.ravel()) <= 2 * TOLERANCE).all(axis=1)):
            trial = trials[i]
            if trial.number not in taken and state.space.close(config, trial.config or {}):
                return trial
        return None


def _finished_after(session: Session, rows: list[ToldTrial]) -> bool:
    """Whether the current strategy's rules hold once `rows` are told (posterior rules as of the last ask)."""
    values = [
        list(row["outcome"].values())
        for row in rows
        if row["strategy"] == session.current and row["model_data"] and row["outcome"] is not None
    ]
    state = session.state
    outcomes = np.array(values, dtype=np.float64).reshape(len(values), len(state.specification.outcomes))
    return stopping.finished_after(advance(state), outcomes) is not None
