"""The limits of wire.md 1 as one table of settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Limits:
    """What a peer may ask of the server.

    Attributes:
        message_bytes: length of one message.
        depth: nesting of one message.
        string_bytes: length of one text in a message.
        config_bytes: length of setup's `config` or `config_str`.
        trials_per_tell: trials in one tell, and points in one ask.
        points_per_query: points in one query.
        trials_per_session: trials in one session.
        seed_trials: trials of earlier sessions that warm a stage.
        connections: connections at a time.
        waiting_requests: requests of one connection that wait for their turn.
        message_seconds: time for a begun message to end.
        silent_seconds: silence after which a resume takes a session over.
    """

    message_bytes: int = 2 * 1024 * 1024
    depth: int = 32
    string_bytes: int = 64 * 1024
    config_bytes: int = 1024 * 1024
    trials_per_tell: int = 10_000
    points_per_query: int = 10_000
    trials_per_session: int = 100_000
    seed_trials: int = 1_000
    connections: int = 1_000
    waiting_requests: int = 64
    message_seconds: float = 30.0
    silent_seconds: float = 10.0

    def as_message(self) -> dict[str, float]:
        """The table that `hello` shows."""
        return asdict(self)
