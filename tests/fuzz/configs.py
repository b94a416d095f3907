"""Configurations: INI text, and sections of keys and values."""

from __future__ import annotations

import json
from zlib import crc32

from fechner.strategies.config import Specification, check
from fechner.strategies.core.state import initial
from fechner.strategies.errors import ConfigError

from .harness import Harness
from .streams import either


def _checked(config: object, data: bytes) -> None:
    """As a native setup, or as one of an older client: the bytes decide."""
    try:
        specification = check(config, no_end="error" if crc32(data) % 2 else "warning")  # type: ignore[arg-type]
    except ConfigError as error:
        refused = error
    else:
        _usable(specification)
        return
    assert refused.problems
    str(refused).encode("utf-8", "strict")
    json.dumps([str(problem) for problem in (*refused.problems, *refused.warnings)])


def _usable(specification: Specification) -> None:
    """A strategy can begin from it."""
    assert isinstance(specification, Specification)
    assert specification.stages
    assert specification.parameters
    initial(specification, 1)


def ini(data: bytes) -> None:
    """A text is a specification, or a list of problems."""
    _checked(data.decode("utf-8", "surrogateescape"), data)


def sections(data: bytes) -> None:
    """So is a mapping."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return
    _checked(value, data)


INI = Harness("config_ini", ini)
SECTIONS = Harness("config_dict", sections, either)
