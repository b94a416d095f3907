"""All harnesses, by name."""

from __future__ import annotations

from .configs import INI, SECTIONS
from .dialects import AEPSYCH_01, AEPSYCH_08, NATIVE
from .dumps import DUMP
from .foreign import FILE, PICKLE
from .harness import Harness
from .streams import STREAM, TEXT

PARSERS: dict[str, Harness] = {
    harness.name: harness
    for harness in (STREAM, TEXT, NATIVE, AEPSYCH_08, AEPSYCH_01, INI, SECTIONS, DUMP, PICKLE, FILE)
}
