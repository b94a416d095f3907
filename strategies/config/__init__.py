"""INI text or a mapping to a validated specification; the registry of names as static tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fechner.strategies._lazy import homes

if TYPE_CHECKING:
    from fechner.strategies.config.checking import check
    from fechner.strategies.specification import Component, Outcome, Parameter, Specification, Stage

__all__ = ["Component", "Outcome", "Parameter", "Specification", "Stage", "check"]

#: The tables and the texts lie below what checks: to import them must not load it.
__getattr__ = homes(
    "fechner.strategies",
    {"check": "config.checking"}
    | dict.fromkeys(("Component", "Outcome", "Parameter", "Specification", "Stage"), "specification"),
)
