"""Commands that make secrets: tokens, and keys for ZMQ."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from fechner.server import commands
from fechner.server.cli.options import Json


class RoleName(StrEnum):
    """Values of ROLE."""

    experimenter = "experimenter"
    observer = "observer"
    admin = "admin"


def token(
    role: Annotated[
        RoleName,
        typer.Argument(
            metavar="[ROLE]",
            help="experimenter (all, in sessions of its own), observer (looks on) or admin (all).",
        ),
    ] = RoleName.experimenter,
    token_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Add the token to this file, for `fechner serve --token-file`."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a token: what a client shows to a server that asks for one."""
    commands.keys.token(role.value, token_file, as_json)


def curve_key(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Where to write them; FILE.public: the public one.")
    ],
    as_json: Json = False,
) -> None:
    """Make a server's CURVE keys, which encrypt ZMQ; clients get the public one."""
    commands.keys.curve_key(file, as_json)
