"""One module per message type; the registry is keyed (type, version).

A handler is a pure function of an unchanged session and a message. It returns what to answer and the change
to record, or what to compute first; it raises `FechnerError` where the request can't be honoured. The modules
(and numpy with them) are imported by `registry.load`, so that a server answers `hello` before it has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fechner.strategies._lazy import homes

if TYPE_CHECKING:
    from fechner.server.session.handlers.registry import HANDLERS, handles, load
    from fechner.server.session.handlers.results import Answer, Computation, Context

__all__ = ["HANDLERS", "Answer", "Computation", "Context", "handles", "load"]

# A worker, which knows priorities, needs no messages and no dialects.
__getattr__ = homes(
    __name__,
    {
        "HANDLERS": "registry",
        "handles": "registry",
        "load": "registry",
        "Answer": "results",
        "Computation": "results",
        "Context": "results",
    },
)
