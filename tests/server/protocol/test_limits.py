"""The limits are those of the contract, and every one is told by hello."""

from __future__ import annotations

from fechner.server.protocol.limits import Limits


def test_the_default_limits() -> None:
    """As the wire's reference lists them."""
    assert Limits().as_message() == {
        "message_bytes": 2 * 1024 * 1024,
        "depth": 32,
        "string_bytes": 64 * 1024,
        "config_bytes": 1024 * 1024,
        "trials_per_tell": 10_000,
        "points_per_query": 10_000,
        "trials_per_session": 100_000,
        "seed_trials": 1_000,
        "connections": 1_000,
        "waiting_requests": 64,
        "message_seconds": 30.0,
        "silent_seconds": 10.0,
    }
