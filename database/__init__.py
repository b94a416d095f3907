"""The record: append-only messages, projections computed from them, migrations and export."""
