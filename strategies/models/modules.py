"""Which module computes a model."""

from __future__ import annotations

from types import ModuleType

from fechner.strategies.config.specification import Component
from fechner.strategies.models import (
    constrained,
    gp_classification,
    gp_regression,
    independent,
    monotonic,
    ordinal,
    pairwise,
)

_MODELS: dict[str, ModuleType] = {
    module.NAME: module
    for module in (gp_classification, gp_regression, independent, monotonic, ordinal, pairwise)
}


def module_of(component: Component) -> ModuleType:
    """The module with `fit`, `posterior`, `problem` and `plain` of the model that `component` names.

    That of several outcomes has neither `problem` nor `plain`: their models are asked one by one.

    Raises:
        ValueError: there is no such model.
    """
    if constrained.concerns(component):
        return constrained
    try:
        return _MODELS[component.name]
    except KeyError:
        raise ValueError(f"{component.name} is no model of this version") from None
