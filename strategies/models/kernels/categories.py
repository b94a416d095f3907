"""Categorical parameters in a covariance function: categories have no order, and are equally alike.

Two different categories are one apart, equal ones not at all (Hamming), so that a length scale l makes the
correlation between any two categories exp(-1 / (2 l^2)), a number of its own for each categorical parameter
(an exchangeable kernel; B. Ru, A. S. Alvi, V. Nguyen, M. A. Osborne & S. J. Roberts 2020, Bayesian
optimisation over multiple continuous and categorical inputs, ICML, eq. 3). In the place of a linear trend
every category has a constant of its own, with the average of all taken off.

Both are computed with coded coordinates: the K categories of a parameter get K coordinates, behind all d, of
which its category's is 1 / sqrt 2 (for distances; 1 - 1 / K, and -1 / K else, for trends), and its own
coordinate is 0.

Notation: `counts` (d,) has K for a categorical parameter and 0 for any other; it is empty where there is no
categorical one. D = d + sum K coded coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fechner.strategies.numerics.arrays import Array
from fechner.strategies.specification import Component

Counts = tuple[int, ...]


def counts_of(component: Component) -> Counts:
    """What the configuration tells a model."""
    return tuple(int(count) for count in component.keys.get("categories") or ())


def categorical(counts: Counts) -> list[int]:
    """The places of the categorical parameters."""
    return [place for place, count in enumerate(counts) if count]


def hot(x: Array, counts: Counts, place: int) -> Array:
    """1 in the column of the category that a parameter has in a row of x (n, d), 0 elsewhere: (n, K)."""
    count = counts[place]
    which = np.clip(np.floor(x[:, place] * count), 0, count - 1)
    out: Array = (which[:, None] == np.arange(count)).astype(float)
    return out


def coded(x: Array, counts: Counts) -> Array:
    """Coordinates (n, D) for distances, of the rows of x (n, d)."""
    places = categorical(counts)
    out = np.array(x)
    out[:, places] = 0.0
    return np.hstack([out, *(np.sqrt(0.5) * hot(x, counts, place) for place in places)])


def centred(x: Array, counts: Counts) -> Array:
    """Coordinates (n, D) for trends, of the rows of x (n, d)."""
    out: Array = x - 0.5
    if not counts:
        return out
    places = categorical(counts)
    out[:, places] = 0.0
    return np.hstack([out, *(hot(x, counts, place) - 1.0 / counts[place] for place in places)])


def spread(values: Array, counts: Counts) -> Array:
    """Of every coded coordinate (D,), what its parameter has of `values` (d,)."""
    return np.concatenate([values, *(np.full(counts[j], values[j]) for j in categorical(counts))])


def gathered(values: Array, counts: Counts) -> Array:
    """Sums (d, …) over the coordinates of every parameter, of `values` (D, …)."""
    d = len(counts)
    out, begin = np.array(values[:d]), d
    for place in categorical(counts):
        out[place] = values[begin : begin + counts[place]].sum(axis=0)
        begin += counts[place]
    return out


def differ(a: Array, b: Array, counts: Counts) -> Array:
    """Squared distances (d, n, m) of the rows of a (n, d) and b (m, d) along every parameter."""
    out: Array = np.square(a.T[:, :, None] - b.T[:, None, :])
    for place in categorical(counts):
        out[place] = 1.0 - hot(a, counts, place) @ hot(b, counts, place).T
    return out


def flattened(by_place: Array, counts: Counts) -> Array:
    """Derivatives (…, d) by a place, which are 0 along categories."""
    if counts:
        by_place[..., categorical(counts)] = 0.0
    return by_place


def without(counts: Counts, place: int) -> Counts:
    """The counts of all parameters but one; empty where no other is categorical."""
    left = counts[:place] + counts[place + 1 :]
    return left if any(left) else ()


def counted(kinds: Sequence[tuple[str, int]]) -> Counts:
    """The counts of parameters of a type with so many choices each; empty where none is categorical."""
    out = tuple(count if kind == "categorical" else 0 for kind, count in kinds)
    return out if any(out) else ()
