"""The registry of handlers, keyed (type, version)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.kinds import KINDS
from fechner.server.protocol.messages import Message
from fechner.server.session.handlers.results import Context, Result

Handler = Callable[[Context, Any], Result]

#: The modules of handlers.
MODULES = tuple(dict.fromkeys(kind.handler for kind in KINDS.values() if kind.handler))

#: Handlers by (type, version); filled by `load`.
HANDLERS: dict[tuple[str, str], Handler] = {}
_loaded = False
_loading = threading.Lock()


def handles(type_: str, *versions: str) -> Callable[[Handler], Handler]:
    """Register a handler for a message type in these versions."""

    def register(handler: Handler) -> Handler:
        for version in versions:
            HANDLERS[type_, version] = handler
        return handler

    return register


def load() -> None:
    """Import every module of handlers, and the core with them.

    Whichever thread needs any of them first calls this: two threads that import modules of one package in
    different order can meet in the interpreter's import locks.
    """
    global _loaded
    if _loaded:
        return
    with _loading:
        for module in MODULES:
            import_module(f"fechner.server.session.handlers.{module}")
        _loaded = True


def handle(context: Context, type_: str, message: Message) -> Result:
    """The answer of the handler for (type, version).

    Raises:
        FechnerError: unknown_type, or what the handler raises.
    """
    load()
    handler = HANDLERS.get((type_, context.version))
    if handler is None:
        raise FechnerError("unknown_type", f"no handler for '{type_}'", where="type")
    return handler(context, message)
