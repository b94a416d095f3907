"""Binary outcomes whose probability grows with some of the parameters (`MonotonicProjectionGP`).

J. Riihimaki & A. Vehtari (2010), Gaussian processes with monotonicity information, AISTATS: at virtual places
the derivatives of f by the monotone coordinates are said to be positive, in the same expectation propagation
that the outcomes go through (augmented.py). Unlike a projection of the finished posterior (L. Lin & D. B.
Dunson 2014, Bayesian monotone regression using Gaussian process projection, Biometrika 101:303-317) this
leaves a Gaussian posterior: look-ahead is in closed form, joint intervals come from the same samples, and
what monotonicity tells narrows them and the hyperparameters too.

With one parameter the virtual places are `monotonic_grid_size` evenly spaced ones; with more, a fixed
Sobol sequence over the box, three times as many, shared by the monotone coordinates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from fechner.strategies.config.specification import Component
from fechner.strategies.generators.sobol import sobol
from fechner.strategies.models import augmented
from fechner.strategies.models.augmented import PseudoObservations
from fechner.strategies.models.fitting import Evidence, Layout
from fechner.strategies.models.normal import Array
from fechner.strategies.models.posterior import Posterior

NAME = "MonotonicProjectionGP"
GRID = 20
MANY = 3  # times as many places where the box has more than one dimension


def monotone(component: Component, d: int) -> tuple[int, ...]:
    """The monotone coordinates of d, in increasing order; those counted from the end are negative."""
    given = component.keys.get("monotonic_dims") or component.keys.get("monotonic_idxs") or (-1,)
    return tuple(sorted({int(one) % d for one in given}))


def signs(component: Component, d: int) -> PseudoObservations:
    """Where the derivatives by the monotone coordinates are positive, and f is above `min_f_val`."""
    dims = monotone(component, d)
    size = int(component.keys.get("monotonic_grid_size") or GRID)
    if d == 1:
        places = ((np.arange(size) + 0.5) / size)[:, None]
    else:
        places = sobol(1, d, 0, max(1, MANY * size // len(dims)))
    rows = np.vstack([np.hstack([places, np.full((len(places), 1), 1.0 + j)]) for j in dims])
    nothing = np.zeros(len(rows))
    found = PseudoObservations(rows, nothing, nothing)
    least = component.keys.get("min_f_val")
    if least is None:
        return found
    # f is least where all monotone coordinates are
    lowest = np.array(places[:1] if d == len(dims) else places)
    lowest[:, list(dims)] = 0.0
    low = np.hstack([lowest, np.zeros((len(lowest), 1))])
    return found.joined(PseudoObservations(low, np.full(len(low), float(least)), np.zeros(len(low))))


def _problem(component: Component, d: int) -> augmented.Problem:
    return augmented.problem_of(NAME, component, d, signs(component, d))


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


def plain(layout: Layout, theta: Array, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters at another theta of the same `problem`."""
    return augmented.moved(layout, theta, hyperparameters)


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
