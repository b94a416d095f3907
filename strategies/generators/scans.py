"""Choosing among scanned points: the best of them, or one drawn by its acquisition value."""

from __future__ import annotations

import numpy as np

from fechner.strategies.acquisition.optimise import values_in_chunks
from fechner.strategies.generators.searching import Candidates, Found, Search, candidates
from fechner.strategies.models import Posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.randomness import key, rng
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component


def best(generator: Component, core: Posterior, search: Search) -> Found:
    """The best of the candidates (AcqfGridSearchGenerator)."""
    found = candidates(generator, core, search)
    shown, values = scanned(found, search)
    return Found(np.array(shown[int(np.argmax(values))]), found.device)


def drawn(generator: Component, core: Posterior, search: Search) -> Found:
    """One of them, the likelier the farther its value is above the least (AcqfThompsonSamplerGenerator)."""
    found = candidates(generator, core, search)
    shown, values = scanned(found, search)
    logarithmic = generator.keys["acqf"].name.startswith(("qLog", "Log"))
    return Found(np.array(shown[draw(values, logarithmic, rng(search.seed, "draw"))]), found.device)


def scanned(found: Candidates, search: Search) -> tuple[Array, Array]:
    """Points (m, d) that fill the space, at levels and steps, and their values (m,)."""
    request, points = search.request, found.points
    if points is None:
        points = np.array(sobol(key(search.seed, "scan"), request.space.d, 0, found.scan))
        for dimension, value in request.fixed.items():
            points[:, dimension] = value
    shown = request.space.displayed(points, tuple(request.fixed))
    return shown, values_in_chunks(found.function, shown, request.poll)


def draw(values: Array, logarithmic: bool, random: np.random.Generator) -> int:
    """The place of one of `values` (m,); those that are not finite are never drawn if others are.

    What is compared is, of logarithms, what they are logarithms of.
    """
    finite = np.isfinite(values)
    if not finite.any():
        return int(random.integers(len(values)))
    weights = np.zeros(len(values))
    best = float(values[finite].max())
    if logarithmic:
        weights[finite] = np.exp(values[finite] - best)
    else:
        weights[finite] = values[finite] - values[finite].min()
    if not weights.sum() > 0:
        weights = finite.astype(float)
    totals = np.cumsum(weights)
    return int(np.searchsorted(totals, random.random() * totals[-1], side="right"))
