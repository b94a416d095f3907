"""The shell: sockets, clock, database and processes around the strategies; holds no mathematics.

`Server` is an in-process server for notebooks and tests; `fechner serve` runs one behind sockets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fechner.server.transports.queue import Server

__version__ = "0.1.0"

__all__ = ["Server", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Server":
        from fechner.server.transports.queue import Server

        return Server
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
