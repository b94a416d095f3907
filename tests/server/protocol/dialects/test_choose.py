"""Which dialect a connection speaks is decided by its first request (docs/reference/wire.md, AEPsych)."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.server.commands.serve_options import DialectName
from fechner.server.protocol.dialects import AEPSYCH_01, AEPSYCH_08, DIALECTS, NATIVE, VERSIONS, choose
from fechner.server.protocol.errors import FechnerError


@pytest.mark.parametrize(
    ("value", "dialect"),
    [
        ({"version": "1", "type": "hello"}, NATIVE),
        ({"type": "setup"}, AEPSYCH_08),
        ({"version": None, "type": "setup"}, AEPSYCH_08),
        ({"version": "0.01", "type": "setup", "extra_info": None}, AEPSYCH_08),
        ({"version": "0.01", "type": "setup", "metadata": {}}, AEPSYCH_01),
        ({"version": "0.01", "type": "ask", "message": ""}, AEPSYCH_01),
        ({"version": "1", "type": "setup", "extra_info": None}, NATIVE),
    ],
)
def test_the_first_request_decides(value: dict[str, Any], dialect: object) -> None:
    """Version 1 is native; none, or the Unity client's 0.01, is AEPsych 0.8, any other 0.01 is 0.1."""
    assert choose(value) is dialect


@pytest.mark.parametrize("version", ["0.02", "2", 1, True, [], {"a": 1}, "x" * 1000])
def test_other_versions_are_not_answered(version: Any) -> None:
    """They are named, shortened if need be."""
    with pytest.raises(FechnerError) as caught:
        choose({"version": version, "type": "setup"})
    assert caught.value.code == "unknown_version"
    assert len(caught.value.detail) < 120


def test_a_forced_dialect_is_taken() -> None:
    """Whatever the request says."""
    for name, dialect in DIALECTS.items():
        assert choose({"version": "2"}, name) is dialect


def test_the_command_line_can_force_every_dialect() -> None:
    """Of which it knows the names without loading them (dialect_names.py)."""
    assert [name.value for name in DialectName] == ["auto", *DIALECTS]


def test_the_versions_of_hello_are_answered() -> None:
    """Each one chooses a dialect."""
    for version in VERSIONS:
        assert choose({"version": version})
