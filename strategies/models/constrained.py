"""GPClassificationModel with constraint points, or with a lapse rate to be found out (augmented.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fechner.strategies.config.specification import Component
from fechner.strategies.models import augmented
from fechner.strategies.models.augmented import PseudoObservations
from fechner.strategies.models.fitting import Evidence, Layout
from fechner.strategies.models.gp_classification import NAME
from fechner.strategies.models.normal import Array
from fechner.strategies.models.posterior import Posterior

plain = augmented.moved


def concerns(component: Component) -> bool:
    """Whether a component's keys ask for this."""
    keys = component.keys
    return component.name == NAME and bool(
        keys.get("constraint_locations") or keys.get("lapse") == "estimate"
    )


def _problem(component: Component, d: int) -> augmented.Problem:
    return augmented.problem_of(NAME, component, d, PseudoObservations.none(d))


def fit(
    component: Component,
    x: Array,
    y: Array,
    start: Mapping[str, Any] | None = None,
    *,
    poll: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Hyperparameters for inputs x (n, d) in unit space and outcomes y (n,) in {0, 1}, as plain data."""
    return augmented.fit(_problem(component, x.shape[1]), component, x, y, start, poll)


def problem(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any],
    poll: Callable[[], None] | None = None,
) -> tuple[Layout, Evidence, Array]:
    """The layout of theta, the evidence as a function of it, and the theta of `hyperparameters`."""
    return augmented.parts(_problem(component, x.shape[1]), x, y, hyperparameters, poll)


def posterior(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any],
    *,
    near: Posterior | None = None,
    poll: Callable[[], None] | None = None,
) -> Posterior:
    """The posterior of f given inputs x (n, d), outcomes y (n,) and `hyperparameters`."""
    return augmented.posterior(_problem(component, x.shape[1]), x, y, hyperparameters, near, poll)
