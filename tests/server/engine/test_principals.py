"""Whose a token is."""

from __future__ import annotations

import hmac
from typing import Any

from fechner.server.engine.principals import Tokens

FIRST, SECOND = "a" * 32, "b" * 40


def test_an_owner_gives_no_token_away_and_stays_the_same() -> None:
    """The record names owners: the same token is the same owner after a restart."""
    one, again = (Tokens({FIRST: "experimenter"}).principal(FIRST) for _ in range(2))
    assert one is not None
    assert one == again
    assert one.owner is not None
    assert FIRST not in one.owner


def test_comparison_looks_at_every_token(monkeypatch: Any) -> None:
    """However early a token is found, and whatever its length: time tells nothing."""
    seen: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        seen.append((len(one), len(other)))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    tokens = Tokens({FIRST: "admin", SECOND: "observer", "c" * 50: "experimenter"})
    for given in (FIRST, "c" * 50, "x", "y" * 100_000, "\ud800"):
        seen.clear()
        tokens.principal(given)
        assert seen == [(32, 32)] * 3
