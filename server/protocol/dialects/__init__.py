"""One module per wire version: each translates to and from the core's messages and knows nothing else.

A dialect is a module-level object with the attributes of `base.Dialect`; a new one is a module, and a line in
`dialect_names`. Which one a connection speaks is decided at its first request (`choose`) and kept.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from fechner.server.protocol.dialect_names import DIALECT_NAMES
from fechner.server.protocol.dialects.aepsych_v01 import AEPSYCH_01
from fechner.server.protocol.dialects.aepsych_v08 import AEPSYCH_08
from fechner.server.protocol.dialects.base import Dialect, Request
from fechner.server.protocol.dialects.native_v1 import NATIVE
from fechner.server.protocol.errors import FechnerError

__all__ = ["AEPSYCH_01", "AEPSYCH_08", "DIALECTS", "NATIVE", "VERSIONS", "Dialect", "Request", "choose"]

#: Dialects that `--dialect` can force, by name.
DIALECTS: dict[str, Dialect] = {
    name: getattr(import_module(f"{__name__}.{where.partition(':')[0]}"), where.partition(":")[2])
    for name, where in DIALECT_NAMES.items()
}

#: What this build answers, as `hello` lists it.
VERSIONS: list[str | None] = list(
    dict.fromkeys(version for dialect in DIALECTS.values() for version in dialect.versions)
)


def choose(value: dict[str, Any], forced: str = "auto") -> Dialect:
    """The dialect of a connection whose first request is `value` (docs/reference/wire.md, AEPsych).

    Raises:
        FechnerError: unknown_version.
    """
    if forced != "auto":
        return DIALECTS[forced]
    for dialect in DIALECTS.values():
        if dialect.speaks(value):
            return dialect
    shown = repr(value["version"])
    raise FechnerError(
        "unknown_version",
        f"version {shown if len(shown) < 40 else shown[:37] + '…'} is not answered here",
        where="version",
        hint='use "version": "1", or leave the key out for the AEPsych 0.8 dialect',
    )
