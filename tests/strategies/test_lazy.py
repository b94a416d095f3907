"""Modules that are imported when something of them is first wanted (strategies/_lazy.py)."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from fechner.strategies._lazy import Lazy, homes


def test_a_lazy_module_is_imported_when_something_of_it_is_wanted() -> None:
    """Naming it costs nothing."""
    code = """
import sys
from fechner.strategies._lazy import Lazy
colors = Lazy("colorsys")
before = "colorsys" in sys.modules
print(before, colors.rgb_to_hsv(0, 0, 0), "colorsys" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False (0.0, 0.0, 0) True\n"


def test_a_lazy_module_shows_what_the_module_holds_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after something in it was replaced."""
    lazy = Lazy("json")
    assert lazy.dumps is json.dumps
    monkeypatch.setattr(json, "dumps", len)
    assert lazy.dumps is len


def test_a_lazy_module_has_what_the_module_has() -> None:
    """And nothing else."""
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = Lazy("json").nothing_like_it
    with pytest.raises(ModuleNotFoundError):
        _ = Lazy("fechner.strategies.no_such_module").anything


def test_a_package_hands_on_names_of_its_modules() -> None:
    """Each from its home, or the module itself; others it doesn't have."""
    find = homes("json", {"JSONEncoder": "encoder", "scanner": "scanner"})
    assert find("JSONEncoder") is json.JSONEncoder
    assert find("scanner") is sys.modules["json.scanner"]
    with pytest.raises(AttributeError, match="module 'json' has no attribute 'dump_all'"):
        find("dump_all")
