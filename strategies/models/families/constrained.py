"""GPClassificationModel with constraint points, or with a lapse rate to be found out (augmented.py)."""

from __future__ import annotations

from functools import partial

from fechner.strategies.models.families import augmented_models
from fechner.strategies.models.families.augmented import Problem, PseudoObservations
from fechner.strategies.models.families.gp_classification import NAME
from fechner.strategies.specification import Component


def concerns(component: Component) -> bool:
    """Whether a component's keys ask for this."""
    keys = component.keys
    return component.name == NAME and bool(
        keys.get("constraint_locations") or keys.get("lapse") == "estimate"
    )


def _problem(component: Component, d: int) -> Problem:
    return augmented_models.problem_of(NAME, component, d, PseudoObservations.none(d))


fit = partial(augmented_models.fit, _problem)
problem = partial(augmented_models.problem, _problem)
plain = augmented_models.plain
posterior = partial(augmented_models.posterior, _problem)
