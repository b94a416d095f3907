"""The habits of a dialect's clients that the server has to know of, beside how they spell things."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Traits:
    """What a dialect's clients are used to; by default the habits of version 1.

    Attributes:
        asks_go_on: an ask after the strategy's end hands out points as before it.
        end_optional: a setup without an end for each stage is taken, with a warning.
        outcome_optional: a query of several outcomes that names none means the first.
        useless_fields_pass: a query's fields that it has no use for are passed over.
        constraints_by_index: a query's constraints may name parameters by their index.
        only_bounds: of parameters they know the bounds alone.
        knows_record: `info` tells of the record, and of all stages of all strategies.
        tokenless: they have no way to show a token.
        sessions_unnamed: they have no way to say which session they mean.
    """

    asks_go_on: bool = False
    end_optional: bool = False
    outcome_optional: bool = False
    useless_fields_pass: bool = False
    constraints_by_index: bool = False
    only_bounds: bool = False
    knows_record: bool = False
    tokenless: bool = False
    sessions_unnamed: bool = False
