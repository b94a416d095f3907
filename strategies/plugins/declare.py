"""Plug-ins: models, generators and acquisition functions that others write.

A plug-in names its class, its kind, its keys, the outcomes it works with, and the functions that compute. It
comes by an entry point (`fechner.models`, `fechner.generators`, `fechner.acquisition`) of an installed
package, or in the list `PLUGINS` of a local file that a configuration names under `extensions`.

What declares plug-ins is loaded where configurations are checked, so it must be light: torch is imported
inside functions, or functions are named by text (``"package.module:function"``) and found when they compute.

Notation: n trials, s stimuli per trial, d parameters that are not fixed; points are in unit space [0, 1]^d.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fechner.strategies.config.tables.entries import Entry, Function
from fechner.strategies.config.tables.key import Key, number, one_of, whole
from fechner.strategies.config.tables.keys import ACQUISITION_KEYS, GENERATOR_KEYS
from fechner.strategies.config.tables.registry import CLASSES, OLDER_ALLOCATORS, OLDER_CLASSES

__all__ = ["Key", "Plugin", "PluginError", "acquisition", "generator", "model", "number", "one_of", "whole"]

#: Keys that every class of a kind has.
_OWN: dict[str, Mapping[str, Key]] = {
    "model": {name: ACQUISITION_KEYS[name] for name in ("class", "lb", "ub", "dim")},
    "generator": GENERATOR_KEYS,
    "acquisition": ACQUISITION_KEYS,
}
OUTCOMES = ("binary", "continuous", "ordinal")


class PluginError(ValueError):
    """A plug-in that can't be used; the text says why."""


@dataclass(frozen=True)
class Plugin:
    """One class of configurations, as its author declares it; made by the functions below.

    Attributes:
        name: what configurations call it.
        kind: model, generator or acquisition.
        functions: what computes, by name.
        keys: of its section, besides those that every class of the kind has.
        outcome: the outcome types it works with, spaces between; empty if any.
        stimuli: how many stimuli a trial has that it works with; 0 if any.
        needs_model: of a generator: it is given the stage's posterior.
        about: what it does, for `fechner check`.
    """

    name: str
    kind: str
    functions: Mapping[str, Function]
    keys: Mapping[str, Key] = field(default_factory=dict)
    outcome: str = ""
    stimuli: int = 1
    needs_model: bool = False
    about: str = ""


def model(
    name: str,
    *,
    fit: Function,
    posterior: Function,
    keys: Mapping[str, Key] | None = None,
    outcome: str = "",
    about: str = "",
) -> Plugin:
    """Declare a model of one outcome.

    Args:
        name: of the class.
        fit: `fit(component, x, y, start, *, poll)` with x (n, d), y (n,), the hyperparameters of an earlier
            fit or None, and a function to call at least every few milliseconds (or None). It gives plain
            JSON-able hyperparameters; n may be 0.
        posterior: `posterior(component, x, y, hyperparameters, *, poll)` gives a
            `fechner.strategies.models.Posterior`.
        keys: of its section.
        outcome: binary, continuous or ordinal, or several with spaces between.
        about: what it does, in a few words.
    """
    return Plugin(name, "model", {"fit": fit, "posterior": posterior}, keys or {}, outcome, 1, about=about)


def generator(
    name: str,
    *,
    generate: Function,
    keys: Mapping[str, Key] | None = None,
    outcome: str = "",
    stimuli: int = 0,
    needs_model: bool = False,
    about: str = "",
) -> Plugin:
    """Declare a generator.

    Args:
        name: of the class.
        generate: `generate(component, request)` gives the points (n, s, d) of a
            `fechner.strategies.generators.plugged.Request`.
        keys: of its section.
        outcome: as for `model`; any if empty.
        stimuli: 1 or 2 if it works with that alone.
        needs_model: whether the request has the posterior of the stage's model. Before there are data the
            points fill the space.
        about: what it does, in a few words.
    """
    return Plugin(
        name, "generator", {"generate": generate}, keys or {}, outcome, stimuli, needs_model, about=about
    )


def acquisition(
    name: str,
    *,
    build: Function,
    keys: Mapping[str, Key] | None = None,
    outcome: str = "",
    about: str = "",
) -> Plugin:
    """Declare an acquisition function of one stimulus.

    Args:
        name: of the class.
        build: `build(component, posterior, *, seed)` gives a
            `fechner.strategies.acquisition.Acquisition`: values, the larger the better, and gradients. The
            posterior has the information that points handed out and not told will bring.
        keys: of its section.
        outcome: as for `model`; any if empty.
        about: what it does, in a few words.
    """
    return Plugin(name, "acquisition", {"build": build}, keys or {}, outcome, 1, about=about)


def entry_of(plugin: Plugin, reference: str) -> Entry:
    """The plug-in in the tables that configurations are checked with.

    Raises:
        PluginError: it isn't one, or its name is taken.
    """
    if not isinstance(plugin, Plugin):
        raise PluginError(f"{type(plugin).__name__} is no plug-in: fechner.strategies.plugins makes them")
    name = plugin.name
    if not isinstance(name, str) or not name.isidentifier():
        raise PluginError(f"{name!r} is no name of a class")
    if name in CLASSES or name in OLDER_CLASSES or name in OLDER_ALLOCATORS:
        raise PluginError(f"Fechner has a class {name}: give yours another name")
    if plugin.kind not in _OWN:
        raise PluginError(f"{name} is a {plugin.kind}; plug-ins are models, generators and acquisitions")
    unknown = [kind for kind in plugin.outcome.split() if kind not in OUTCOMES]
    if unknown:
        raise PluginError(f"{name} is for {unknown[0]} outcomes; there are {', '.join(OUTCOMES)} ones")
    for key, table in plugin.keys.items():
        if not isinstance(table, Key) or key != key.lower():
            raise PluginError(f"{name}: a key is a Key under a name in lower case, unlike {key!r}")
    return Entry(
        plugin.kind,
        {**_OWN[plugin.kind], **plugin.keys},
        outcome=plugin.outcome,
        stimuli=plugin.stimuli,
        needs_model=plugin.needs_model,
        functions=plugin.functions,
        plugin=reference,
        about=plugin.about,
    )
