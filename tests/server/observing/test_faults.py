"""What the log says of an exception: where and of which kind, and its text only for debugging."""

from __future__ import annotations

import errno
import sqlite3

import sqlalchemy as sa

from fechner.server.observing.faults import fault, kind


def raised(secret: str) -> Exception:
    try:
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise ValueError(f"no {secret}") from error
    except ValueError as error:
        return error


def test_the_trace_names_places_and_kinds_and_quotes_nothing() -> None:
    """Causes first; file, line and function of each frame; the texts are in the detail alone."""
    found = fault(raised("Ada Lovelace"))
    first, second = found.trace.split("\nand then\n")
    assert first.splitlines()[0] == "KeyError"
    assert second.splitlines()[0] == "ValueError"
    assert "test_faults.py:" in second
    assert second.endswith(" in raised")
    assert "Lovelace" not in found.trace
    assert "ValueError: no Ada Lovelace" in found.detail


def test_a_deep_traceback_is_shown_at_its_ends() -> None:
    """Also one of a recursion without end."""

    def again(n: int) -> int:
        return again(n + 1) + 1

    try:
        again(0)
    except RecursionError as error:
        lines = fault(error).trace.splitlines()
    assert len(lines) < 30
    assert any("more" in line for line in lines)


def test_the_kind_of_a_fault_has_its_code() -> None:
    """Of the innermost cause: what an operator needs to know, and no value of a statement."""
    with sqlite3.connect(":memory:") as connection:
        try:
            connection.execute("SELECT * FROM 'Ada'")
        except sqlite3.Error as error:
            driver = error
    wrapped = sa.exc.OperationalError("INSERT …", {"name": "Ada"}, driver)
    outer = RuntimeError("Ada")
    outer.__cause__ = wrapped
    assert kind(outer) == "OperationalError (SQLITE_ERROR)"
    assert kind(OSError(errno.ENOSPC, "Ada")) == "OSError (ENOSPC)"
    assert kind(ValueError("Ada")) == "ValueError"
