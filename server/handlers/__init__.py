"""One module per message type; the registry is keyed (type, version).

A handler is a pure function of an unchanged session and a message. It returns what to answer and the change
to record, or what to compute first; it raises `FechnerError` where the request can't be honoured.
"""

from fechner.server.handlers import (
    ask,
    exit,
    finish_strategy,
    info,
    query,
    resume,
    setup,
    tell,
)
from fechner.server.handlers.registry import HANDLERS, Answer, Computation, Context, handles

__all__ = [
    "HANDLERS",
    "Answer",
    "Computation",
    "Context",
    "ask",
    "exit",
    "finish_strategy",
    "handles",
    "info",
    "query",
    "resume",
    "setup",
    "tell",
]
