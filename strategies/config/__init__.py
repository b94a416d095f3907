"""INI text or a mapping to a validated specification; the registry of names as static tables."""

from fechner.strategies.config.checking import check
from fechner.strategies.specification import Component, Outcome, Parameter, Specification, Stage

__all__ = ["Component", "Outcome", "Parameter", "Specification", "Stage", "check"]
