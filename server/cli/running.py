"""Commands that look at a server while it runs."""

from __future__ import annotations

from typing import Annotated

import typer
from fechner.server.cli.options import Json

Host = Annotated[str, typer.Option(metavar="ADDRESS", help="Where the server listens.")]
Port = Annotated[int, typer.Option(min=1, max=65535, metavar="N", help="Its TCP port.")]
ZmqPort = Annotated[
    int | None,
    typer.Option(min=1, max=65535, metavar="N", help="Its ZMQ port, to be asked instead of the TCP port."),
]


def status(
    host: Host = "127.0.0.1", port: Port = 5555, zmq_port: ZmqPort = None, as_json: Json = False
) -> None:
    """Show how a running server is: connections, workers, counts, and the sessions in progress.

    Exits 0 if it answers, 1 if not.
    """
    from fechner.server.commands.status import status

    status(host, port, zmq_port, as_json)


def watch(
    host: Host = "127.0.0.1",
    port: Port = 5555,
    zmq_port: ZmqPort = None,
    once: Annotated[bool, typer.Option("--once", help="Show it once and end, as for a pipe.")] = False,
) -> None:
    """Watch the sessions in progress, drawn anew every second.

    Ctrl-C ends it and leaves the server alone. Exits 1 when the server is gone.
    """
    from fechner.server.commands.status import watch

    watch(host, port, zmq_port, once)
