"""Whole records: copied, combined, and sessions forgotten."""
