"""Fitting the semi-parametric models: what both have in common, whatever approximates their evidence.

Each module binds its own name and evidence, and so has the `fit`, `problem` and `plain` that models have
(modules.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fechner.strategies.models.families.semi_parametric_layout import (
    PairLayout,
    given,
    layout_of,
    packed,
    to_plain,
)
from fechner.strategies.models.fitting.fitting import maximise
from fechner.strategies.models.inference import inducing
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

#: Makes the evidence of inputs, outcomes and what is given beside theta.
MakesEvidence = Callable[[Array, Array, Mapping[str, Any], Poll | None], Any]


def fit(
    name: str,
    evidence: MakesEvidence,
    most: int,
    component: Component,
    x: Array,
    y: Array,
    start: Mapping[str, Any] | None = None,
    *,
    poll: Poll | None = None,
) -> dict[str, Any]:
    """Hyperparameters for inputs x (n, d) in unit space and outcomes y (n,) in {0, 1}, as plain data.

    Of more than `most` trials so many are looked at, evenly spread over the session.
    """
    said = given(component, x.shape[1])
    layout = layout_of(said, x.shape[1])
    theta, search = layout.typical(), {}
    warm = packed(name, layout, start)
    if len(y):
        chosen = inducing.thinned(len(y), most)
        function = evidence(x[chosen], y[chosen], said, poll)
        ended = maximise(layout, function, warm, start, component.keys, len(chosen))
        theta, search = ended.theta, ended.fields(warm is not None)
    return to_plain(name, layout.pair(theta), said) | search


def problem(
    name: str,
    evidence: MakesEvidence,
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any],
    poll: Poll | None = None,
) -> tuple[PairLayout, Any, Array]:
    """The layout of theta, the evidence as a function of it, and the theta of `hyperparameters`."""
    layout = layout_of(hyperparameters, x.shape[1])
    theta = packed(name, layout, hyperparameters)
    if theta is None:
        raise ValueError(f"the hyperparameters are not those of a {name} in {layout.d} dimensions")
    return layout, evidence(x, y, hyperparameters, poll), theta


def plain(name: str, layout: PairLayout, theta: Array, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters at another theta of the same `problem`."""
    return to_plain(name, layout.pair(theta), hyperparameters)
