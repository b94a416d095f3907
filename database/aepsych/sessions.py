"""What AEPsych's SQLite files hold: sessions, their setups, their trials.

There are two generations. Newer files have trials as rows of raw_data, with values in param_data and
outcome_data. The oldest have only the messages, in replay_data, as pickles. Whatever is pickled goes through
the restricted reader; what that refuses is named, and everything else is read all the same. The models in
strat_data are not looked at.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import os
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from fechner.database.aepsych.file import ForeignFile
from fechner.database.aepsych.plain_values import json_value, plain
from fechner.database.aepsych.restricted_pickle import RefusedPickleError, read
from fechner.database.aepsych.shapes import config_of, looks_like_config, stimuli
from fechner.database.errors import RecordError

#: Sessions' ids follow from this and from what identifies them in their file.
NAMESPACE = uuid.UUID("b3f0c6a2-6c1e-5a57-9d1c-0f6f5d5a7e21")

_MESSAGES = ("setup", "resume", "tell", "update")


@dataclass(frozen=True)
class Event:
    """Something that happened in a session, in the order of time.

    Attributes:
        key: where it stands in the file, for instance ``"raw_data 17"``.
        at: when; None if the file doesn't say.
        type: ``"setup"``, ``"resume"``, ``"tell"`` (a message) or ``"trial"`` (a row of raw_data).
        content: the message's content; of a trial ``config``, ``outcome``, ``model_data`` and ``extra``.
        extra: the message's extra_info.
    """

    key: str
    at: datetime | None
    type: str
    content: Any
    extra: Any = None


@dataclass
class ForeignSession:
    """A row of master and what belongs to it; `refused` names what could not be read, and why."""

    id: str
    unique_id: str
    name: str | None
    description: str | None
    participant: str | None
    metadata: dict[str, Any]
    events: list[Event] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Foreign:
    """A file: its sessions, what of it belongs to none, and the SHA-256 of its bytes."""

    sessions: list[ForeignSession]
    refused: list[str]
    hash: str


def read_file(where: str | os.PathLike[str], zone: tzinfo = UTC) -> Foreign:
    """The sessions of a file that AEPsych wrote; its times, which name no zone, are of `zone`.

    Raises:
        RecordError: it can't be read, or AEPsych didn't write it.
    """
    path = Path(where)
    with ForeignFile(path) as file:
        if not file.has("master") or not (file.has("replay_data") or file.has("raw_data")):
            raise RecordError(f"{path} is no database of AEPsych: it has no tables master and replay_data")
        reader = _Reader(file, zone)
        sessions = [reader.session(row) for row in list(file.rows("master", _MASTER, ("unique_id",)))]
        left = [
            f"{table}: {len(rows)} rows of no session in master"
            for table, found in (("replay_data", reader.replayed), ("raw_data", reader.raw))
            for rows in [[row for of_one in found.values() for row in of_one]]
            if rows
        ]
    with path.open("rb") as data:
        return Foreign(sessions, left, hashlib.file_digest(data, "sha256").hexdigest())


_MASTER = (
    "unique_id",
    "experiment_name",
    "experiment_description",
    "experiment_id",
    "participant_id",
    "extra_metadata",
)
_REPLAY = ("unique_id", "timestamp", "message_type", "message_contents", "extra_info", "master_table_id")
_RAW = ("unique_id", "timestamp", "model_data", "extra_data", "master_table_id")


class _Reader:
    """The rows of a file by the session that they belong to; a session takes its rows out."""

    def __init__(self, file: ForeignFile, zone: tzinfo) -> None:
        self.file, self.zone = file, zone
        self.replayed = _by(file.rows("replay_data", _REPLAY, ("timestamp", "unique_id")), "master_table_id")
        self.raw = _by(file.rows("raw_data", _RAW, ("timestamp", "unique_id")), "master_table_id")
        names = ("iteration_id", "param_name", "param_value")
        self.parameters = _by(file.rows("param_data", names, ("iteration_id", "param_name")), "iteration_id")
        names = ("iteration_id", "outcome_name", "outcome_value")
        self.outcomes = _by(
            file.rows("outcome_data", names, ("iteration_id", "outcome_name")), "iteration_id"
        )

    def session(self, master: dict[str, Any]) -> ForeignSession:
        key = master["unique_id"]
        replayed, raw = self.replayed.pop(key, []), self.raw.pop(key, [])
        first = next((row["timestamp"] for row in [*replayed, *raw]), None)
        identity = json.dumps([plain(key), plain(master["experiment_id"]), plain(first)])
        session = ForeignSession(
            str(uuid.uuid5(NAMESPACE, identity)),
            str(key),
            _text(master["experiment_name"]),
            _text(master["experiment_description"]),
            _text(master["participant_id"]),
            self._metadata(master),
        )
        if isinstance(session.metadata.get("extra_metadata"), bytes):
            session.refused.append(f"master {key}: extra_metadata is no JSON text")
            del session.metadata["extra_metadata"]
        messages = list(self._messages(session, replayed, with_tells=not raw))
        trials = [self._trial(session, row) for row in raw]
        session.events = _merge(messages, trials)
        self._find_config(session, key)
        return session

    def _metadata(self, master: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {"aepsych_unique_id": plain(master["unique_id"])}
        if master["experiment_id"] is not None:
            found["experiment_id"] = plain(master["experiment_id"])
        extra = master["extra_metadata"]
        if isinstance(extra, str) and extra.strip():
            try:
                value = json_value(extra)
            except ValueError:
                value = extra
            found |= value if isinstance(value, dict) else {"extra_metadata": value}
        elif extra is not None and extra != "":
            found["extra_metadata"] = extra if isinstance(extra, bytes) else plain(extra)
        return found

    def _messages(
        self, session: ForeignSession, rows: list[dict[str, Any]], *, with_tells: bool
    ) -> Iterator[Event]:
        for row in rows:
            kind = str(row["message_type"]).lower()
            if kind not in _MESSAGES or (kind in ("tell", "update") and not with_tells):
                continue
            where = f"replay_data {row['unique_id']}"
            content = self._unpickle(session, f"{where}: message_contents", row["message_contents"])
            # A whole request, or only its message.
            extra = None
            if isinstance(content, dict) and "message" in content:
                content, extra = content["message"], content.get("extra_info")
            given = self._unpickle(session, f"{where}: extra_info", row["extra_info"])
            if content is None and kind != "setup":
                continue
            type_ = "tell" if kind == "update" else kind
            yield Event(where, self._time(row["timestamp"]), type_, content, given or extra or None)

    def _trial(self, session: ForeignSession, row: dict[str, Any]) -> Event:
        number = row["unique_id"]
        where = f"raw_data {number}"
        extra = self._unpickle(session, f"{where}: extra_data", row["extra_data"])
        if not isinstance(extra, dict):
            extra = {} if extra is None else {"extra_data": extra}
        content = {
            "config": stimuli(
                {str(one["param_name"]): plain(one["param_value"]) for one in self.parameters.get(number, [])}
            ),
            "outcome": {
                str(one["outcome_name"]): plain(one["outcome_value"]) for one in self.outcomes.get(number, [])
            },
            "model_data": bool(row["model_data"]) if row["model_data"] is not None else True,
            "extra": extra,
        }
        return Event(where, self._time(row["timestamp"]), "trial", content)

    def _unpickle(self, session: ForeignSession, what: str, data: Any) -> Any:
        """A pickled value, JSON text within it read too; None, and a line in `refused`, if it isn't plain."""
        if data is None or data in ("", b""):
            return None
        try:
            value = read(data) if isinstance(data, bytes) else data
            if isinstance(value, str):
                try:
                    value = json_value(value)
                except ValueError:
                    return plain(value)
            return plain(value)
        except RefusedPickleError as error:
            session.refused.append(f"{what}: {error}")
            return None

    def _time(self, value: Any) -> datetime | None:
        try:
            if isinstance(value, str):
                at = datetime.fromisoformat(value)
                return (at if at.tzinfo else at.replace(tzinfo=self.zone)).astimezone(UTC)
            if isinstance(value, int | float):
                return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            pass
        return None

    def _find_config(self, session: ForeignSession, key: Any) -> None:
        """Where no setup message has the configuration, take it from config_data if it is plain there."""
        setups = [event for event in session.events if event.type == "setup"]
        if any(config_of(event.content) is not None for event in setups):
            return
        columns = self.file.columns("config_data")
        found = []
        for row in self.file.rows("config_data", columns):
            if row.get("master_table_id", key) != key:
                continue
            for name, value in row.items():
                if not isinstance(value, str | bytes) or name == "timestamp":
                    continue
                content = self._unpickle(session, f"config_data {row.get('unique_id')}: {name}", value)
                if looks_like_config(content):
                    found.append(content)
        if not found:
            return
        if not setups:
            first = session.events[0].at if session.events else None
            setups = [Event("config_data", first, "setup", None)]
            session.events.insert(0, setups[0])
        for event, content in zip(setups, found, strict=False):
            config = {"config_str" if isinstance(content, str) else "config_dict": content}
            session.events[session.events.index(event)] = Event(
                event.key, event.at, "setup", config, event.extra
            )


def _by(rows: Iterator[dict[str, Any]], name: str) -> dict[Any, list[dict[str, Any]]]:
    found: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[name]].append(row)
    return dict(found)


def _merge(messages: list[Event], trials: list[Event]) -> list[Event]:
    """Both in the order of time; what has no time stays between its neighbours, trials after setups."""

    def by_time(events: list[Event], rank: int) -> Iterator[tuple[datetime, int, int, Event]]:
        never = (datetime.min if rank == 0 else datetime.max).replace(tzinfo=UTC)
        at = next((event.at for event in events if event.at is not None), never)
        for i, event in enumerate(events):
            at = max(at, event.at or at)
            yield at, rank, i, event

    return [event for _, _, _, event in heapq.merge(by_time(messages, 0), by_time(trials, 1))]


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(plain(value))
