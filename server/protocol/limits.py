"""The limits of docs/reference/limits.md as one table of settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from fechner.server.protocol.errors import FechnerError


def _limit(value: float, of: str) -> Any:
    """A limit, and what it is the limit of: for the command line's help and the documentation."""
    return field(default=value, metadata={"of": of})


@dataclass(frozen=True)
class Limits:
    """What a peer may ask of the server; each field's metadata says of what it is the limit."""

    message_bytes: int = _limit(2 * 1024 * 1024, "length of one message")
    depth: int = _limit(32, "nesting of one message")
    string_bytes: int = _limit(64 * 1024, "length of one text in a message")
    config_bytes: int = _limit(1024 * 1024, "length of setup's `config` or `config_str`")
    trials_per_tell: int = _limit(10_000, "trials in one tell, and points in one ask")
    points_per_query: int = _limit(10_000, "points in one query")
    trials_per_session: int = _limit(100_000, "trials in one session")
    seed_trials: int = _limit(1_000, "trials of earlier sessions that warm a stage")
    connections: int = _limit(1_000, "connections at a time")
    waiting_requests: int = _limit(64, "requests of one connection that wait for their turn")
    message_seconds: float = _limit(30.0, "time for a begun message to end")
    silent_seconds: float = _limit(10.0, "silence after which a resume takes a session over")

    @property
    def containers(self) -> int:
        """Objects and lists in one message: several for each trial that a tell may have, and room for more.

        Each costs much more memory and time than the two bytes that it takes.
        """
        return max(100_000, 10 * self.trials_per_tell)

    def as_message(self) -> dict[str, float]:
        """The table that `hello` shows."""
        return asdict(self)


#: Length of a message from whoever has shown no token where others than this machine's programs come.
STRANGERS_BYTES = 8_192


@dataclass(frozen=True)
class StrangersLimits(Limits):
    """The limits of those who have yet to show a token: they are there to show it."""


def of_strangers(limits: Limits) -> StrangersLimits:
    """The limits before a token is shown."""
    return StrangersLimits(**asdict(limits) | {"message_bytes": min(limits.message_bytes, STRANGERS_BYTES)})


def exceeded(limit: str, text: str, where: str = "", hint: str = "") -> FechnerError:
    """The error of a peer beyond a limit: the code is of its kind, the detail names it."""
    code = "too_deep" if limit == "depth" else "too_large" if limit.endswith("_bytes") else "limit_reached"
    return FechnerError(code, f"{text} (the limit {limit})", where, hint)


def too_many_values(limits: Limits) -> FechnerError:
    """The error of a message that is made of very many small pieces."""
    text = f"a message holds more than {limits.containers} objects and lists, ten for each trial of a tell"
    return exceeded("trials_per_tell", text, hint="send several smaller messages")


def too_many(count: int, limits: Limits, where: str = "message.trials") -> FechnerError:
    """The error of a tell of so many trials."""
    text = f"{count} trials in one tell; at most {limits.trials_per_tell}"
    return exceeded("trials_per_tell", text, where, "send several tells")


def session_full(limits: Limits) -> FechnerError:
    """The error of a session that can take no more trials."""
    text = f"a session has at most {limits.trials_per_session} trials"
    return exceeded("trials_per_session", text, hint="go on in another session")


def count_trials(value: dict[str, Any]) -> tuple[int, str]:
    """How many trials a tell of any dialect may hold, told without looking at each, and where."""
    message, where = value.get("message"), "message"
    if isinstance(message, dict) and isinstance(message.get("tell"), dict):
        message, where = message["tell"], "message.tell"
    if not isinstance(message, dict):
        return (len(message) if isinstance(message, list) else 0), where
    lists = []
    for key in ("trials", "config", "outcome"):
        found = message.get(key)
        lists.append((found, f"{where}.{key}"))
        if isinstance(found, dict):
            lists += [(inner, f"{where}.{key}.{name}") for name, inner in found.items()]
    lengths = [(len(found), place) for found, place in lists if isinstance(found, list)]
    return max(lengths, default=(0, where))
