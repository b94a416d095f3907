"""`fechner serve`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import Field, fields
from enum import StrEnum
from typing import Annotated, Any

import typer

from fechner.server.cli.options import DEFAULT_DB, Db, Extensions, Switch, allow
from fechner.server.protocol.limits import Limits


class DialectName(StrEnum):
    """Values of --dialect."""

    auto = "auto"
    native = "native"
    aepsych_08 = "aepsych-0.8"
    aepsych_01 = "aepsych-0.1"


class LogLevel(StrEnum):
    """Values of --log-level."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


class LogFormat(StrEnum):
    """Values of --log-format."""

    text = "text"
    json = "json"


def option_of(limit: Field[Any]) -> str:
    """The option that sets a limit."""
    return "--" + limit.name.replace("_", "-")


def _with_limits(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each limit; it gets them together, as `limits`."""

    def limited(**given: Any) -> None:
        limits = Limits(**{limit.name: given.pop(limit.name) for limit in fields(Limits)})
        command(**given, limits=limits)

    signature = inspect.signature(command, eval_str=True)
    parameters = [found for name, found in signature.parameters.items() if name != "limits"]
    for limit in fields(Limits):
        kind, least = (int, 1) if isinstance(limit.default, int) else (float, 0.001)
        option = typer.Option(
            option_of(limit), min=least, metavar="N", help=f"Limit: {limit.metadata['of']}."
        )
        taken = Annotated[kind, option]  # type: ignore[valid-type]
        parameters.append(
            inspect.Parameter(
                limit.name, inspect.Parameter.KEYWORD_ONLY, default=limit.default, annotation=taken
            )
        )
    limited.__name__, limited.__doc__ = command.__name__, command.__doc__
    limited.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    limited.__annotations__ = {found.name: found.annotation for found in parameters}
    return limited


@_with_limits
def serve(
    *,
    limits: Limits,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Address to listen on; beyond this machine it needs tokens."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="TCP port; 0 takes a free one.")
    ] = 5555,
    zmq_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="N", help="ZMQ port, off unless given; 0 takes a free one."),
    ] = None,
    metrics_host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Address to show metrics on; others need --insecure."),
    ] = "127.0.0.1",
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="N",
            help="Port of metrics for Prometheus, off unless given; 0 takes a free one.",
        ),
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
    token_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Ask clients for one of the tokens in this file.")
    ] = None,
    tls_cert: Annotated[
        str | None, typer.Option(metavar="FILE", help="Encrypt TCP with this certificate (PEM).")
    ] = None,
    tls_key: Annotated[
        str | None, typer.Option(metavar="FILE", help="The certificate's private key.")
    ] = None,
    curve_key: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Encrypt ZMQ with these keys, from `fechner curve-key`."),
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option("--insecure", help="Listen to other machines also without tokens and encryption."),
    ] = False,
    allow_extensions: Extensions = None,
    log_level: Annotated[LogLevel, typer.Option(help="How much to log.")] = LogLevel.warning,
    log_format: Annotated[
        LogFormat, typer.Option(help="Lines for people, or a JSON object a line.")
    ] = LogFormat.text,
    log_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Log to a file that only its owner reads.  [default: standard error]"
        ),
    ] = None,
    log_file_bytes: Annotated[
        int, typer.Option(min=1000, metavar="N", help="Size at which another log file is begun.")
    ] = 10_000_000,
    log_files: Annotated[
        int, typer.Option(min=1, metavar="N", help="Old log files kept, as FILE.1, FILE.2 and so on.")
    ] = 5,
) -> None:
    """Serve experiments until Ctrl-C."""
    from fechner.server.commands.serve import ServeOptions, serve

    allow(allow_extensions)
    serve(
        ServeOptions(
            host=host,
            port=port,
            zmq_port=zmq_port,
            metrics_host=metrics_host,
            metrics_port=metrics_port,
            db=db,
            config=config,
            resume=resume,
            read_only=read_only,
            force_network=force_network,
            workers=workers,
            eager=eager is Switch.on,
            speculate=speculate is Switch.on,
            dialect=dialect.value,
            reattach=reattach is Switch.on,
            exit_with_client=exit_with_client,
            token_file=token_file,
            tls_cert=tls_cert,
            tls_key=tls_key,
            curve_key=curve_key,
            insecure=insecure,
            log_level=log_level.value,
            log_format=log_format.value,
            log_file=log_file,
            log_file_bytes=log_file_bytes,
            log_files=log_files,
            limits=limits,
        )
    )
