"""Keeping a record: opening it, locking it, writing to it, on SQLite and PostgreSQL."""
