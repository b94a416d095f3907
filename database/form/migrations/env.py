"""Run by Alembic: migrates on the connection, and in the transaction, that `schema.upgrade` hands over."""

from alembic import context

from fechner.database.failpoints import fail_point
from fechner.database.form.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
    on_version_apply=lambda **_: fail_point("in_migration"),
)
with context.begin_transaction():
    context.run_migrations()
