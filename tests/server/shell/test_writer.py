"""Whose commits go to disk next; the writer's thread is tested with what it carries out (test_storage.py)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fechner.database.record import Entry
from fechner.server.engine.effects import Commit, Find, Load, ReadHistory
from fechner.server.shell.writer import Groups

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


def commit(token: int | None, session: str, length: int = 10) -> Commit:
    """A commit of a request with so many characters."""
    return Commit(token, [Entry(session, None, "1", "x", "x" * length, "", True, NOON, 1.0)])


def tokens(effects: Sequence[Any]) -> list[int | None]:
    return [effect.token for effect in effects]


def groups(*effects: Any) -> list[list[int | None]]:
    """The tokens of each group."""
    waiting = Groups(long_bytes=3_000, group_bytes=10_000)
    for effect in effects:
        waiting.add(effect)
    found = []
    while waiting:
        found.append(tokens(waiting.take()))
    assert waiting.take() == []
    return found


def test_all_that_is_short_goes_to_disk_together() -> None:
    """However much it is."""
    assert groups(*(commit(token, f"{token % 3}") for token in range(100))) == [list(range(100))]


def test_short_commits_pass_the_long_ones_of_others() -> None:
    """Of those, a group holds a few, or a very long one."""
    long = [commit(token, f"{token}", 3_500) for token in range(5)]
    assert groups(*long, commit(5, "a"), commit(6, "b")) == [[0, 1, 5, 6], [2, 3], [4]]
    very = [commit(token, f"{token}", 40_000) for token in range(3)]
    assert groups(commit(3, "a"), *very, commit(4, "a")) == [[3, 0, 4], [1], [2]]


def test_commits_that_somebody_waits_for_pass_those_that_nobody_does() -> None:
    """Of those, a group holds a few; their own session's wait for them."""
    lazy = [commit(None, f"{number % 2}", 2_000) for number in range(8)]
    waited = [commit(1, "a"), commit(2, "0"), commit(3, "1")]
    assert groups(*lazy, *waited) == [[None] * 3 + [1], [None] * 3, [None] * 2 + [2, 3]]


def test_the_order_in_a_session_stays() -> None:
    """Nothing passes its own session's long commit, a look-up neither."""
    long = [commit(token, "a" if token % 2 else "b", 9_000) for token in range(4)]
    later = [commit(4, "a"), commit(5, "b"), commit(6, "c"), Find(7, "a", "x"), Find(8, "c", "x")]
    assert groups(*long, *later) == [[0, 6, 8], [1], [2, 5], [3, 4, 7]]


def test_what_reads_a_session_passes_nothing() -> None:
    """It sees all that came before it: `last` may be any session."""
    long = [commit(token, f"{token}", 9_000) for token in range(2)]
    assert groups(Load(0, "a"), *long, Load(2, "last"), ReadHistory(3, "c"), commit(4, "c")) == [
        [0, 0, 4],
        [1, 2, 3],
    ]
