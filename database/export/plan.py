"""What is exported, found before the first row is written, so that every page has the same columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fechner.database.export.columns import (
    MOST_WHOLE,
    Column,
    Values,
    asked_title,
    declare,
    merge_told,
    outcome_title,
    parameter_title,
    plain_dtype,
    read_declared,
    side_by_side,
    stimuli,
)
from fechner.database.form.tables import Row, sessions, strategies, trial_outcomes, trial_parameters, trials

#: Trials in a page, and sessions (SQLite takes only so many values in a statement).
PAGE_TRIALS, PAGE_SESSIONS = 32_768, 500


@dataclass(frozen=True, slots=True)
class Page:
    """Some sessions, and of their trials those numbered above `after` and up to `until`."""

    sessions: tuple[str, ...]
    after: int
    until: int


@dataclass(frozen=True)
class Plan:
    """What is exported, in which columns, in which pages.

    Attributes:
        columns: by title, in the order of the table.
        pages: in the order of the rows.
        strategies: by session and number.
    """

    columns: dict[str, Column]
    pages: tuple[Page, ...]
    strategies: dict[tuple[str, int], Row]

    @property
    def units(self) -> dict[str, str]:
        """Units by title, those of the fixed columns included."""
        named = {title: column.unit for title, column in self.columns.items() if column.unit}
        return {"asked_at": "UTC", "told_at": "UTC", "response_time": "s", **named}


def plan(connection: sa.Connection, wanted: Sequence[str] | None = None) -> Plan:
    """Look through the sessions named, or all, for what an export of them needs.

    Args:
        connection: in a transaction, the one in which the pages are read afterwards.
        wanted: ids of sessions; None for all.
    """
    ids, counts = _sessions(connection, wanted)
    pages = tuple(_pages(ids, counts))
    found = {
        (row["session"], row["strategy"]): row
        for row in _each(connection, sa.select(strategies), strategies.c.session, ids, wanted)
    }
    for row in found.values():
        row["parameters"] = read_declared(row["parameters_json"])
        row["outcomes"] = read_declared(row["outcomes_json"])
    ordered = [found[key] for key in sorted(found, key=lambda key: (counts[key[0]][0], key[1]))]
    parameters: dict[tuple[str, int], Values] = {}
    asked: dict[tuple[str, int], Values] = {}
    outcomes: dict[tuple[str, str], Values] = {}
    extra: dict[str, set[type]] = {}
    for strategy in ordered:
        for item in strategy["parameters"]:
            declare(parameters, (item["name"], 0), item)
        for item in strategy["outcomes"]:
            declare(outcomes, (outcome_title(item["name"], strategy), item["name"]), item)
    single = _stored_parameters(connection, parameters, ids, wanted)
    _stored_outcomes(connection, outcomes, ordered, ids, wanted)
    for page in pages:
        _read_json(connection, page, parameters, asked, extra)
    columns: dict[str, Column] = {}
    for kind, values in (("parameter", parameters), ("asked", asked)):
        for (name, stimulus), about in side_by_side(values):
            if stimulus == 0 and (name, 1) in values and name not in single:
                continue  # declared as one, but every trial had two stimuli
            title = (asked_title if kind == "asked" else parameter_title)(name, stimulus)
            one = parameters.get((name, stimulus), about)
            columns[title] = Column(title, kind, name, stimulus, one.dtype(), one.unit())
        if kind == "parameter":
            for (title, name), about in outcomes.items():
                columns[title] = Column(title, "outcome", name, 0, about.dtype(), about.unit())
            for name in sorted(extra, key=lambda name: name != "client_time"):
                title = f"extra.{name}"
                columns[title] = Column(title, "extra", name, 0, plain_dtype(extra[name]))
    return Plan(columns, pages, found)


def in_page(table: sa.Table, page: Page) -> sa.ColumnElement[bool]:
    """The rows of a table that belong to a page."""
    return table.c.session.in_(page.sessions) & (table.c.trial > page.after) & (table.c.trial <= page.until)


def _sessions(
    connection: sa.Connection, wanted: Sequence[str] | None
) -> tuple[list[str], dict[str, tuple[int, int, int]]]:
    """Ids, oldest first, and by id: its place, its number of trials, its last trial."""
    order = sa.select(sessions.c.session).order_by(sessions.c.created_at, sessions.c.session)
    ids = [str(id_) for id_ in connection.execute(order).scalars()]
    if wanted is not None:
        chosen = set(wanted)
        ids = [id_ for id_ in ids if id_ in chosen]
    count = sa.select(trials.c.session, sa.func.count(), sa.func.max(trials.c.trial)).group_by(
        trials.c.session
    )
    if wanted is not None and len(ids) <= PAGE_SESSIONS:
        count = count.where(trials.c.session.in_(ids))
    counted = {row[0]: (row[1], row[2]) for row in connection.execute(count)}
    return ids, {id_: (place, *counted.get(id_, (0, 0))) for place, id_ in enumerate(ids)}


def _pages(ids: Iterable[str], counts: Mapping[str, tuple[int, int, int]]) -> Iterator[Page]:
    """Small sessions together, a large one in parts."""
    together: list[str] = []
    size = last = 0
    for id_ in ids:
        _, count, until = counts[id_]
        if together and (size + count > PAGE_TRIALS or len(together) == PAGE_SESSIONS):
            yield Page(tuple(together), 0, last)
            together, size, last = [], 0, 0
        if count > PAGE_TRIALS:
            for after in range(0, until, PAGE_TRIALS):
                yield Page((id_,), after, min(after + PAGE_TRIALS, until))
        elif count:
            together.append(id_)
            size, last = size + count, max(last, until)
    if together:
        yield Page(tuple(together), 0, last)


def _each(
    connection: sa.Connection,
    statement: sa.Select[Any],
    session: sa.Column[Any],
    ids: Sequence[str],
    wanted: Sequence[str] | None,
) -> Iterator[Row]:
    """The rows of a statement for all sessions, or for some of them."""
    parts: Iterable[int | None] = [None] if wanted is None else range(0, len(ids), PAGE_SESSIONS)
    for part in parts:
        some = statement if part is None else statement.where(session.in_(ids[part : part + PAGE_SESSIONS]))
        for row in connection.execute(some):
            yield dict(row._mapping)


def _about(table: sa.Table, *keys: sa.Column[Any]) -> sa.Select[Any]:
    """By keys: how many values there are, of them texts, and numbers that aren't whole."""
    number = table.c.number
    broken = (number != sa.func.round(number)) | (sa.func.abs(number) > MOST_WHOLE)
    return sa.select(
        *keys,
        sa.func.count().label("n"),
        sa.func.count(table.c.text).label("texts"),
        sa.func.count(sa.case((broken, 1))).label("broken"),
    ).group_by(*keys)


