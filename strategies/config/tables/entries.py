"""What the registry says about a class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fechner.strategies.config.tables.keys import Key


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
        needs_model: of a plug-in's generator: it is given the posterior of the stage's model.
        plugin: where a plug-in's functions are found; empty for our own classes.
        fault: why a plug-in can't be used.
        about: what a plug-in does.
    """

    kind: str
    keys: Mapping[str, Key] = field(default_factory=dict)
    supported: bool = True
    outcome: str = ""
    instead: str = ""
    stimuli: int = 0
    several: bool = False
    needs_model: bool = False
    plugin: str = ""
    fault: str = ""
    about: str = ""
