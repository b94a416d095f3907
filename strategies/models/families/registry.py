"""Which module computes a model."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from fechner.strategies.models.families import (
    constrained,
    gp_classification,
    gp_regression,
    hadamard,
    independent,
    monotonic,
    ordinal,
    pairwise,
    semi_parametric,
)
from fechner.strategies.models.families.plugged import Plugged
from fechner.strategies.specification import Component

_MODELS: dict[str, ModuleType] = {
    module.NAME: module
    for module in (
        gp_classification,
        gp_regression,
        hadamard,
        independent,
        monotonic,
        ordinal,
        pairwise,
        semi_parametric,
    )
}


def module_of(component: Component) -> Any:
    """The module with `fit`, `posterior`, `problem` and `plain` of the model that `component` names.

    That of several outcomes and plug-ins have neither `problem` nor `plain`: models of the former are asked
    one by one, and the intervals of plug-ins are those of their hyperparameters.

    Raises:
        ValueError: there is no such model.
    """
    if component.plugin:
        return Plugged(component)
    if constrained.concerns(component):
        return constrained
    try:
        return _MODELS[component.name]
    except KeyError:
        raise ValueError(f"{component.name} is no model of this version") from None
