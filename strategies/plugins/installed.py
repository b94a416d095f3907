"""Plug-ins of installed packages, found by entry points once in a process."""

from __future__ import annotations

import functools
from importlib.metadata import EntryPoint, entry_points

from fechner.strategies.config.tables.entries import Entry
from fechner.strategies.config.tables.registry import CLASSES
from fechner.strategies.plugins.declare import Plugin, PluginError, entry_of
from fechner.strategies.plugins.light import fault, light

GROUPS = {"fechner.models": "model", "fechner.generators": "generator", "fechner.acquisition": "acquisition"}


@functools.cache
def found() -> dict[str, EntryPoint]:
    """The entry points of the three groups by name; of two with a name the first package's counts."""
    by_name: dict[str, EntryPoint] = {}
    every = entry_points()
    for group in GROUPS:
        for point in sorted(every.select(group=group), key=lambda one: (one.name, source(one))):
            by_name.setdefault(point.name, point)
    return by_name


def source(point: EntryPoint) -> str:
    """The package that an entry point comes from, with its version."""
    return "" if point.dist is None else f"{point.dist.name} {point.dist.version}"


@functools.cache
def plugin_of(name: str) -> Plugin:
    """The plug-in of this name.

    Raises:
        PluginError: there is none, or it can't be used.
    """
    point = found().get(name)
    if point is None:
        raise PluginError(f"no installed package has the plug-in {name} any more")
    try:
        with light():
            plugin = point.load()
    except Exception as error:
        raise PluginError(f"{point.value} of {source(point)} can't be loaded: {fault(error)}") from error
    entry_of(plugin, "")
    if plugin.name != name or plugin.kind != GROUPS[point.group]:
        raise PluginError(
            f"{point.value} of {source(point)} is the {plugin.kind} {plugin.name}, "
            f"not the {GROUPS[point.group]} {name}"
        )
    assert isinstance(plugin, Plugin)
    return plugin


@functools.cache
def entries() -> dict[str, Entry]:
    """The installed plug-ins as the tables have them; those that can't be used say why.

    One with a name of ours is left out: ours counts (`shadowed`).
    """
    table: dict[str, Entry] = {}
    for name, point in found().items():
        if name in CLASSES:
            continue
        try:
            table[name] = entry_of(plugin_of(name), f"installed:{source(point)}")
        except PluginError as error:
            table[name] = Entry(GROUPS[point.group], supported=False, fault=str(error))
    return table


def shadowed() -> dict[str, str]:
    """Plug-ins that are refused since a class of ours has their name, and the packages they come from."""
    return {name: source(point) for name, point in found().items() if name in CLASSES}
