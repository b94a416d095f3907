"""The functional core: plain-data states and the pure functions that ask, tell, query and finish.

`Strategy` is the object for notebooks; `check`, `ask`, `tell`, `query`, `finish`, `dump` and `load` are the
functions it is made of. Importing this package loads neither torch nor scipy; the names below load what
they need when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fechner.strategies._lazy import homes

if TYPE_CHECKING:
    from fechner.strategies.config import check
    from fechner.strategies.core.dumps import dump, load
    from fechner.strategies.core.state import State, initial, tell
    from fechner.strategies.core.strategy import ask, finish
    from fechner.strategies.errors import ConfigError, FechnerError
    from fechner.strategies.queries.query import query
    from fechner.strategies.strategy import Strategy

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

__getattr__ = homes(
    __name__,
    {
        "check": "config",
        "ConfigError": "errors",
        "FechnerError": "errors",
        "State": "core.state",
        "Strategy": "strategy",
        "ask": "core.strategy",
        "dump": "core.dumps",
        "finish": "core.strategy",
        "initial": "core.state",
        "load": "core.dumps",
        "query": "queries.query",
        "tell": "core.state",
    },
)
