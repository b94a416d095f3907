"""What commands print: whatever clients called things steers no terminal."""

from __future__ import annotations

import json

import pytest
import typer

from fechner.server.commands.output import fail, show_json, show_table

#: Clear the screen, in seven and in eight bits; set the title; text from right to left; rich's own markup.
HOSTILE = "A\x1b[2J\x9b2J\x1b]0;x\x07\u202e[/red][link=x]\r"


def steering(text: str) -> set[str]:
    """Characters that do more than stand there."""
    return {c for c in text if not c.isprintable()} - {"\n"}


def test_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Heads, cells and title show markup as it is."""
    show_table((HOSTILE, "other"), [(HOSTILE, None)], title=HOSTILE)
    shown = capsys.readouterr().out
    assert not steering(shown)
    assert shown.count("[/red][link=x]") == 3


def test_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """Its lines stay lines."""
    with pytest.raises(typer.Exit):
        fail(f"first\n{HOSTILE}")
    shown = capsys.readouterr().err
    assert not steering(shown)
    assert "first\nA" in shown


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Says the same to a program."""
    show_json({"name": HOSTILE})
    shown = capsys.readouterr().out
    assert not steering(shown) - {"\u202e"}
    assert json.loads(shown) == {"name": HOSTILE}
