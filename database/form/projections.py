"""The rows that a message's ``change`` adds to the other tables, as pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from datetime import datetime

from fechner.database.form.change_parts import Config, Outcome
from fechner.database.form.changes import (
    CHANGES,
    AskChange,
    Change,
    CorrectChange,
    SetupChange,
    SkipChange,
    TellChange,
    environment_of,
)
from fechner.database.form.message import to_json
from fechner.database.form.tables import Row


@dataclass(slots=True)
class Rows:
    """Rows by what is done with them, in the order in which they can be written.

    ``tells`` and ``skips`` close trials that an ask opened; ``sessions_touched`` says when a session was last
    used, whether it has ended and what computes it; ``corrections`` are, by trial, the message that corrects
    it and the outcomes that it has instead of its earlier ones.
    """

    messages: list[Row] = field(default_factory=list)
    sessions: list[Row] = field(default_factory=list)
    strategies: list[Row] = field(default_factory=list)
    trials: list[Row] = field(default_factory=list)
    tells: list[Row] = field(default_factory=list)
    skips: list[Row] = field(default_factory=list)
    trial_parameters: list[Row] = field(default_factory=list)
    trial_outcomes: list[Row] = field(default_factory=list)
    corrections: dict[tuple[str, int], tuple[int, list[Row]]] = field(default_factory=dict)
    sessions_touched: dict[str, Row] = field(default_factory=dict)

    def extend(self, other: Rows) -> None:
        """Add what another request writes."""
        for name in _LISTS:
            getattr(self, name).extend(getattr(other, name))
        self.corrections.update(other.corrections)
        for session, row in other.sessions_touched.items():
            self.touch(session, row)

    def touch(self, session: str, row: Row) -> None:
        """Note the state of a session after a message; the last one counts, an unsaid end stays as it was."""
        before = self.sessions_touched.get(session)
        if before is not None and not row["b_set_end"]:
            row = row | {"b_set_end": before["b_set_end"], "b_ended_at": before["b_ended_at"]}
        if before is not None and row["b_environment_json"] is None:
            row = row | {"b_environment_json": before["b_environment_json"]}
        self.sessions_touched[session] = row


_LISTS = [item.name for item in fields(Rows) if item.name not in ("corrections", "sessions_touched")]


def project(rows: Rows, session: str, seq: int, at: datetime, change: Change | None) -> None:
    """Add to ``rows`` what message ``seq``, received ``at``, did to its session.

    Raises:
        ValueError, KeyError, TypeError: the change isn't of a known form.
    """
    ended: datetime | None = None
    if change is not None:
        if change["type"] == "exit":
            ended = at
        else:
            _project(rows, session, seq, at, change)
    rows.touch(
        session,
        {
            "b_session": session,
            "b_last_at": at,
            "b_n_messages": seq,
            "b_set_end": change is not None,
            "b_ended_at": ended,
            "b_environment_json": _json(environment_of(change)) if change is not None else None,
        },
    )


def _project(rows: Rows, session: str, seq: int, at: datetime, change: Change) -> None:
    if change["type"] == "ask":
        _ask(rows, session, seq, at, change)
    elif change["type"] == "tell":
        _tell(rows, session, seq, at, change)
    elif change["type"] == "setup":
        _setup(rows, session, seq, at, change)
    elif change["type"] == "skip":
        _skip(rows, session, seq, at, change)
    elif change["type"] == "correct":
        _correct(rows, session, seq, at, change)
    elif change["type"] not in CHANGES:
        raise ValueError(f"a change of unknown type {change['type']!r}")
    # The others show only in the session's order of stages and current strategy.


def split_value(value: object) -> tuple[float | None, str | None]:
    """A value as (number, text): finite numbers and truth values as number, all else as text."""
    if value is None:
        return None, None
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            return None, str(value)
        return (number, None) if math.isfinite(number) else (None, str(number))
    return None, storable(value) if isinstance(value, str) else to_json(value)


def storable(text: str | None) -> str | None:
    """A text as every database takes it: NUL and lone surrogates become U+FFFD (the message has them)."""
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return "".join("\ufffd" if mark == "\0" or "\ud800" <= mark <= "\udfff" else mark for mark in text)


def _text(value: object) -> str | None:
    return storable(value) if value is None or isinstance(value, str) else to_json(value)


def _json(value: object) -> str | None:
    return None if value is None or value == {} else to_json(value)


def _float(value: object) -> float | None:
    return split_value(value)[0]


def _setup(rows: Rows, session: str, seq: int, at: datetime, change: SetupChange) -> None:
    strategy = change["strategy"]
    config = change["config"]
    seed = change.get("seed")
    if strategy == 0:
        rows.sessions.append(
            {
                "session": session,
                "created_at": at,
                "last_at": at,
                "n_messages": seq,
                "peer": _text(change.get("peer")),
                "owner": _text(change.get("owner")),
            }
        )
    rows.strategies.append(
        {
            "session": session,
            "strategy": strategy,
            "seq": seq,
            "name": _text(change.get("name")),
            "participant": _text(change.get("participant")),
            "description": _text(change.get("description")),
            "metadata_json": to_json(change.get("metadata") or {}),
            "config": _text(config),
            "config_format": "ini" if isinstance(config, str) else "json",
            "seed": None if seed is None else str(seed),
            "stages_json": to_json(change.get("stages") or []),
            "outcomes_json": to_json(change.get("outcomes") or []),
            "parameters_json": to_json(change.get("parameters") or []),
        }
    )


def _ask(rows: Rows, session: str, seq: int, at: datetime, change: AskChange) -> None:
    means, sds = change.get("post_mean") or (), change.get("post_sd") or ()
    for index, trial in enumerate(change["trials"]):
        rows.trials.append(
            _OPEN
            | {
                "session": session,
                "trial": trial["trial"],
                "strategy": change["strategy"],
                "stage": _text(change.get("stage")),
                "asked_at": at,
                "asked_seq": seq,
                "post_mean": _float(means[index]) if index < len(means) else None,
                "post_sd": _float(sds[index]) if index < len(sds) else None,
            }
        )
        _parameters(rows, session, trial["trial"], trial["config"])


def _tell(rows: Rows, session: str, seq: int, at: datetime, change: TellChange) -> None:
    for trial in change["trials"]:
        number = trial["trial"]
        told = {
            "told_at": at,
            "told_seq": seq,
            "model_data": bool(trial.get("model_data", True)),
            "response_time": _float(trial.get("response_time")),
            "confidence": _float(trial.get("confidence")),
            "shown_json": _json(trial.get("shown")),
            "client_time_json": _json(trial.get("client_time")),
            "extra_json": _json(trial.get("extra")),
        }
        if trial["asked"]:
            rows.tells.append({"b_session": session, "b_trial": number} | told)
        else:
            rows.trials.append(
                _OPEN
                | told
                | {
                    "session": session,
                    "trial": number,
                    "strategy": trial["strategy"],
                    "stage": _text(trial.get("stage")),
                    "status": "told",
                }
            )
            _parameters(rows, session, number, trial.get("config") or {})
        rows.trial_outcomes += _outcomes(session, number, trial.get("outcome"))


def _outcomes(session: str, trial: int, outcome: Outcome | None) -> list[Row]:
    found = []
    for name, value in (outcome or {}).items():
        number, text = split_value(value)
        found.append(
            {"session": session, "trial": trial, "name": storable(name), "number": number, "text": text}
        )
    return found


def _correct(rows: Rows, session: str, seq: int, at: datetime, change: CorrectChange) -> None:
    rows.corrections[session, change["trial"]] = (
        seq,
        _outcomes(session, change["trial"], change["outcome"]),
    )


def _skip(rows: Rows, session: str, seq: int, at: datetime, change: SkipChange) -> None:
    extra = {"reason": change["reason"]} if change.get("reason") else None
    rows.skips.append(
        {
            "b_session": session,
            "b_trial": change["trial"],
            "told_at": at,
            "told_seq": seq,
            "extra_json": _json(extra),
        }
    )


def _parameters(rows: Rows, session: str, trial: int, config: Config) -> None:
    for name, value in config.items():
        for stimulus, one in enumerate(value if isinstance(value, list | tuple) else (value,)):
            number, text = split_value(one)
            rows.trial_parameters.append(
                {
                    "session": session,
                    "trial": trial,
                    "stimulus": stimulus,
                    "name": storable(name),
                    "number": number,
                    "text": text,
                }
            )


#: Every column of a trial, so that all rows of one statement have the same ones.
_OPEN: Row = {
    "status": "pending",
    "asked_at": None,
    "asked_seq": None,
    "told_at": None,
    "told_seq": None,
    "model_data": None,
    "response_time": None,
    "confidence": None,
    "post_mean": None,
    "post_sd": None,
    "shown_json": None,
    "client_time_json": None,
    "extra_json": None,
    "corrected_seq": None,
}
