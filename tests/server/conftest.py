"""An engine on a rig, configurations, and what else tests of the server need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fechner.server.protocol import jsontext
from fechner.server.protocol.limits import Limits
from fechner.server.shell.execution import run

from .configs import SPACE_FILLING, WITH_MODEL
from .rig import Computing, Rig


@pytest.fixture
def rig() -> Rig:
    """A fresh rig."""
    return Rig()


@pytest.fixture
def new_rig() -> type[Rig]:
    """Makes rigs."""
    return Rig


@pytest.fixture
def space_filling() -> str:
    """A configuration of one stage of four Sobol points in one dimension."""
    return SPACE_FILLING


@pytest.fixture
def with_model() -> str:
    """A configuration of one Sobol point, then asks that need a computation."""
    return WITH_MODEL


@pytest.fixture
def limits() -> Limits:
    """The limits by default."""
    return Limits()


@pytest.fixture
def computed_here() -> Computing:
    """Carries computations out in this process."""
    return run


@pytest.fixture
def parse() -> Callable[[bytes], Any]:
    """Strict JSON text to a value."""
    return lambda text: jsontext.parse(text, Limits())
