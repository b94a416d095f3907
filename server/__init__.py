"""The shell: sockets, clock, database and processes around the strategies; holds no mathematics.

`Server` is an in-process server for notebooks and tests; `fechner serve` runs one behind sockets. `replay`
makes sessions of the record live again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fechner.server.version import __version__
from fechner.strategies._lazy import homes

if TYPE_CHECKING:
    from fechner.server.session import replay
    from fechner.server.shell.in_process import Server

__all__ = ["Server", "__version__", "replay"]

__getattr__ = homes(__name__, {"Server": "shell.in_process", "replay": "session.replay"})
