"""The command line, `fechner …`: what the commands are called and take; `commands` does their work."""

from __future__ import annotations

from typing import Annotated

import typer

from fechner.server.cli import keys, records, running, serving, sessions
from fechner.server.version import __version__

app = typer.Typer(
    name="fechner",
    help="An ask/tell optimisation server for adaptive experiments.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"fechner {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """An ask/tell optimisation server for adaptive experiments."""


for _command in (
    serving.serve,
    running.status,
    running.watch,
    running.doctor,
    sessions.check,
    sessions.sessions,
    sessions.show,
    sessions.replay,
    sessions.export,
    sessions.plot,
    records.backup,
    records.bundle,
    records.forget,
    records.verify,
    records.combine,
    records.import_aepsych,
    keys.token,
    keys.curve_key,
):
    app.command()(_command)


def main() -> None:
    """The entry point."""
    app()
