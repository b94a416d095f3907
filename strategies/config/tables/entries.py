"""What the registry says about a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fechner.strategies.config.tables.key import Key

#: A function, or where one is: ``"package.module:function"``, so that a table of them loads nothing.
Function = Callable[..., Any] | str


@dataclass(frozen=True)
class Entry:
    """One registered class, ours or a plug-in's.

    Attributes:
        kind: generator, model, acquisition, objective, factory, likelihood, kernel, mean or allocator.
        keys: the keys of its section.
        supported: whether this version has it.
        same_as: the class of ours that does its work, under which it is in a specification.
        outcome: the outcome type it works with, or several with spaces between; empty if any.
        stimuli: how many stimuli a trial has that it works with; 0 if any.
        instead: what to use as long as it is not supported, a sentence's end after "use".
        several: whether it is for several outcomes at once; `outcome` is then the type of each.
        needs_model: of a generator: it computes with the stage's model.
        searching: of a generator: it follows an acquisition function.
        model: of a generator: the model of binary outcomes that it takes where none is named; empty if the
            usual one.
        functions: what computes, by name (plugins/resolve.py says which there are).
        on_the_processor: of a model: it is computed there alone.
        of_latent: of an acquisition function that a GPU scans: its values are those of f alone, so that
            it goes with ordinal outcomes too.
        plugin: where a plug-in's functions are found; empty for our own classes.
        fault: why a plug-in can't be used.
        about: what a plug-in does.
        words, pair_words: of an acquisition function: where a trial, or which pair, it chooses, for people;
            with fields for what its keys say (describing/describe_methods.py).
    """

    kind: str
    keys: Mapping[str, Key] = field(default_factory=dict)
    supported: bool = True
    outcome: str = ""
    instead: str = ""
    stimuli: int = 0
    several: bool = False
    needs_model: bool = False
    searching: bool = False
    same_as: str = ""
    model: str = ""
    functions: Mapping[str, Function] = field(default_factory=dict)
    on_the_processor: bool = False
    of_latent: bool = False
    plugin: str = ""
    fault: str = ""
    about: str = ""
    words: str = ""
    pair_words: str = ""

    @property
    def finite(self) -> bool:
        """Whether a generator's points end."""
        return "listed" in self.functions
