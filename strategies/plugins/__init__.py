"""Plug-ins: models, generators and acquisition functions that others write; see `declare`."""

from fechner.strategies.plugins.declare import (
    Key,
    Plugin,
    PluginError,
    acquisition,
    generator,
    model,
    number,
    one_of,
    whole,
)
from fechner.strategies.plugins.resolve import component

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
