"""Plug-ins: models, generators and acquisition functions that others write; see `declare`."""

from fechner.strategies.plugins.declare import (
    Key,
    Plugin,
    PluginError,
    acquisition,
    component,
    generator,
    model,
    number,
    one_of,
    whole,
)

__all__ = [
    "Key",
    "Plugin",
    "PluginError",
    "acquisition",
    "component",
    "generator",
    "model",
    "number",
    "one_of",
    "whole",
]
