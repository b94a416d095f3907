"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from fechner.strategies._lazy import Lazy

if TYPE_CHECKING:
    from fechner.server.commands import output
    from fechner.strategies.plugins import declare, extensions
else:
    output = Lazy("fechner.server.commands.output")
    declare = Lazy("fechner.strategies.plugins.declare")
    extensions = Lazy("fechner.strategies.plugins.extensions")


class Switch(StrEnum):
    """On or off."""

    on = "on"
    off = "off"


Db = Annotated[str, typer.Option("--db", metavar="FILE_OR_URL", help="The record.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Session = Annotated[str, typer.Argument(metavar="ID", help="A session's id, the beginning of it, or 'last'.")]
Extensions = Annotated[
    str | None,
    typer.Option(metavar="DIR", help="Run extensions that configurations name, if they lie in this folder."),
]
DEFAULT_DB = "fechner.db"


def allow(directory: str | None) -> None:
    """Let this process run the extensions of a folder."""
    if directory is None:
        return
    try:
        extensions.allow(directory)
    except declare.PluginError as error:
        output.fail(f"--allow-extensions: {error}", output.USAGE)
