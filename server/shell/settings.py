"""What a server is told: where it listens, and how it behaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fechner.server.engine.options import EngineOptions

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True)
class Settings:
    """The options of `fechner serve`, read: its files opened, its defaults filled in.

    `curve`: public and secret key.
    """

    host: str = "127.0.0.1"
    port: int = 5555
    zmq_port: int | None = None
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None
    workers: int = 0
    tls: ssl.SSLContext | None = None
    curve: tuple[bytes, bytes] | None = None
    engine: EngineOptions = field(default_factory=EngineOptions)
