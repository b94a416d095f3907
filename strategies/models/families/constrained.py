"""GPClassificationModel with constraint points, or with a lapse rate to be found out (augmented.py)."""

from __future__ import annotations

from fechner.strategies.models.families.augmented import PseudoObservations
from fechner.strategies.models.families.augmented_models import family_with
from fechner.strategies.specification import Component

NAME = "GPClassificationModel"


def concerns(component: Component) -> bool:
    """Whether a component's keys ask for this."""
    keys = component.keys
    return component.name == NAME and bool(
        keys.get("constraint_locations") or keys.get("lapse") == "estimate"
    )


def _nothing(component: Component, d: int) -> PseudoObservations:
    return PseudoObservations.none(d)


FAMILY = family_with(NAME, _nothing)
fit, problem, posterior = FAMILY.fit, FAMILY.problem, FAMILY.posterior
