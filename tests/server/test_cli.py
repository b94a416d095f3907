"""The command line as a whole: version, help, usage errors."""

from __future__ import annotations

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from fechner.server import __version__
from fechner.server.cli import app

COMMANDS = ["serve", "check", "sessions", "show", "replay", "export"]


def test_the_version() -> None:
    """Printed, exit 0."""
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"fechner {__version__}\n")


def test_help_lists_every_command() -> None:
    """Each with a line of its own."""
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in COMMANDS:
        assert f"  {command} " in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(command: str) -> None:
    """Help of each command exits 0, and no option or argument stands without words."""
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0
    commands = get_command(app)
    assert isinstance(commands, TyperGroup)
    parameters = commands.commands[command].params
    assert parameters
    assert [one.name for one in parameters if not getattr(one, "help", None)] == []


@pytest.mark.parametrize("arguments", [["sing"], ["show"], ["check"], ["sessions", "--jsn"], ["export", "x"]])
def test_usage_errors(arguments: list[str]) -> None:
    """Exit 2, said on standard error."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr
