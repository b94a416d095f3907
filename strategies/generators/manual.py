"""Points given in the configuration, in their order or shuffled."""

from __future__ import annotations

import numpy as np

from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.randomness import rng
from fechner.strategies.plugins.resolve import entry, function
from fechner.strategies.space.parameters import Space
from fechner.strategies.specification import Component


def n_points(generator: Component) -> int | None:
    """How many points a finite generator has; None for the others."""
    if generator.plugin or not entry(generator).finite:
        return None
    return len(generator.keys["points"]) * int(generator.keys.get("samples_per_point") or 1)


def points_of(generator: Component, space: Space, stimuli: int, seed: int, first: int, n: int) -> Array:
    """Points `first` to `first + n` of a finite generator, `n x stimuli x d`."""
    out: Array = function(generator, "listed")(generator, space, stimuli, seed, first, n)
    return out


def manual(generator: Component, space: Space, stimuli: int, seed: int, first: int, n: int) -> Array:
    """Points `first` to `first + n` of the list, `n x stimuli x d`.

    Each round through the list has an order of its own where `shuffle` is set; a request beyond the last
    point begins another round.
    """
    points = generator.keys["points"]
    result = []
    for i in range(first, first + n):
        round_, place = divmod(i, len(points))
        if generator.keys["shuffle"]:
            place = int(rng(seed, "manual", round_).permutation(len(points))[place])
        result.append(_encode(points[place], space, stimuli))
    return np.stack(result)


def _encode(point: tuple, space: Space, stimuli: int) -> Array:
    """One point of the configuration (raw values in the order of parnames) in unit space, `stimuli x d`."""
    return space.encode_trial(dict(zip(space.names, point, strict=True)), stimuli)
