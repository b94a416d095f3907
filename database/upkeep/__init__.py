"""Whole records: checked, rebuilt, copied, combined, and sessions forgotten."""
