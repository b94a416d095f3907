"""The shell: sockets, clock, database and processes around the strategies; holds no mathematics.

`Server` is an in-process server for notebooks and tests; `fechner serve` runs one behind sockets. `replay`
makes sessions of the record live again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fechner.server.session import replay
    from fechner.server.shell.in_process import Server

__version__ = "0.1.0"

__all__ = ["Server", "__version__", "replay"]


def __getattr__(name: str) -> Any:
    if name == "Server":
        from fechner.server.shell.in_process import Server

        return Server
    if name == "replay":
        from fechner.server.session import replay

        return replay
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
