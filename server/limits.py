"""The limits of wire.md 1 as one table of settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


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

    def as_message(self) -> dict[str, float]:
        """The table that `hello` shows."""
        return asdict(self)
