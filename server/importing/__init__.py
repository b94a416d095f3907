"""Putting records of other programs on record, each session whole or not at all."""
