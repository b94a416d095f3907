"""What `fechner serve` takes: one list, from which the command line makes its options and their help."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fechner.server.protocol.dialect_names import DIALECT_NAMES
from fechner.server.protocol.limits import Limits

#: Numbers that a port may have; 0 takes a free one.
_PORTS = {"min": 0, "max": 65535, "metavar": "N"}


#: Values of --dialect.
DialectName = StrEnum("DialectName", [(one, one) for one in ("auto", *DIALECT_NAMES)])  # type: ignore[misc]


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


def _option(default: Any, help: str, **more: Any) -> Any:
    """An option of its field's name; `more` as `typer.Option` has it, or `choices`, or `switch`."""
    return field(default=default, metadata={"help": help, **more})


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """What the command was given, under the options' names; the limits have options of their own.

    A field that `Settings` or the engine's options have too goes there by its name (serve.py).
    """

    host: str = _option(
        "127.0.0.1", "Address to listen on; beyond this machine it needs tokens.", metavar="ADDRESS"
    )
    port: int = _option(5555, "TCP port; 0 takes a free one.", **_PORTS)
    zmq_port: int | None = _option(None, "ZMQ port, off unless given; 0 takes a free one.", **_PORTS)
    metrics_host: str = _option(
        "127.0.0.1", "Address to show metrics on; others need --insecure.", metavar="ADDRESS"
    )
    metrics_port: int | None = _option(
        None, "Port of metrics for Prometheus, off unless given; 0 takes a free one.", **_PORTS
    )
    db: str = _option("fechner.db", "The record.", metavar="FILE_OR_URL")
    config: str | None = _option(
        None, "Configuration for connections that don't begin with a setup.", metavar="FILE"
    )
    resume: str | None = _option(
        None, "Session ('last': the newest) for a connection that names none.", metavar="ID"
    )
    read_only: bool = _option(False, "Write nothing: sessions can be looked at, not changed.")
    force_network: bool = _option(
        False, "Write a record in a folder of another machine all the same; messages may be lost."
    )
    workers: int | None = _option(
        None,
        "Processes that compute; 0 computes inline.  [default: cores - 1, at least 1]",
        min=0,
        max=256,
        metavar="N",
    )
    eager: bool = _option(
        True, "Compute the next ask as soon as an outcome is told; needs a worker.", switch=True
    )
    speculate: bool = _option(
        True, "Compute the next ask for each outcome of the pending trial; needs a worker.", switch=True
    )
    dialect: str = _option(
        "auto", "Which dialect connections speak; auto decides at the first request.", choices=DialectName
    )
    reattach: bool = _option(
        True, "Let an AEPsych client whose connection broke go on with its session.", switch=True
    )
    exit_with_client: bool = _option(False, "Stop as soon as a client has sent exit.")
    token_file: str | None = _option(None, "Ask clients for one of the tokens in this file.", metavar="FILE")
    tls_cert: str | None = _option(None, "Encrypt TCP with this certificate (PEM).", metavar="FILE")
    tls_key: str | None = _option(None, "The certificate's private key.", metavar="FILE")
    curve_key: str | None = _option(
        None, "Encrypt ZMQ with these keys, from `fechner curve-key`.", metavar="FILE"
    )
    insecure: bool = _option(False, "Listen to other machines also without tokens and encryption.")
    allow_extensions: str | None = _option(
        None, "Run extensions that configurations name, if they lie in this folder.", metavar="DIR"
    )
    log_level: str = _option("warning", "How much to log.", choices=LogLevel)
    log_format: str = _option("text", "Lines for people, or a JSON object a line.", choices=LogFormat)
    log_file: str | None = _option(
        None, "Log to a file that only its owner reads.  [default: standard error]", metavar="FILE"
    )
    log_file_bytes: int = _option(
        10_000_000, "Size at which another log file is begun.", min=1000, metavar="N"
    )
    log_files: int = _option(5, "Old log files kept, as FILE.1, FILE.2 and so on.", min=1, metavar="N")
    limits: Limits = field(default_factory=Limits)
