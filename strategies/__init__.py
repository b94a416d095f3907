"""The functional core: plain-data states and the pure functions that ask, tell, query and finish.

`Strategy` is the object for notebooks; `check`, `ask`, `tell`, `query`, `finish`, `dump` and `load` are the
functions it is made of. Importing this package loads neither torch nor scipy; the names below load what
they need when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fechner.strategies.config import check
    from fechner.strategies.core.dumps import dump, load
    from fechner.strategies.core.state import State, initial, tell
    from fechner.strategies.core.strategy import Strategy, ask, finish, query
    from fechner.strategies.errors import ConfigError, FechnerError

_HOMES = {
    "check": "config",
    "ConfigError": "errors",
    "FechnerError": "errors",
    "State": "core.state",
    "Strategy": "core.strategy",
    "ask": "core.strategy",
    "dump": "core.dumps",
    "finish": "core.strategy",
    "initial": "core.state",
    "load": "core.dumps",
    "query": "core.strategy",
    "tell": "core.state",
}

__all__ = [
    "ConfigError",
    "FechnerError",
    "State",
    "Strategy",
    "ask",
    "check",
    "dump",
    "finish",
    "initial",
    "load",
    "query",
    "tell",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
