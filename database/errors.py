"""The error of the record."""

from __future__ import annotations


class RecordError(Exception):
    """The record can't do what was asked: the text names it, the fault and, if there is one, the mend.

    Attributes:
        unsettled: whether it is on record can't be said now; reading it back will.
    """

    unsettled = False
