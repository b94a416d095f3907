"""The command line: `fechner …`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from fechner.server import __version__

app = typer.Typer(
    name="fechner",
    help="An ask/tell optimisation server for adaptive experiments.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class DialectName(StrEnum):
    """Values of --dialect."""

    auto = "auto"
    native = "native"
    aepsych_08 = "aepsych-0.8"
    aepsych_01 = "aepsych-0.1"


class Switch(StrEnum):
    """Values of --eager, --speculate and --reattach."""

    on = "on"
    off = "off"


class FormatName(StrEnum):
    """Values of --format."""

    csv = "csv"
    parquet = "parquet"
    jsonl = "jsonl"
    bids = "bids"


class LogLevel(StrEnum):
    """Values of --log-level."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


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
    from fechner.strategies.extensions import allow
    from fechner.strategies.plugins import PluginError

    try:
        allow(directory)
    except PluginError as error:
        fail(f"--allow-extensions: {error}", USAGE)


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


@app.command()
def serve(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; loopback only.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="TCP port; 0 takes a free one.")
    ] = 5555,
    zmq_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="N", help="ZMQ port, off unless given; 0 takes a free one."),
    ] = None,
    db: Db = DEFAULT_DB,
    config: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Configuration for connections that don't begin with a setup."),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Session ('last': the newest) for a connection that names none."),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Write nothing: sessions can be looked at, not changed.")
    ] = False,
    force_network: Annotated[
        bool,
        typer.Option(
            "--force-network",
            help="Write a record in a folder of another machine all the same; messages may be lost.",
        ),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=256,
            metavar="N",
            help="Processes that compute; 0 computes inline.  [default: cores - 1, at least 1]",
        ),
    ] = None,
    eager: Annotated[
        Switch, typer.Option(help="Compute the next ask as soon as an outcome is told; needs a worker.")
    ] = Switch.on,
    speculate: Annotated[
        Switch,
        typer.Option(help="Compute the next ask for each outcome of the pending trial; needs a worker."),
    ] = Switch.on,
    dialect: Annotated[
        DialectName, typer.Option(help="Which dialect connections speak; auto decides at the first request.")
    ] = DialectName.auto,
    reattach: Annotated[
        Switch,
        typer.Option(help="Let an AEPsych client whose connection broke go on with its session."),
    ] = Switch.on,
    exit_with_client: Annotated[
        bool, typer.Option("--exit-with-client", help="Stop as soon as a client has sent exit.")
    ] = False,
    allow_extensions: Extensions = None,
    log_level: Annotated[
        LogLevel, typer.Option(help="How much to log to standard error.")
    ] = LogLevel.warning,
) -> None:
    """Serve experiments until Ctrl-C."""
    from fechner.server.commands.serve import serve

    allow(allow_extensions)
    serve(
        host,
        port,
        zmq_port,
        db,
        config,
        resume,
        read_only,
        force_network,
        workers,
        eager is Switch.on,
        speculate is Switch.on,
        dialect.value,
        reattach is Switch.on,
        exit_with_client,
        log_level.value,
    )


@app.command()
def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A configuration.")],
    allow_extensions: Extensions = None,
    as_json: Json = False,
) -> None:
    """Check a configuration and say what it will do."""
    from fechner.server.commands.check import check_file

    allow(allow_extensions)
    check_file(file, as_json)


@app.command()
def sessions(db: Db = DEFAULT_DB, as_json: Json = False) -> None:
    """List the sessions on record."""
    from fechner.server.commands.record import sessions

    sessions(db, as_json)


@app.command()
def show(session: Session, db: Db = DEFAULT_DB, as_json: Json = False) -> None:
    """Show one session: stages, trials, warnings."""
    from fechner.server.commands.record import show

    show(db, session, as_json)


@app.command()
def replay(
    session: Session,
    db: Db = DEFAULT_DB,
    verify: Annotated[
        bool, typer.Option("--verify", help="Recompute every ask and compare (the default).")
    ] = False,
    skip_computations: Annotated[
        bool, typer.Option("--skip-computations", help="Only read the session back.")
    ] = False,
    tolerance: Annotated[
        float, typer.Option(min=0, metavar="X", help="Let numbers differ by X (another machine's last bits).")
    ] = 0.0,
    allow_extensions: Extensions = None,
    as_json: Json = False,
) -> None:
    """Replay a session and compare every ask.

    Exits 0 if all come out identical, 1 with the first that differs.
    """
    from fechner.server.commands.replay import replay

    allow(allow_extensions)
    replay(db, session, verify, skip_computations, tolerance, as_json)


