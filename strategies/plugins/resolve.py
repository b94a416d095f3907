"""From a component to what computes it, ours or a plug-in's: its entry, and the entry's functions.

By kind of class, the functions there are:

- acquisition functions: `build(component, posterior, *, seed)` of one stimulus, with a posterior that has the
  information which points handed out and not told will bring; or `build_with_pending`, which is given these
  points, and an ensemble `around` the fitted hyperparameters as well. Of pairs: `pairs(posterior)`, or
  `stimuli_in_turn`, which chooses one stimulus after the other. `on_device`: the values of a scan by torch
  (acquisition/torch_values.py).
- objectives: `shape(f)`, what they make of f before the guess rate (acquisition/objectives.py); or `build`,
  of one that makes another function of the acquisition function.
- generators: `generate(component, request)` gives points; `fill(seed, d, first, n)`, and
  `listed(component, space, stimuli, seed, first, n)`, do so without a model; `point(component, core, search)`
  chooses one point by the model; `mixed` puts points of others together. `completed(classes, component,
  parameters)`, where configurations are checked, fills in what they leave out.
- models: `fit` and `posterior`; ours a `family` of them (models/families/_base.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fechner.strategies._lazy import Lazy
from fechner.strategies.config.tables.entries import Entry, Function
from fechner.strategies.config.tables.registry import CLASSES
from fechner.strategies.errors import FechnerError
from fechner.strategies.plugins.declare import Plugin, PluginError, entry_of
from fechner.strategies.specification import Component

if TYPE_CHECKING:
    from fechner.strategies.plugins import extensions, installed
else:
    extensions = Lazy("fechner.strategies.plugins.extensions")
    installed = Lazy("fechner.strategies.plugins.installed")

#: Plug-ins of this process that no file or package declares, by their reference.
_HERE: dict[str, Plugin] = {}


def component(plugin: Plugin, **keys: Any) -> Component:
    """A plug-in with these keys, others at their defaults, for tests and notebooks in this process."""
    reference = f"here:{plugin.name}"
    entry = entry_of(plugin, reference)
    unknown = [key for key in keys if key not in plugin.keys]
    if unknown:
        raise PluginError(f"{plugin.name} has no key {unknown[0]}")
    _HERE[reference] = plugin
    defaults = {name: key.default for name, key in entry.keys.items() if key.type != "ignored"}
    return Component(plugin.name, {**defaults, **keys}, plugin=reference)


def resolve(component: Component) -> Plugin:
    """The plug-in that a component names.

    Raises:
        FechnerError: bad_config: the file is gone, or another one now; no package has it any more.
    """
    kind, _, place = component.plugin.partition(":")
    if kind == "here":
        return _HERE[component.plugin]
    if kind == "file":
        return extensions.again(place, component.name)
    try:
        return installed.plugin_of(component.name)
    except PluginError as error:
        raise FechnerError("bad_config", str(error), hint="install the package again") from error


def entry(component: Component) -> Entry:
    """What the tables say about a component's class; raises what `resolve` raises.

    Raises:
        ValueError: there is no such class.
    """
    if component.plugin:
        return entry_of(resolve(component), component.plugin)
    try:
        return CLASSES[component.name]
    except KeyError:
        raise ValueError(f"there is no class {component.name} in this version") from None


def function(component: Component, name: str) -> Callable[..., Any]:
    """A function of a component's class; raises what `entry` raises.

    Raises:
        ValueError: its class has no such function.
    """
    found = entry(component).functions.get(name)
    if found is None:
        raise ValueError(f"{component.name} has no function '{name}' in this version")
    out: Callable[..., Any] = located(found)
    return out


def load() -> None:
    """Import what our own classes compute with, so that no ask waits for it; not what needs torch at once."""
    for found in CLASSES.values():
        for name, function in found.functions.items():
            if name != "on_device":
                located(function)


def located(function: Function) -> Any:
    """What is named by text, found; or the function itself."""
    return _imported(function) if isinstance(function, str) else function


@cache
def _imported(reference: str) -> Any:
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)
