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

import numpy as np

from fechner.strategies.models.families.augmented import PseudoObservations
from fechner.strategies.models.families.augmented_models import family_with
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

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


FAMILY = family_with(NAME, signs)
fit, problem, posterior = FAMILY.fit, FAMILY.problem, FAMILY.posterior
