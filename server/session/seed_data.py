"""Seed data at setup: read from the record once, judged, and copied into the setup's own message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fechner.strategies._lazy import Lazy
from fechner.strategies.core.seed_data import difference, fitting
from fechner.strategies.specification import SeedDataConditions, Specification

if TYPE_CHECKING:
    import fechner.database.seed_data as on_record
    from fechner.database.form.message import Owner
    from fechner.database.record import Record
else:
    on_record = Lazy("fechner.database.seed_data")  # SQLAlchemy, before there is a record to read


@dataclass(frozen=True)
class Earlier:
    """What the conditions of one section found.

    Attributes:
        rows: trials that fit, oldest session first; as they go on record.
        faults: why others don't fit, one for each.
        others: why setups that match the conditions aren't of the same kind, one for each.
        more: whether there are more trials than may be taken.
    """

    rows: Sequence[Mapping[str, Any]] = ()
    faults: Sequence[str] = ()
    others: Sequence[str] = ()
    more: bool = False


def sections(specification: Specification) -> dict[str, SeedDataConditions]:
    """The conditions of all stages by their section."""
    named = [stage.seed_data_conditions for stage in specification.stages]
    return {one.section: one for one in named if one is not None}


def read(
    record: Record,
    specification: Specification,
    session: str,
    most: int,
    owner: Owner | None = None,
) -> dict[str, Earlier]:
    """What an open record has for each section of conditions, without the trials of `session` itself.

    The newest sessions, and in them the newest trials, come first where there are more than `most`. With
    `owner`, only their sessions count.
    """
    found = {}
    for name, conditions in sections(specification).items():
        taken: list[list[dict[str, Any]]] = []
        others, left, more = [], most, False
        with record.snapshot() as connection:
            for setup in on_record.find_setups(connection, conditions.wanted, session, owner):
                other = difference(specification, setup["parameters"], setup["outcomes"])
                if other:
                    others.append(other)
                    continue
                trials = on_record.read_trials(connection, setup["session"], setup["strategy"], left + 1)
                more = len(trials) > left
                taken.append(trials[-left:] if left else [])
                left -= len(taken[-1])
                if more:
                    break
        rows, faults = fitting(specification, (row for one in reversed(taken) for row in one))
        found[name] = Earlier(rows, faults, others, more)
    return found


def judge_rows(specification: Specification, rows: Sequence[Mapping[str, Any]]) -> dict[str, Earlier]:
    """The same of rows that a program brings; they have no session and are numbered."""
    numbered = [
        {"session": None, "trial": number, "config": row["config"], "outcome": row["outcome"]}
        for number, row in enumerate(rows, start=1)
    ]
    return {name: Earlier(*fitting(specification, numbered)) for name in sections(specification)}


def warnings(found: Mapping[str, Earlier], most: int) -> list[tuple[str, str]]:
    """What whoever sets up should know: nothing found, trials left out and why."""
    said = []
    for section, one in found.items():
        if not one.rows and not one.faults:
            why = f"no earlier session with told trials matches [{section}]"
            if one.others:
                many = _many(len(one.others), "setup")
                why = f"[{section}] finds {many} of another kind: {_commonest(one.others)}"
            said.append(("no_seed_data", f"{why}: the stage starts without seed data"))
        elif one.others:
            said.append(
                (
                    "seed_data_skipped",
                    f"[{section}]: {_many(len(one.others), 'setup')} left out: {_commonest(one.others)}",
                )
            )
        if one.faults:
            text = f"{_many(len(one.faults), 'earlier trial')} left out, {len(one.rows)} used"
            said.append(("seed_data_skipped", f"[{section}]: {text}: {_commonest(one.faults)}"))
        if one.more:
            text = f"only the newest {most} earlier trials are used (the limit seed_trials)"
            said.append(("seed_data_limit", f"[{section}]: {text}"))
    return said


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _commonest(reasons: Sequence[str]) -> str:
    """The commonest reason, and how many have others."""
    [(reason, count)] = Counter(reasons).most_common(1)
    return reason if count == len(reasons) else f"{reason}, and {len(reasons) - count} for other reasons"