def _stored_parameters(
    connection: sa.Connection,
    parameters: dict[tuple[str, int], Values],
    ids: Sequence[str],
    wanted: Sequence[str] | None,
) -> set[str]:
    """Add what the record holds of parameters; gives the names that have a trial with one stimulus."""
    table = trial_parameters
    rows = list(
        _each(connection, _about(table, table.c.name, table.c.stimulus), table.c.session, ids, wanted)
    )
    n: dict[tuple[str, int], int] = {}
    for row in rows:
        n[row["name"], row["stimulus"]] = n.get((row["name"], row["stimulus"]), 0) + row["n"]
    single = {name for (name, stimulus), count in n.items() if stimulus == 0 and count > n.get((name, 1), 0)}
    for row in sorted(rows, key=lambda row: (row["name"], row["stimulus"])):
        name, stimulus = row["name"], row["stimulus"]
        places = [0] * (name in single and stimulus == 0) + [stimulus + 1] * ((name, 1) in n)
        for place in places:
            about = parameters.get((name, place))
            if about is None:
                model = parameters.get((name, 0), Values())
                about = parameters[name, place] = Values(set(model.kinds), dict(model.units))
            about.whole, about.text = about.whole and not row["broken"], about.text or bool(row["texts"])
    return single


def _stored_outcomes(
    connection: sa.Connection,
    outcomes: dict[tuple[str, str], Values],
    ordered: Sequence[Row],
    ids: Sequence[str],
    wanted: Sequence[str] | None,
) -> None:
    """Add what the record holds of outcomes, also of those that no setup declared."""
    table = trial_outcomes
    names = {name for _, name in outcomes}
    for row in _each(connection, _about(table, table.c.name), table.c.session, ids, wanted):
        if row["name"] not in names:
            for strategy in ordered:
                outcomes.setdefault((outcome_title(row["name"], strategy), row["name"]), Values())
        for (_, name), about in outcomes.items():
            if name == row["name"]:
                about.whole, about.text = about.whole and not row["broken"], about.text or bool(row["texts"])


def _read_json(
    connection: sa.Connection,
    page: Page,
    parameters: dict[tuple[str, int], Values],
    asked: dict[tuple[str, int], Values],
    extra: dict[str, set[type]],
) -> None:
    """Add the columns that a page's trials name in what was shown and in what the client added."""
    c = trials.c
    some = c.shown_json.is_not(None) | c.client_time_json.is_not(None) | c.extra_json.is_not(None)
    statement = sa.select(c.session, c.trial, c.shown_json, c.client_time_json, c.extra_json)
    rows = connection.execute(statement.where(in_page(trials, page), some)).all()
    place = {id_: index for index, id_ in enumerate(page.sessions)}
    for row in sorted(rows, key=lambda row: (place[row.session], row.trial)):
        for name, value in (json.loads(row.shown_json) if row.shown_json else {}).items():
            for key, one in stimuli(name, value):
                parameters.setdefault(key, Values()).see(one)
                asked.setdefault(key, Values())
        for name, value in merge_told(row.client_time_json, row.extra_json).items():
            kinds = extra.setdefault(name, set())
            if value is not None:
                kinds.add(str if type(value) is int and abs(value) > MOST_WHOLE else type(value))
