"""What the registry says about a class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fechner.strategies.config.keys import Key


@dataclass(frozen=True)
class Entry:
    """One registered class.

    Attributes:
        kind: generator, model, acquisition, objective, factory, likelihood, kernel, mean or allocator.
        keys: the keys of its section.
        supported: whether this version has it.
        outcome: the outcome type it works with, or several with spaces between; empty if any.
        stimuli: how many stimuli a trial has that it works with; 0 if any.
        instead: what to use as long as it is not supported, a sentence's end after "use".
        several: whether it is for several outcomes at once; `outcome` is then the type of each.
    """

    kind: str
    keys: Mapping[str, Key] = field(default_factory=dict)
    supported: bool = True
    outcome: str = ""
    instead: str = ""
    stimuli: int = 0
    several: bool = False
