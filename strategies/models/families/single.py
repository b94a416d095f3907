"""The family of a model of one outcome."""

from __future__ import annotations

from fechner.strategies.models.families import (
    constrained,
    gp_classification,
    gp_regression,
    hadamard,
    monotonic,
    ordinal,
    pairwise,
    semi_parametric,
)
from fechner.strategies.models.families._base import Model
from fechner.strategies.models.families.plugged import Plugged
from fechner.strategies.specification import Component

FAMILIES: dict[str, Model] = {
    family.name: family
    for family in (
        gp_classification.FAMILY,
        gp_regression.FAMILY,
        hadamard.FAMILY,
        monotonic.FAMILY,
        ordinal.FAMILY,
        pairwise.FAMILY,
        semi_parametric.FAMILY,
    )
}


def family_of_one(component: Component) -> Model:
    """Of the model of one outcome that `component` names.

    Raises:
        ValueError: there is no such model.
    """
    if component.plugin:
        return Plugged(component)
    if constrained.concerns(component):
        return constrained.FAMILY
    try:
        return FAMILIES[component.name]
    except KeyError:
        raise ValueError(f"{component.name} is no model of this version") from None
