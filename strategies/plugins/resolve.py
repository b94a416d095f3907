"""From a component to what computes it: the plug-in that it names, and its functions."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from fechner.strategies.errors import FechnerError
from fechner.strategies.plugins.declare import Plugin, PluginError, entry_of
from fechner.strategies.specification import Component

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
        from fechner.strategies.plugins.extensions import again

        return again(place, component.name)
    from fechner.strategies.plugins.installed import plugin_of

    try:
        return plugin_of(component.name)
    except PluginError as error:
        raise FechnerError("bad_config", str(error), hint="install the package again") from error


def function(component: Component, name: str) -> Callable[..., Any]:
    """A function of the plug-in that a component names; raises what `resolve` raises."""
    found = resolve(component).functions[name]
    if not isinstance(found, str):
        return found
    module, _, attribute = found.partition(":")
    out: Callable[..., Any] = getattr(import_module(module), attribute)
    return out
