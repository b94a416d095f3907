"""The error of the record."""

from __future__ import annotations


class RecordError(Exception):
    """The record can't do what was asked: the text names it, the fault and, if there is one, the mend."""
