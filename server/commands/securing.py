"""What `fechner serve` needs before it listens to other machines, and what keeps them out.

How clients show who they are is in docs/reference/wire.md, Security.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from fechner.server.commands.output import USAGE, fail
from fechner.server.commands.serve_options import ServeOptions
from fechner.server.engine.principals import Tokens
from fechner.server.shell.secrets import SecurityError, curve_key, read_tokens, tls

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True)
class Secrets:
    """Tokens and keys of a server; `nameless`: dialects that have no tokens are served beside them."""

    tokens: Tokens | None
    nameless: bool
    tls: ssl.SSLContext | None
    curve: tuple[bytes, bytes] | None


def is_loopback(host: str) -> bool:
    """Whether the host names this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def secrets_of(options: ServeOptions) -> Secrets:
    """The tokens and keys that the options name; ends where they are missing, or can't be used."""
    if (options.tls_cert is None) != (options.tls_key is None):
        fail("--tls-cert and --tls-key go together: a certificate and its private key", USAGE)
    if options.curve_key is not None and options.zmq_port is None:
        fail("--curve-key encrypts ZMQ: it needs --zmq-port", USAGE)
    if not is_loopback(options.host) and not options.insecure:
        _refuse_without_secrets(options)
    try:
        return Secrets(
            None if options.token_file is None else read_tokens(options.token_file),
            is_loopback(options.host) or options.insecure,
            None
            if options.tls_cert is None or options.tls_key is None
            else tls(options.tls_cert, options.tls_key),
            None if options.curve_key is None else curve_key(options.curve_key),
        )
    except SecurityError as error:
        fail(str(error), USAGE)


def _refuse_without_secrets(options: ServeOptions) -> None:
    """End if other machines could reach this server without a token, or listen in."""
    missing = []
    if options.token_file is None:
        missing.append("--token-file FILE (make one: `fechner token experimenter --token-file FILE`)")
    if options.tls_cert is None:
        missing.append("--tls-cert FILE --tls-key FILE (a certificate for this machine's name and its key)")
    if options.zmq_port is not None and options.curve_key is None:
        missing.append("--curve-key FILE for ZMQ (make one: `fechner curve-key FILE`)")
    if missing:
        _refuse(options.host, missing)


def _refuse(host: str, missing: list[str]) -> NoReturn:
    lines = "".join(f"\n  {one}" for one in missing)
    fail(
        f"won't listen on {host}, where other machines can reach this server, without{lines}\n"
        "or stay on this machine with --host 127.0.0.1 (`ssh -L` reaches it from elsewhere);\n"
        "--insecure listens there without protection",
        USAGE,
    )
