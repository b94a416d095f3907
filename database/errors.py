"""The errors of the record."""

from __future__ import annotations


class RecordError(Exception):
    """The record can't do what was asked: the text names it, the fault and, if there is one, the mend.

    Attributes:
        unsettled: whether it is on record can't be said now; reading it back will.
    """

    unsettled = False


class UnreadableError(RecordError):
    """A value on record is not what was written there."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; `fechner verify` names everything that is damaged")
