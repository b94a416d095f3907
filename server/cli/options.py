"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


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
    from fechner.server.commands.output import USAGE, fail
    from fechner.strategies.plugins.declare import PluginError
    from fechner.strategies.plugins.extensions import allow

    try:
        allow(directory)
    except PluginError as error:
        fail(f"--allow-extensions: {error}", USAGE)
