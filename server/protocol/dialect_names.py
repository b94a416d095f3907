"""Which dialects there are, in the order in which they are offered a connection's first request.

A new dialect is a module of `dialects`, and its line here. The table loads none of them, so that the command
line can name them at no cost.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Where each dialect is, in `dialects`: module and object.
DIALECT_NAMES: Mapping[str, str] = {
    "native": "native_v1:NATIVE",
    "aepsych-0.8": "aepsych_v08:AEPSYCH_08",
    "aepsych-0.1": "aepsych_v01:AEPSYCH_01",
}
