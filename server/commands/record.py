"""`fechner sessions`, `show`: the record at a glance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from fechner.database.errors import RecordError
from fechner.database.record import Message, Record
from fechner.server.commands.output import fail, name_record, plain, show_json, show_table, when
from fechner.strategies._lazy import Lazy

if TYPE_CHECKING:
    from fechner.strategies.plugins import extensions
else:
    extensions = Lazy("fechner.strategies.plugins.extensions")

#: A row of a table of the record, by its columns.
Row = dict[str, Any]


@contextmanager
def opened(db: str) -> Iterator[Record]:
    """The record, for reading."""
    try:
        record = Record.open(db, read_only=True)
    except RecordError as error:
        fail(str(error))
    try:
        yield record
    except RecordError as error:
        fail(str(error))
    finally:
        record.close()


def find_session(record: Record, wanted: str) -> str:
    """A session by its id, the beginning of it, or `last`."""
    if wanted == "last":
        last = record.last()
        return last if last is not None else fail("the record has no session")
    ids = [str(row["session"]) for row in record.sessions()]
    found = [id_ for id_ in ids if id_.startswith(wanted.lower())] if wanted else []
    if len(found) == 1:
        return found[0]
    if not found:
        for row in record.forgotten():
            if wanted and row["session"].startswith(wanted.lower()):
                at = when(row["forgotten_at"])
                fail(f"there is no session {row['session']}: `fechner forget` removed it on {at} UTC")
        fail(f"there is no session {wanted}; `fechner sessions` lists them")
    fail(f"{wanted} begins {len(found)} sessions: {', '.join(found[:5])}")


@contextmanager
def read_back(record: Record, id_: str) -> Iterator[None]:
    """Name the damaged message where a session can't be made from its messages."""
    try:
        yield
    except (RecordError, typer.Exit):
        raise
    except Exception as error:
        if extensions.at_fault(error):
            fail(f"session {id_} can't be read back: {error}")
        broken = record.verify_chain(id_)
        if broken is None:
            raise
        fail(
            f"session {id_} can't be read back: message {broken} was changed, is missing or stands in "
            "another's place; `fechner verify` names everything that is damaged"
        )


def sessions(db: str, as_json: bool) -> None:
    """List the sessions."""
    with opened(db) as record:
        rows = record.sessions()
    name_record(db, as_json)
    if as_json:
        show_json(rows)
        return
    if not rows:
        print("no sessions yet")
        return
    show_table(
        ("session", "begun (UTC)", "last message", "ended", "name", "participant", "trials", "told"),
        (
            (
                row["session"],
                when(row["created_at"]),
                when(row["last_at"]),
                "yes" if row["ended_at"] else "",
                row["name"],
                row["participant"],
                row["n_trials"],
                row["n_told"],
            )
            for row in rows
        ),
    )


def show(db: str, wanted: str, as_json: bool) -> None:
    """One session: strategies, stages, trials, warnings."""
    with opened(db) as record:
        id_ = find_session(record, wanted)
        row = next(row for row in record.sessions() if row["session"] == id_)
        strategies, trials = record.strategies(id_), record.trials(id_)
        messages, origins = record.messages(id_), record.origins(id_)
    warnings = [
        {"seq": message.seq, "type": message.type, **warning}
        for message in messages
        if message.ok
        for warning in _warnings(_reply(message))
    ]
    failures = [
        {"seq": message.seq, "type": message.type, "reply": message.reply}
        for message in messages
        if not message.ok
    ]
    name_record(db, as_json)
    if as_json:
        show_json(
            {
                "session": row,
                "strategies": strategies,
                "trials": trials,
                "warnings": warnings,
                "failures": failures,
                "origins": origins,
            }
        )
        return
    _print_session(row, strategies, trials, origins)
    for warning in warnings:
        print(f"warning (message {warning['seq']}, {warning['type']}): {plain(warning['detail'])}")
    if failures:
        print(f"{len(failures)} failed requests; --json shows them")


def _print_session(row: Row, strategies: list[Row], trials: list[Row], origins: list[Row]) -> None:
    """A session for people, but for its warnings."""
    ended = f", ended {when(row['ended_at'])}" if row["ended_at"] else ""
    begun = f"begun {when(row['created_at'])} UTC, {row['n_messages']} messages{ended}"
    print(f"session {row['session']}: {begun}")
    for origin in origins:
        print(f"brought by {plain(origin['source'])} ({origin['kind']}) on {when(origin['imported_at'])} UTC")
    for strategy in strategies:
        _print_strategy(strategy, [trial for trial in trials if trial["strategy"] == strategy["strategy"]])
    if trials:
        _print_trials(trials)


def _print_strategy(strategy: Row, trials: list[Row]) -> None:
    print()
    label = " ".join(filter(None, [strategy["name"], strategy["participant"]])) or "no name"
    print(f"strategy {strategy['strategy']} ({plain(label)}), seed {strategy['seed']}")
    show_table(
        ("stage", "trials", "told", "pending"),
        (
            (
                stage,
                sum(t["stage"] == stage for t in trials),
                sum(t["stage"] == stage and t["status"] == "told" for t in trials),
                sum(t["stage"] == stage and t["status"] == "pending" for t in trials),
            )
            for stage in strategy["stages"]
        ),
    )


def _print_trials(trials: list[Row]) -> None:
    names = list(dict.fromkeys(name for trial in trials for name in trial["config"]))
    show_table(
        ("trial", "stage", "status", *names, "outcome", "told at (UTC)"),
        (
            (
                trial["trial"],
                trial["stage"],
                trial["status"],
                *(_cell(trial["config"].get(name)) for name in names),
                _outcome(trial["outcome"]),
                when(trial["told_at"]),
            )
            for trial in trials
        ),
    )


def _reply(message: Message) -> Any:
    try:
        return json.loads(message.reply)
    except ValueError:
        fail(
            f"the reply of message {message.seq} can't be read; `fechner verify` names everything that is "
            "damaged"
        )


def _warnings(reply: Any) -> list[dict[str, Any]]:
    return list(reply.get("warnings", ())) if isinstance(reply, dict) else []


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " | ".join(map(_cell, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _outcome(outcome: dict[str, Any] | None) -> str:
    if not outcome:
        return ""
    if len(outcome) == 1:
        return _cell(next(iter(outcome.values())))
    return ", ".join(f"{name} {_cell(value)}" for name, value in outcome.items())
