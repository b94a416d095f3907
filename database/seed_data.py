"""Trials of earlier sessions that warm a model: which setups match, and what was told in them.

Every value of a condition is a bound parameter; what stands in a setup's metadata is compared here, since
databases take JSON apart in different ways.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from fechner.database.errors import UnreadableError
from fechner.database.form.changes import Outcome, read
from fechner.database.form.message import Owner
from fechner.database.form.tables import (
    Row,
    messages,
    sessions,
    strategies,
    trial_outcomes,
    trial_parameters,
    trials,
)

#: Conditions that have a column; any other key is one of the metadata.
COLUMNS = {
    "experiment_name": strategies.c.name,
    "experiment_description": strategies.c.description,
    "participant_id": strategies.c.participant,
}

_TOLD = (
    sa.select(trials.c.trial, trials.c.shown_json)
    .where(
        trials.c.session == bindparam("session"),
        trials.c.strategy == bindparam("strategy"),
        trials.c.status == "told",
        trials.c.model_data,
        sa.exists().where(
            trial_outcomes.c.session == trials.c.session, trial_outcomes.c.trial == trials.c.trial
        ),
    )
    .order_by(trials.c.trial.desc())
    .limit(bindparam("most"))
)


def _values(table: sa.Table) -> sa.Select[Any]:
    """The values of a session's trials from one number to another."""
    return (
        sa.select(table)
        .where(
            table.c.session == bindparam("session"),
            table.c.trial >= bindparam("first"),
            table.c.trial <= bindparam("last"),
        )
        .order_by(table.c.trial)
    )


_PARAMETERS = _values(trial_parameters).order_by(trial_parameters.c.name, trial_parameters.c.stimulus)
_OUTCOMES = _values(trial_outcomes).order_by(trial_outcomes.c.name)


def find_setups(
    connection: sa.Connection,
    wanted: Mapping[str, Sequence[str]],
    besides: str,
    owner: Owner | None = None,
) -> list[Row]:
    """The setups of other sessions for which every condition holds, the newest session first.

    Args:
        connection: to a record.
        wanted: for each key the texts of which the setup has one.
        besides: a session that is left out.
        owner: whose sessions count; None: everybody's.

    Returns:
        Rows with session, strategy, and parameters and outcomes as the setup recorded them.
    """
    statement = (
        sa.select(
            strategies.c.session,
            strategies.c.strategy,
            strategies.c.metadata_json,
            strategies.c.parameters_json,
            strategies.c.outcomes_json,
        )
        .join(sessions, sessions.c.session == strategies.c.session)
        .where(strategies.c.session != bindparam("besides"))
        .order_by(sessions.c.created_at.desc(), strategies.c.session, strategies.c.strategy.desc())
    )
    for key, texts in wanted.items():
        if key in COLUMNS:
            statement = statement.where(COLUMNS[key].in_(list(texts)))
    if owner is not None:
        statement = statement.where(sessions.c.owner.is_not_distinct_from(owner.name))
    others = {key: texts for key, texts in wanted.items() if key not in COLUMNS}
    found = []
    for row in connection.execute(statement, {"besides": besides}):
        try:
            if _has(json.loads(row.metadata_json), others):
                found.append(
                    {
                        "session": row.session,
                        "strategy": row.strategy,
                        "parameters": json.loads(row.parameters_json),
                        "outcomes": json.loads(row.outcomes_json),
                    }
                )
        except ValueError as error:
            raise UnreadableError(f"the setup of session {row.session} can't be read") from error
    return found


def read_trials(connection: sa.Connection, session: str, strategy: int, most: int) -> list[Row]:
    """The newest trials of a setup that have an outcome for the model, in order; at most `most`.

    Each row has session, trial, config (the stimulus really shown, if another was) and outcome (as
    corrected). Numbers are floats.
    """
    values = {"session": session, "strategy": strategy, "most": most}
    shown = {row.trial: row.shown_json for row in connection.execute(_TOLD, values)}
    if not shown:
        return []
    span = {"session": session, "first": min(shown), "last": max(shown)}
    configs: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in connection.execute(_PARAMETERS, span):
        configs[row.trial][row.name].append(row.number if row.text is None else row.text)
    outcomes: dict[int, Outcome] = defaultdict(dict)
    for row in connection.execute(_OUTCOMES, span):
        outcomes[row.trial][row.name] = row.number if row.text is None else row.text
    return [
        {
            "session": session,
            "trial": trial,
            "config": json.loads(shown[trial])
            if shown[trial] is not None
            else {name: one[0] if len(one) == 1 else one for name, one in configs[trial].items()},
            "outcome": outcomes[trial],
        }
        for trial in sorted(shown)
    ]


def copies(connection: sa.Connection, taken_from: Sequence[str]) -> list[str]:
    """The sessions whose setup copied trials of one of these sessions, except for these themselves."""
    if not taken_from:
        return []
    found = connection.execute(
        sa.select(messages.c.session, messages.c.change)
        .where(
            messages.c.type == "setup",
            messages.c.change.contains('"seed_data":', autoescape=True),
            messages.c.session.not_in(list(taken_from)),
        )
        .order_by(messages.c.session)
    )
    named = set(taken_from)
    return list(
        dict.fromkeys(
            row.session
            for row in found
            for change in (read(row.change),)
            if change["type"] == "setup"
            for rows in change.get("seed_data", {}).values()
            if any(one.get("session") in named for one in rows)
        )
    )


def _has(metadata: Mapping[str, object], wanted: Mapping[str, Sequence[str]]) -> bool:
    """Whether metadata have, for every key, one of its texts; keys' case doesn't matter."""
    said = {key.casefold(): value for key, value in metadata.items()}
    for key, texts in wanted.items():
        value = said.get(key.casefold())
        values = value if isinstance(value, list) else [value]
        if not any(_text(one) in texts for one in values if one is not None):
            return False
    return True


def _text(value: object) -> str:
    """A value of the metadata as a configuration spells it."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value)
