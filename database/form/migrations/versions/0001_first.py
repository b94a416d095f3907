"""The first schema: messages, and the projections sessions, strategies, trials with their values.

Frozen: it doesn't follow tables.py, so that old records are migrated from what they really are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("session", sa.String(36), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("client_id", sa.Text),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("duration_ms", sa.Double, nullable=False),
        sa.Column("dialect", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("ok", sa.Boolean, nullable=False),
        sa.Column("tier", sa.Text),
        sa.Column("change", sa.Text),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("session", "seq", name="pk_messages"),
    )
    identified = sa.column("ok", sa.Boolean) & sa.column("client_id", sa.Text).is_not(None)
    op.create_index(
        "ix_messages_session_client_id",
        "messages",
        ["session", "client_id"],
        unique=True,
        sqlite_where=identified,
        postgresql_where=identified,
    )
    op.create_table(
        "sessions",
        sa.Column("session", sa.String(36), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.Column("n_messages", sa.Integer, nullable=False),
        sa.Column("peer", sa.Text),
        sa.PrimaryKeyConstraint("session", name="pk_sessions"),
    )
    op.create_table(
        "strategies",
        sa.Column("session", sa.String(36), nullable=False),
        sa.Column("strategy", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("participant", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("metadata_json", sa.Text, nullable=False),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("config_format", sa.Text, nullable=False),
        sa.Column("seed", sa.Text),
        sa.Column("stages_json", sa.Text, nullable=False),
        sa.Column("outcomes_json", sa.Text, nullable=False),
        sa.Column("parameters_json", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("session", "strategy", name="pk_strategies"),
        sa.ForeignKeyConstraint(["session"], ["sessions.session"], name="fk_strategies_sessions"),
    )
    op.create_index("ix_strategies_participant", "strategies", ["participant"])
    op.create_table(
        "trials",
        sa.Column("session", sa.String(36), nullable=False),
        sa.Column("trial", sa.Integer, nullable=False),
        sa.Column("strategy", sa.Integer, nullable=False),
        sa.Column("stage", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("asked_at", _TIME),
        sa.Column("asked_seq", sa.Integer),
        sa.Column("told_at", _TIME),
        sa.Column("told_seq", sa.Integer),
        sa.Column("model_data", sa.Boolean),
        sa.Column("response_time", sa.Double),
        sa.Column("confidence", sa.Double),
        sa.Column("post_mean", sa.Double),
        sa.Column("post_sd", sa.Double),
        sa.Column("shown_json", sa.Text),
        sa.Column("client_time_json", sa.Text),
        sa.Column("extra_json", sa.Text),
        sa.PrimaryKeyConstraint("session", "trial", name="pk_trials"),
        sa.ForeignKeyConstraint(
            ["session", "strategy"],
            ["strategies.session", "strategies.strategy"],
            name="fk_trials_strategies",
        ),
    )
    op.create_table(
        "trial_parameters",
        sa.Column("session", sa.String(36), nullable=False),
        sa.Column("trial", sa.Integer, nullable=False),
        sa.Column("stimulus", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("number", sa.Double),
        sa.Column("text", sa.Text),
        sa.PrimaryKeyConstraint("session", "trial", "stimulus", "name", name="pk_trial_parameters"),
        sa.ForeignKeyConstraint(
            ["session", "trial"], ["trials.session", "trials.trial"], name="fk_trial_parameters_trials"
        ),
    )
    op.create_table(
        "trial_outcomes",
        sa.Column("session", sa.String(36), nullable=False),
        sa.Column("trial", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("number", sa.Double),
        sa.Column("text", sa.Text),
        sa.PrimaryKeyConstraint("session", "trial", "name", name="pk_trial_outcomes"),
        sa.ForeignKeyConstraint(
            ["session", "trial"], ["trials.session", "trials.trial"], name="fk_trial_outcomes_trials"
        ),
    )
