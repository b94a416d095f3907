"""Commands that look at a server while it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from fechner.server import commands
from fechner.server.cli.options import DEFAULT_DB, Db, Json
from fechner.server.commands.asking import Address
from fechner.server.protocol.limits import Limits

Host = Annotated[str, typer.Option(metavar="ADDRESS", help="Where the server listens.")]
Port = Annotated[int, typer.Option(min=1, max=65535, metavar="N", help="Its TCP port.")]
ZmqPort = Annotated[
    int | None,
    typer.Option(min=1, max=65535, metavar="N", help="Its ZMQ port, to be asked instead of the TCP port."),
]
TokenFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="The token to show: an admin's in the file, else its first.  [default: FECHNER_TOKEN, if set]",
    ),
]
Tls = Annotated[bool, typer.Option("--tls", help="Encrypt; a known authority signed the certificate.")]
TlsCert = Annotated[
    str | None, typer.Option(metavar="FILE", help="Encrypt; this is the certificate, or its authority's.")
]
CurveKey = Annotated[
    str | None, typer.Option(metavar="FILE", help="Encrypt ZMQ with the server's public key, FILE.public.")
]


def status(
    host: Host = "127.0.0.1",
    port: Port = 5555,
    zmq_port: ZmqPort = None,
    token_file: TokenFile = None,
    tls: Tls = False,
    tls_cert: TlsCert = None,
    curve_key: CurveKey = None,
    as_json: Json = False,
) -> None:
    """Show how a running server is: connections, workers, counts, and the sessions in progress.

    Where it asks for tokens, an admin's shows all sessions, another one those of its own. Exits 0 if the
    server answers, 1 if not.
    """
    commands.status.status(Address(host, port, zmq_port, token_file, tls, tls_cert, curve_key), as_json)


def doctor(
    db: Db = DEFAULT_DB,
    host: Host = "127.0.0.1",
    port: Port = 5555,
    token_file: TokenFile = None,
    tls: Tls = False,
    tls_cert: TlsCert = None,
    connections: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many connections the server shall take.")
    ] = Limits().connections,
    as_json: Json = False,
) -> None:
    """Check whether a server would run well here: versions, cores, torch, disk, record, port, clock.

    Nothing is written to the record. Exits 0 if nothing is bad, 1 otherwise.
    """
    commands.doctor.doctor(db, Address(host, port, None, token_file, tls, tls_cert), connections, as_json)


def watch(
    host: Host = "127.0.0.1",
    port: Port = 5555,
    zmq_port: ZmqPort = None,
    token_file: TokenFile = None,
    tls: Tls = False,
    tls_cert: TlsCert = None,
    curve_key: CurveKey = None,
    once: Annotated[bool, typer.Option("--once", help="Show it once and end, as for a pipe.")] = False,
) -> None:
    """Watch the sessions in progress, drawn anew every second.

    Ctrl-C ends it and leaves the server alone. Exits 1 when the server is gone.
    """
    commands.status.watch(Address(host, port, zmq_port, token_file, tls, tls_cert, curve_key), once)
