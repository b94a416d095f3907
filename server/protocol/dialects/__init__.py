"""One module per wire version: each translates to and from the core's messages and knows nothing else.

A dialect is a module-level object with the attributes of `base.Dialect`. Which one a connection speaks is
decided at its first request (`choose`) and kept.
"""

from __future__ import annotations

from typing import Any

from fechner.server.protocol.dialects.aepsych_v01 import AEPSYCH_01
from fechner.server.protocol.dialects.aepsych_v08 import AEPSYCH_08
from fechner.server.protocol.dialects.base import Dialect, Request
from fechner.server.protocol.dialects.native_v1 import NATIVE
from fechner.server.protocol.errors import FechnerError

__all__ = ["AEPSYCH_01", "AEPSYCH_08", "DIALECTS", "NATIVE", "VERSIONS", "Dialect", "Request", "choose"]

#: Dialects that `--dialect` can force, by name.
DIALECTS: dict[str, Dialect] = {"native": NATIVE, "aepsych-0.8": AEPSYCH_08, "aepsych-0.1": AEPSYCH_01}

#: What this build answers, as `hello` lists it.
VERSIONS: list[str | None] = ["1", "0.01", None]


def choose(value: dict[str, Any], forced: str = "auto") -> Dialect:
    """The dialect of a connection whose first request is `value` (wire.md 4).

    Raises:
        FechnerError: unknown_version.
    """
    if forced != "auto":
        return DIALECTS[forced]
    version = value.get("version")
    if "version" not in value or version is None:
        return AEPSYCH_08
    if version == "1":
        return NATIVE
    if version == "0.01":
        return AEPSYCH_08 if "extra_info" in value else AEPSYCH_01
    shown = repr(version)
    raise FechnerError(
        "unknown_version",
        f"version {shown if len(shown) < 40 else shown[:37] + '…'} is not answered here",
        where="version",
        hint='use "version": "1", or leave the key out for the AEPsych 0.8 dialect',
    )
