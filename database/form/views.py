"""Views for people who bring SQL: ``v_trials`` and ``v_sessions``, the same in every database."""

from __future__ import annotations

import sqlalchemy as sa

#: Their columns, for the documentation.
COLUMNS = {
    "v_trials": (
        "session", "name", "participant", "strategy", "stage", "trial", "status", "asked_at", "told_at",
        "parameters", "outcomes", "response_time", "confidence", "post_mean", "post_sd", "model_data",
        "corrected_seq", "shown", "client_time", "extra",
    ),
    "v_sessions": (
        "session", "name", "participant", "description", "created_at", "last_at", "ended_at", "n_messages",
        "n_strategies", "n_trials", "n_pending", "n_told", "n_skipped", "peer", "environment",
    ),
}  # fmt: skip

_TRIALS = """CREATE VIEW v_trials AS
SELECT t.session, s.name, s.participant, t.strategy, t.stage, t.trial, t.status, t.asked_at, t.told_at,
  ({parameters}) AS parameters,
  ({outcomes}) AS outcomes,
  t.response_time, t.confidence, t.post_mean, t.post_sd, t.model_data, t.corrected_seq,
  t.shown_json AS shown, t.client_time_json AS client_time, t.extra_json AS extra
FROM trials AS t JOIN strategies AS s ON s.session = t.session AND s.strategy = t.strategy"""

_SESSIONS = """CREATE VIEW v_sessions AS
SELECT s.session, n.name, n.participant, n.description, s.created_at, s.last_at, s.ended_at, s.n_messages,
  (SELECT count(*) FROM strategies AS x WHERE x.session = s.session) AS n_strategies,
  (SELECT count(*) FROM trials AS t WHERE t.session = s.session) AS n_trials,
  (SELECT count(*) FROM trials AS t WHERE t.session = s.session AND t.status = 'pending') AS n_pending,
  (SELECT count(*) FROM trials AS t WHERE t.session = s.session AND t.status = 'told') AS n_told,
  (SELECT count(*) FROM trials AS t WHERE t.session = s.session AND t.status = 'skipped') AS n_skipped,
  s.peer, s.environment_json AS environment
FROM sessions AS s LEFT JOIN strategies AS n ON n.session = s.session
  AND n.strategy = (SELECT max(x.strategy) FROM strategies AS x WHERE x.session = s.session)"""

# SQLite writes 15 digits of a number into JSON; 17 where these aren't enough to give it back (the last one
# can be off even so; the tables have the number itself).
_SQLITE_VALUE = (
    "CASE WHEN v.text IS NOT NULL THEN json_quote(v.text) WHEN v.number IS NULL THEN 'null'"
    " WHEN CAST(printf('%!.15g', v.number) AS REAL) = v.number THEN printf('%!.15g', v.number)"
    " ELSE printf('%!.17g', v.number) END"
)
_SQLITE = {
    "parameters": (
        "SELECT json_group_object(p.name, json(p.value)) FROM"
        f" (SELECT v.name, CASE count(*) WHEN 1 THEN max({_SQLITE_VALUE})"
        f" ELSE '[' || group_concat({_SQLITE_VALUE}, ',') || ']' END AS value"
        " FROM (SELECT * FROM trial_parameters AS q WHERE q.session = t.session AND q.trial = t.trial"
        " ORDER BY q.name, q.stimulus) AS v GROUP BY v.name) AS p"
    ),
    "outcomes": (
        f"SELECT CASE count(*) WHEN 0 THEN NULL ELSE json_group_object(v.name, json({_SQLITE_VALUE})) END"
        " FROM trial_outcomes AS v WHERE v.session = t.session AND v.trial = t.trial"
    ),
}
_POSTGRESQL_VALUE = "CASE WHEN v.text IS NOT NULL THEN to_json(v.text) ELSE to_json(v.number) END"
_POSTGRESQL = {
    "parameters": (
        "SELECT coalesce(json_object_agg(p.name, p.value ORDER BY p.name), '{}')::text FROM"
        f" (SELECT v.name, CASE count(*) WHEN 1 THEN json_agg({_POSTGRESQL_VALUE})->0"
        f" ELSE json_agg({_POSTGRESQL_VALUE} ORDER BY v.stimulus) END AS value FROM trial_parameters AS v"
        " WHERE v.session = t.session AND v.trial = t.trial GROUP BY v.name) AS p"
    ),
    "outcomes": (
        f"SELECT json_object_agg(v.name, {_POSTGRESQL_VALUE} ORDER BY v.name)::text"
        " FROM trial_outcomes AS v WHERE v.session = t.session AND v.trial = t.trial"
    ),
}


def statements(dialect: str) -> tuple[str, str]:
    """The statements that make the views in a database of this kind (`sqlite`, `postgresql`)."""
    values = _POSTGRESQL if dialect == "postgresql" else _SQLITE
    return _TRIALS.format(**values), _SESSIONS


def create(target: object, connection: sa.Connection, **more: object) -> None:
    """Make the views; a listener for ``after_create`` of the tables."""
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
