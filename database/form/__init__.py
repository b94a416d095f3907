"""The form of the record: messages and their changes, tables, views, projections, migrations."""