@app.command()
def export(
    to: Annotated[
        str, typer.Option("--to", metavar="FILE", help="Where to write: .csv, .parquet, .jsonl or .tsv.")
    ],
    session: Annotated[
        str | None, typer.Argument(metavar="ID", help="A session's id, the beginning of it, or 'last'.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All sessions.")] = False,
    long: Annotated[
        bool, typer.Option("--long", help="One row per value instead of one per trial (csv, parquet).")
    ] = False,
    form: Annotated[
        FormatName | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="csv, parquet, jsonl (the messages themselves) or bids (an events file and its description)."
            "  [default: by the ending]",
        ),
    ] = None,
    db: Db = DEFAULT_DB,
) -> None:
    """Export one row per trial."""
    from fechner.server.commands.export import export

    export(db, session, all_, to, None if form is None else form.value, long)


@app.command()
def plot(
    session: Session,
    to: Annotated[str, typer.Option("--to", metavar="FILE", help="The picture: .png, .pdf or .svg.")],
    strategy: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Which of its strategies.  [default: the last]")
    ] = None,
    target: Annotated[
        float | None,
        typer.Option(metavar="Y", help="The outcome at the threshold.  [default: the configuration's]"),
    ] = None,
    x: Annotated[
        list[str] | None,
        typer.Option("--x", metavar="NAME=VALUE", help="Hold a parameter at a value; once for each."),
    ] = None,
    db: Db = DEFAULT_DB,
    allow_extensions: Extensions = None,
) -> None:
    """Draw the trials of a session and what its model makes of them.

    One free parameter gives a curve with its threshold, two give a surface with the contour at the target.
    """
    from fechner.server.commands.plot import plot

    allow(allow_extensions)
    plot(db, session, to, strategy, target, x or [])


@app.command()
def backup(
    to: Annotated[str, typer.Option("--to", metavar="FILE", help="The copy; it must not be there yet.")],
    db: Db = DEFAULT_DB,
    as_json: Json = False,
) -> None:
    """Copy a record, also while a server writes to it, and check the copy."""
    from fechner.server.commands.copies import backup

    backup(db, to, as_json)


@app.command()
def bundle(
    session: Session,
    to: Annotated[str, typer.Option("--to", metavar="FILE.zip", help="Where to write.")],
    db: Db = DEFAULT_DB,
    as_json: Json = False,
) -> None:
    """Put one session into a zip file to share: configuration, data, messages, record, versions."""
    from fechner.server.commands.copies import bundle

    bundle(db, session, to, as_json)


@app.command()
def forget(
    participant: Annotated[
        str, typer.Option("--participant", metavar="NAME", help="Whose sessions, as setups name them.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    db: Db = DEFAULT_DB,
    as_json: Json = False,
) -> None:
    """Remove a person's sessions from the record for good, and overwrite the space they took."""
    from fechner.server.commands.forget import forget

    forget(db, participant, yes, as_json)


@app.command()
def verify(
    session: Annotated[
        str | None,
        typer.Argument(
            metavar="ID", help="A session's id, the beginning of it, or 'last'; all unless given."
        ),
    ] = None,
    db: Db = DEFAULT_DB,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make all tables anew from the messages, if these are sound.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check that the record is whole.

    Every message is as it was recorded and in its place, and every table is what the messages give. Exits 0
    if so, 1 with what differs.
    """
    from fechner.server.commands.verify import verify

    verify(db, session, rebuild, as_json)


@app.command()
def combine(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="The records, two or more.")],
    to: Annotated[str, typer.Option("--to", metavar="FILE.db", help="The record to write.")],
    as_json: Json = False,
) -> None:
    """Combine records into a new one.

    A session that several have is taken once, from the one that has most of it. Sessions that go on
    differently are named, and then nothing is written.
    """
    from fechner.server.commands.combine import combine

    combine(files, to, as_json)


@app.command("import-aepsych")
def import_aepsych(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An SQLite file that AEPsych wrote.")],
    db: Db = DEFAULT_DB,
    timezone: Annotated[
        str, typer.Option(metavar="NAME", help="Time zone of the file's times, for instance Europe/Berlin.")
    ] = "UTC",
    as_json: Json = False,
) -> None:
    """Import the sessions of an AEPsych database, without executing anything from it.

    What is on record already doesn't come twice. Exits 1 if anything was refused, naming it; the rest comes.
    """
    from fechner.server.commands.import_aepsych import import_aepsych

    import_aepsych(file, db, timezone, as_json)


def main() -> None:
    """The entry point."""
    app()


if __name__ == "__main__":
    main()
