"""Alembic migrations of the record, from the first revision."""
