"""The record's statements, made once; SQLAlchemy keeps their compiled form."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from fechner.database.form.tables import (
    as_stored,
    forgotten,
    messages,
    sessions,
    strategies,
    trial_outcomes,
    trial_parameters,
    trials,
)

_close_trial = sa.update(trials).where(
    trials.c.session == bindparam("b_session"),
    trials.c.trial == bindparam("b_trial"),
    trials.c.status == "pending",
)


def _bind(*names: str) -> dict[str, Any]:
    return {name: bindparam(name) for name in names}


#: What a transaction writes: field of `projections.Rows` and statement, in an order that foreign keys allow.
WRITES: tuple[tuple[str, sa.Insert | sa.Update], ...] = (
    ("messages", sa.insert(messages)),
    ("sessions", sa.insert(sessions)),
    ("strategies", sa.insert(strategies)),
    ("trials", sa.insert(trials)),
    (
        "tells",
        _close_trial.values(
            status="told",
            **_bind(
                "told_at",
                "told_seq",
                "model_data",
                "response_time",
                "confidence",
                "shown_json",
                "client_time_json",
                "extra_json",
            ),
        ),
    ),
    ("skips", _close_trial.values(status="skipped", **_bind("told_at", "told_seq", "extra_json"))),
    ("trial_parameters", sa.insert(trial_parameters)),
    ("trial_outcomes", sa.insert(trial_outcomes)),
)

FORGET_OUTCOMES = sa.delete(trial_outcomes).where(
    trial_outcomes.c.session == bindparam("b_session"), trial_outcomes.c.trial == bindparam("b_trial")
)
CORRECT_OUTCOMES = sa.insert(trial_outcomes)
MARK_CORRECTED = (
    sa.update(trials)
    .where(trials.c.session == bindparam("b_session"), trials.c.trial == bindparam("b_trial"))
    .values(corrected_seq=bindparam("b_seq"))
)

TOUCH_SESSION = (
    sa.update(sessions)
    .where(sessions.c.session == bindparam("b_session"))
    .values(
        last_at=bindparam("b_last_at"),
        n_messages=bindparam("b_n_messages"),
        environment_json=sa.func.coalesce(
            bindparam("b_environment_json", type_=sa.Text), sessions.c.environment_json
        ),
        ended_at=sa.case(
            (
                bindparam("b_set_end", type_=sa.Boolean),
                bindparam("b_ended_at", type_=sessions.c.ended_at.type),
            ),
            else_=sessions.c.ended_at,
        ),
    )
)

_of_session = messages.c.session == bindparam("session")
_of_page = _of_session & (messages.c.seq > bindparam("after"))

HEAD = sa.select(messages.c.seq, messages.c.hash).where(_of_session).order_by(messages.c.seq.desc()).limit(1)
HASH = sa.select(messages.c.hash).where(_of_session, messages.c.seq == bindparam("seq"))
PAGE = sa.select(messages).where(_of_page).order_by(messages.c.seq).limit(bindparam("limit"))
#: The same for those who look for damage.
PAGE_AS_STORED = as_stored(messages).where(_of_page).order_by(messages.c.seq).limit(bindparam("limit"))
CHANGES = (
    sa.select(messages.c.seq, messages.c.type, messages.c.change)
    .where(_of_page, messages.c.ok, messages.c.change.is_not(None))
    .order_by(messages.c.seq)
    .limit(bindparam("limit"))
)
IDS = (
    sa.select(messages.c.client_id)
    .where(_of_session, messages.c.ok, messages.c.client_id.is_not(None))
    .order_by(messages.c.seq)
)
FORGOTTEN = sa.select(forgotten).order_by(forgotten.c.forgotten_at, forgotten.c.session)
FIND = sa.select(messages).where(_of_session, messages.c.ok, messages.c.client_id == bindparam("client_id"))
EXISTS = sa.select(sessions.c.n_messages).where(sessions.c.session == bindparam("session"))
OWNER = sa.select(sessions.c.owner).where(sessions.c.session == bindparam("session"))
LAST = (
    sa.select(sessions.c.session).order_by(sessions.c.last_at.desc(), sessions.c.created_at.desc()).limit(1)
)
LAST_OWNED = LAST.where(sessions.c.owner.is_not_distinct_from(bindparam("owner", type_=sa.Text)))

_counts = (
    sa.select(
        trials.c.session,
        sa.func.count().label("n_trials"),
        *(
            sa.func.count(sa.case((trials.c.status == status, 1))).label(f"n_{status}")
            for status in ("pending", "told", "skipped")
        ),
    )
    .group_by(trials.c.session)
    .subquery()
)
_newest = (
    sa.select(
        strategies.c.session,
        (sa.func.max(strategies.c.strategy) + 1).label("n_strategies"),
    )
    .group_by(strategies.c.session)
    .subquery()
)
SESSIONS = (
    sa.select(
        sessions,
        sa.func.coalesce(_newest.c.n_strategies, 0).label("n_strategies"),
        *(
            sa.func.coalesce(_counts.c[name], 0).label(name)
            for name in ("n_trials", "n_pending", "n_told", "n_skipped")
        ),
        strategies.c.name,
        strategies.c.participant,
        strategies.c.description,
    )
    .outerjoin(_newest, _newest.c.session == sessions.c.session)
    .outerjoin(
        strategies,
        (strategies.c.session == sessions.c.session) & (strategies.c.strategy == _newest.c.n_strategies - 1),
    )
    .outerjoin(_counts, _counts.c.session == sessions.c.session)
    .order_by(sessions.c.created_at, sessions.c.session)
)
STRATEGIES = (
    sa.select(strategies).where(strategies.c.session == bindparam("session")).order_by(strategies.c.strategy)
)
TRIALS = sa.select(trials).where(trials.c.session == bindparam("session")).order_by(trials.c.trial)
TRIAL_PARAMETERS = (
    sa.select(trial_parameters)
    .where(trial_parameters.c.session == bindparam("session"))
    .order_by(trial_parameters.c.trial, trial_parameters.c.name, trial_parameters.c.stimulus)
)
TRIAL_OUTCOMES = sa.select(trial_outcomes).where(trial_outcomes.c.session == bindparam("session"))
