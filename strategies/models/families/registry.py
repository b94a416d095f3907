"""Which family a model is of."""

from __future__ import annotations

from fechner.strategies.models.families import independent
from fechner.strategies.models.families._base import Model
from fechner.strategies.models.families.single import family_of_one
from fechner.strategies.specification import Component


def family_of(component: Component) -> Model:
    """Of the model that `component` names, of one outcome or of several.

    Raises:
        ValueError: there is no such model.
    """
    return independent.FAMILY if component.name == independent.NAME else family_of_one(component)
