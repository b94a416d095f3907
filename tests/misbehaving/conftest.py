"""Makes the misbehaving clients importable as a fixture."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def peers() -> ModuleType:
    """The module peers.py beside this file."""
    spec = importlib.util.spec_from_file_location("misbehaving_peers", Path(__file__).with_name("peers.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
