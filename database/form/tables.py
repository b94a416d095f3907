"""The tables of the record (docs/reference/record.md).

``messages`` is append-only and is the record itself. The other tables are projections: every row of theirs is
computed from the ``change`` of a message, named by its ``seq``, and can be computed again.

Texts named ``…_json`` hold JSON. Times are UTC with microseconds. Numbers are double precision, so that a
float comes back as the float it was.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.util import OrderedSet

from fechner.database.errors import UnreadableError
from fechner.database.form import views

#: The newest revision of the schema that this program knows (migrations/versions).
HEAD = "0005"


class UtcTime(sa.types.TypeDecorator[datetime]):
    """A point in time: given with any time zone, stored in UTC with microseconds, returned in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value.isoformat()} has no time zone")
        utc = value if value.tzinfo is UTC else value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any]:
        """Like every type's; what is no time is refused by name, since SQLite takes anything."""
        processed = super().result_processor(dialect, coltype)
        assert processed is not None

        def read(value: Any) -> Any:
            try:
                return processed(value)
            except (ValueError, TypeError):
                return self.unreadable(value)

        return read

    def unreadable(self, value: Any) -> Any:
        """What stands for something that is no time."""
        raise UnreadableError(f"a time on record can't be read: {value!r}")


class AnyTime(UtcTime):
    """The same for those who look for damage: what is no time comes as it is."""

    cache_ok = True

    def unreadable(self, value: Any) -> Any:
        """The value itself."""
        return value


def as_stored(table: sa.Table) -> sa.Select[Any]:
    """All columns of a table, times that are none as they are."""
    return sa.select(
        *(
            sa.type_coerce(column, AnyTime).label(column.name) if isinstance(column.type, UtcTime) else column
            for column in table.columns
        )
    )


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)


def _session() -> sa.Column[str]:
    return sa.Column("session", sa.String(36), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


messages = sa.Table(
    "messages",
    metadata,
    _session(),
    _number("seq"),
    sa.Column("client_id", sa.Text),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Column("duration_ms", sa.Double, nullable=False),
    sa.Column("dialect", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("reply", sa.Text, nullable=False),
    sa.Column("ok", sa.Boolean, nullable=False),
    sa.Column("tier", sa.Text),
    sa.Column("change", sa.Text),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.PrimaryKeyConstraint("session", "seq"),
)
_identified = messages.c.ok & messages.c.client_id.is_not(None)
sa.Index(
    None,
    messages.c.session,
    messages.c.client_id,
    unique=True,
    sqlite_where=_identified,
    postgresql_where=_identified,
)

sessions = sa.Table(
    "sessions",
    metadata,
    _session(),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("last_at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime),
    _number("n_messages"),
    sa.Column("peer", sa.Text),
    sa.Column("environment_json", sa.Text),  # what computed: versions, threads, processor; the newest
    sa.Column("owner", sa.Text),  # the digest of the token that set it up; NULL where none was asked for
    sa.PrimaryKeyConstraint("session"),
)

strategies = sa.Table(
    "strategies",
    metadata,
    _session(),
    _number("strategy"),
    _number("seq"),
    sa.Column("name", sa.Text),
    sa.Column("participant", sa.Text),
    sa.Column("description", sa.Text),
    sa.Column("metadata_json", sa.Text, nullable=False),
    sa.Column("config", sa.Text, nullable=False),
    sa.Column("config_format", sa.Text, nullable=False),  # ini or json
    sa.Column("seed", sa.Text),  # of any size, so no number
    sa.Column("stages_json", sa.Text, nullable=False),
    sa.Column("outcomes_json", sa.Text, nullable=False),
    sa.Column("parameters_json", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("session", "strategy"),
    sa.ForeignKeyConstraint(["session"], ["sessions.session"]),
    sa.Index(None, "participant"),
    sa.Index(None, "name"),
)

trials = sa.Table(
    "trials",
    metadata,
    _session(),
    _number("trial"),
    _number("strategy"),
    sa.Column("stage", sa.Text),
    sa.Column("status", sa.Text, nullable=False),  # pending, told or skipped
    sa.Column("asked_at", UtcTime),
    sa.Column("asked_seq", sa.Integer),
    sa.Column("told_at", UtcTime),
    sa.Column("told_seq", sa.Integer),
    sa.Column("model_data", sa.Boolean),
    sa.Column("response_time", sa.Double),
    sa.Column("confidence", sa.Double),
    sa.Column("post_mean", sa.Double),
    sa.Column("post_sd", sa.Double),
    sa.Column("shown_json", sa.Text),
    sa.Column("client_time_json", sa.Text),
    sa.Column("extra_json", sa.Text),
    sa.Column("corrected_seq", sa.Integer),
    sa.PrimaryKeyConstraint("session", "trial"),
    sa.ForeignKeyConstraint(["session", "strategy"], ["strategies.session", "strategies.strategy"]),
    sa.Index(None, "told_at"),
)

trial_parameters = sa.Table(
    "trial_parameters",
    metadata,
    _session(),
    _number("trial"),
    _number("stimulus"),  # 0, or 0 and 1 where a trial has two stimuli
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("number", sa.Double),
    sa.Column("text", sa.Text),
    sa.PrimaryKeyConstraint("session", "trial", "stimulus", "name"),
    sa.ForeignKeyConstraint(["session", "trial"], ["trials.session", "trials.trial"]),
)

trial_outcomes = sa.Table(
    "trial_outcomes",
    metadata,
    _session(),
    _number("trial"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("number", sa.Double),
    sa.Column("text", sa.Text),
    sa.PrimaryKeyConstraint("session", "trial", "name"),
    sa.ForeignKeyConstraint(["session", "trial"], ["trials.session", "trials.trial"]),
)

#: No projection: where a session came from that another file brought.
#: What is left of a session that was removed on request: nothing of what was said in it.
forgotten = sa.Table(
    "forgotten",
    metadata,
    _session(),
    sa.Column("forgotten_at", UtcTime, nullable=False),
    _number("n_messages"),
    sa.Column("last_hash", sa.String(64), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("session"),
)

origins = sa.Table(
    "origins",
    metadata,
    _session(),
    sa.Column("source", sa.Text, nullable=False),  # the file's name
    sa.Column("kind", sa.Text, nullable=False),  # record or aepsych
    sa.Column("hash", sa.String(64), nullable=False),  # of the session's last message there; of the file
    sa.Column("imported_at", UtcTime, nullable=False),
    sa.PrimaryKeyConstraint("session", "source", "hash"),
)

for _table in metadata.tables.values():  # a set has another order in each process, and a file other bytes
    _table.indexes = OrderedSet(sorted(_table.indexes, key=lambda index: str(index.name)))

sa.event.listen(metadata, "after_create", views.create)

#: Where Alembic keeps the revision; not part of `metadata`, because Alembic makes and minds it.
revision = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

Row = dict[str, Any]
