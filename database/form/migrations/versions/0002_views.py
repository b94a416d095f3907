"""Views for people who bring SQL, the message that corrected a trial, what computed a session, two indices.

Frozen, as 0001 is: the views are written out here and don't follow views.py.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

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

# SQLite writes 15 digits of a number into JSON; 17 where these aren't enough to give it back.
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


def upgrade() -> None:
    op.add_column("sessions", sa.Column("environment_json", sa.Text))
    op.add_column("trials", sa.Column("corrected_seq", sa.Integer))
    op.create_index("ix_strategies_name", "strategies", ["name"])
    op.create_index("ix_trials_told_at", "trials", ["told_at"])
    connection = op.get_bind()
    _fill(connection)
    values = _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE
    for statement in (_TRIALS.format(**values), _SESSIONS):
        connection.exec_driver_sql(statement)


def _fill(connection: sa.Connection) -> None:
    """Compute the new columns of rows that are there: the newest correction, the newest environment."""
    found = connection.execute(
        sa.text(
            "SELECT session, seq, change FROM messages WHERE change IS NOT NULL"
            " AND type IN ('correct', 'setup', 'resume') ORDER BY session, seq"
        )
    )
    for session, seq, text in found.all():
        change = json.loads(text)
        if change["type"] == "correct":
            connection.execute(
                sa.text("UPDATE trials SET corrected_seq = :seq WHERE session = :session AND trial = :trial"),
                {"seq": seq, "session": session, "trial": change["trial"]},
            )
        elif change.get("environment"):
            connection.execute(
                sa.text("UPDATE sessions SET environment_json = :text WHERE session = :session"),
                {"text": json.dumps(change["environment"], separators=(",", ":")), "session": session},
            )
