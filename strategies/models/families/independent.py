"""Several outcomes: a model of its own for each, independent of the others.

Notation: n trials, m outcomes; y (n, m), or its n m values row by row. Hyperparameters are a list, one entry
for each outcome, in the order of the outcomes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fechner.strategies.models.families._base import Model, foreign
from fechner.strategies.models.families.single import family_of_one
from fechner.strategies.models.fitting.plain import Hyperparameters
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.models.posteriors.weighted import WeightedPosterior
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

NAME = "IndependentGPsModel"


def part(component: Component, index: int) -> Component:
    """The model of one outcome."""
    out: Component = component.keys["models"][index]
    return out


def part_of(hyperparameters: Hyperparameters | None, index: int) -> dict[str, Any] | None:
    """The hyperparameters of one outcome's model, None where there are none."""
    if hyperparameters is None or hyperparameters.get("model") != NAME:
        return None
    parts = hyperparameters["parts"]
    return dict(parts[index]) if index < len(parts) else None


def columns(x: Array, y: Array) -> Array:
    """y as (n, m)."""
    return np.asarray(y, dtype=float).reshape(len(x), -1) if len(x) else np.zeros((0, 1))


def fit(
    component: Component,
    x: Array,
    y: Array,
    start: Hyperparameters | None = None,
    *,
    poll: Poll | None = None,
) -> dict[str, Any]:
    """Hyperparameters of all outcomes' models for inputs x (n, d) and outcomes y (n, m), as plain data."""
    outcomes, parts, warnings = columns(x, y), [], []
    for index, model in enumerate(component.keys["models"]):
        told = outcomes[:, index] if len(x) else np.zeros(0)
        left = part_of(start, index)
        if left is not None and left.get("model") != model.name:
            left = None
        one = dict(_family(model).fit(model, x, told, left, poll=poll))
        warnings += [f"{model.name} of outcome {index + 1}: {text}" for text in one.pop("warnings", ())]
        parts.append(one)
    out: dict[str, Any] = {"model": NAME, "parts": parts}
    return out | ({"warnings": warnings} if warnings else {})


def posteriors(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Hyperparameters,
    *,
    poll: Poll | None = None,
) -> list[Posterior]:
    """The posterior of each outcome's latent function given x (n, d) and y (n, m)."""
    outcomes, found = columns(x, y), []
    for index, model in enumerate(component.keys["models"]):
        told = outcomes[:, index] if len(x) else np.zeros(0)
        left = part_of(hyperparameters, index)
        if left is None:
            raise ValueError(foreign(NAME, f"of {index + 1} outcomes or more"))
        one: Posterior = _family(model).posterior(model, x, told, left, poll=poll)
        found.append(one)
    return found


def posterior(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Hyperparameters,
    *,
    poll: Poll | None = None,
) -> WeightedPosterior:
    """The posterior of the weighted sum of the outcomes' latent functions; `weights` (1 each) is a key."""
    parts = posteriors(component, x, y, hyperparameters, poll=poll)
    given = component.keys.get("weights")
    weights = np.ones(len(parts)) if given is None else np.array([float(w) for w in given])
    return WeightedPosterior.of(parts, weights)


def condition(component: Component, x: Array, y: Array, hyperparameters: Hyperparameters) -> Any:
    """The outcomes' posteriors as a botorch `ModelList`; imports torch."""
    from botorch.models import ModelList

    outcomes, models = columns(x, y), component.keys["models"]
    parts = hyperparameters["parts"]
    return ModelList(
        *(
            _family(one).condition(one, x, outcomes[:, index], parts[index])
            for index, one in enumerate(models)
        )
    )


def _family(component: Component) -> Model:
    """The family of an outcome's model."""
    if component.name == NAME:
        raise ValueError(f"a {NAME} can't be the model of one outcome")
    return family_of_one(component)


class Independent:
    """The family of models of several outcomes."""

    fit = staticmethod(fit)
    posterior = staticmethod(posterior)
    condition = staticmethod(condition)


FAMILY = Independent()
