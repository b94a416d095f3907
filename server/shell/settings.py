"""What a server is told: where it listens, and how it behaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fechner.server.protocol.limits import Limits

if TYPE_CHECKING:
    import ssl

    from fechner.server.engine.principals import Tokens


@dataclass(frozen=True)
class Settings:
    """The options of `fechner serve`, read: its files opened, its defaults filled in.

    `nameless`: beside tokens, dialects that can't show one are served. `curve`: public and secret key.
    """

    host: str = "127.0.0.1"
    port: int = 5555
    zmq_port: int | None = None
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None
    workers: int = 0
    dialect: str = "auto"
    config: str | dict[str, Any] | None = None
    resume: str | None = None
    read_only: bool = False
    eager: bool = True
    speculate: bool = True
    reattach: bool = True
    exit_with_client: bool = False
    limits: Limits = field(default_factory=Limits)
    tokens: Tokens | None = None
    nameless: bool = True
    tls: ssl.SSLContext | None = None
    curve: tuple[bytes, bytes] | None = None
