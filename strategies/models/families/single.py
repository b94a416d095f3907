"""The family of a model of one outcome."""

from __future__ import annotations

from fechner.strategies.config.tables.registry import CLASSES
from fechner.strategies.models.families import constrained
from fechner.strategies.models.families._base import Model
from fechner.strategies.models.families.plugged import Plugged
from fechner.strategies.plugins.resolve import located
from fechner.strategies.specification import Component


def family_of_one(component: Component) -> Model:
    """Of the model of one outcome that `component` names.

    Raises:
        ValueError: there is no such model.
    """
    if component.plugin:
        return Plugged(component)
    if constrained.concerns(component):
        return constrained.FAMILY
    declared = CLASSES.get(component.name)
    if declared is None or "family" not in declared.functions:
        raise ValueError(f"{component.name} is no model of this version")
    family: Model = located(declared.functions["family"])
    return family
