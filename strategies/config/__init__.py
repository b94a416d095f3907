"""INI text or a mapping to a validated specification; the registry of names as static tables."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fechner.strategies.config.checking import check
    from fechner.strategies.specification import Component, Outcome, Parameter, Specification, Stage

__all__ = ["Component", "Outcome", "Parameter", "Specification", "Stage", "check"]


def __getattr__(name: str) -> Any:
    # the tables and the texts lie below what checks: to import them must not load it
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "config.checking" if name == "check" else "specification"
    return getattr(import_module(f"fechner.strategies.{home}"), name)
