"""Errors carry code, detail, place and hint, and keep their place when they are nested."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import fechner.server
import fechner.strategies
from fechner.server.protocol.errors import CODES, FechnerError, as_message, inside


def test_every_code_that_is_raised_is_listed() -> None:
    """No reply carries a code that the list doesn't explain."""
    raised = set()
    for package in (fechner.server, fechner.strategies):
        for path in Path(str(package.__file__)).parent.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and getattr(node.func, "id", "") == "FechnerError"
                    and node.args
                ):
                    code = node.args[0]
                    if isinstance(code, ast.Constant):
                        raised.add(code.value)
    assert raised - set(CODES) == set()
    assert {"bad_value", "session_busy", "unknown_parameter"} <= raised
    assert all(re.fullmatch("[a-z_]+", code) for code in CODES)


def test_an_error_as_the_wire_shows_it() -> None:
    """Only what there is."""
    assert as_message(FechnerError("no_session", "none")) == {"code": "no_session", "detail": "none"}
    error = FechnerError("bad_value", "wrong", "message.p", "right")
    assert as_message(error) == {
        "code": "bad_value",
        "detail": "wrong",
        "where": "message.p",
        "hint": "right",
    }
    assert str(error) == "wrong (at message.p); right"


def test_an_error_inside_another_message() -> None:
    """Places in the message move with it; others stay."""
    for where, moved in [
        ("message.p", "message.tell.p"),
        ("message", "message.tell"),
        ("session", "session"),
        ("", ""),
    ]:
        assert inside(FechnerError("bad_value", "wrong", where), "tell").where == moved
