"""Bringing a record's schema to this program's revision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fechner.database._lazy import Lazy
from fechner.database.errors import RecordError
from fechner.database.failpoints import fail_point
from fechner.database.form.tables import HEAD, metadata, revision
from fechner.database.keeping.connection import Database
from fechner.database.keeping.urls import reason

if TYPE_CHECKING:
    import alembic.command as command
    import alembic.config as configuration
    import alembic.script as scripts
else:
    command, configuration, scripts = map(Lazy, ("alembic.command", "alembic.config", "alembic.script"))

MIGRATIONS = Path(__file__).resolve().parents[1] / "form" / "migrations"


def prepare(database: Database) -> None:
    """Create the schema of a new record, migrate an older one, refuse a newer or foreign one.

    A new schema is written at once from `tables.metadata` (the tests hold it equal to what the migrations
    give), so that Alembic is imported for older records only. All of it is one transaction.
    """
    try:
        with database.connection.begin():
            found = _revision(database)
        if found == HEAD:
            return
        if database.read_only:
            text = (
                "is empty"
                if found is None
                else f"is of the older revision {found}, and reading migrates nothing: start "
                "`fechner serve` on it once, which does"
            )
            if found is not None:
                _check_known(database, found)
            raise RecordError(f"the record {database.name} {text}")
        database.writing = True
        with database.connection.begin():
            found = _revision(database)  # another program may have been faster
            if found is None:
                metadata.create_all(database.connection, checkfirst=False)
                revision.create(database.connection)
                database.connection.execute(revision.insert().values(version_num=HEAD))
                fail_point("in_migration")
            elif found != HEAD:
                _check_known(database, found)
                upgrade(database.connection)
    except sa.exc.SQLAlchemyError as error:
        raise RecordError(f"the record {database.name} can't be opened: {reason(error)}") from error
    finally:
        database.writing = False


def recorded_revision(database: Database) -> str | None:
    """The revision that a record is of, None if it is empty.

    Raises:
        RecordError: it is no record, or was written by a newer Fechner.
    """
    try:
        with database.connection.begin():
            found = _revision(database)
    except sa.exc.SQLAlchemyError as error:
        raise RecordError(f"the record {database.name} can't be opened: {reason(error)}") from error
    if found is not None:
        _check_known(database, found)
    return found


def is_older(database: Database) -> bool:
    """Whether the record is of an earlier revision, which `prepare` would migrate if it might write.

    Raises:
        RecordError: it is no record, or was written by a newer Fechner.
    """
    with database.connection.begin():
        found = _revision(database)
    if found in (None, HEAD):
        return False
    _check_known(database, str(found))
    return True


def upgrade(connection: sa.Connection, to: str = "head") -> None:
    """Run the migrations that are missing, in the connection's transaction."""
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def known_revisions() -> list[str]:
    """The revisions of this program's migrations, newest first."""
    return [script.revision for script in scripts.ScriptDirectory.from_config(_alembic()).walk_revisions()]


def _alembic() -> configuration.Config:
    config = configuration.Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _revision(database: Database) -> str | None:
    """The schema's revision; None for an empty database."""
    names = sa.inspect(database.connection).get_table_names()
    if revision.name in names:
        found = database.connection.execute(sa.select(revision.c.version_num)).scalar()
        if found is not None and "messages" in names:
            return str(found)
    if names:
        raise RecordError(f"{database.name} is a database, but no record of Fechner: it has no revision")
    return None


def _check_known(database: Database, found: str) -> None:
    if found not in known_revisions():
        raise RecordError(
            f"the record {database.name} was written by a newer Fechner (its revision is {found}, "
            f"this program knows up to {HEAD}): upgrade Fechner"
        )
