"""Random points around those of a list."""

from __future__ import annotations

from typing import Any

import numpy as np

from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.randomness import rng
from fechner.strategies.space.parameters import Space
from fechner.strategies.space.region import inside
from fechner.strategies.specification import Component, Parameter

TRIES = 100  # for a sample that the constraints allow


def around(generator: Component, space: Space, stimuli: int, seed: int, first: int, n: int) -> Array:
    """Points `first` to `first + n` of the samples, ``n x stimuli x d``.

    `samples_per_point` of them for each point of the list, uniform within `window` (raw units, a number for
    each parameter that is not fixed) to either side of it and inside the range; choices of a categorical
    parameter stay. Where constraints allow none of 100 samples, the point itself comes. Each round through
    the samples has an order of its own where `shuffle` is set.
    """
    points, each = generator.keys["points"], generator.keys["samples_per_point"]
    result = []
    for i in range(first, first + n):
        round_, place = divmod(i, len(points) * each)
        if generator.keys["shuffle"]:
            place = int(rng(seed, "around", round_).permutation(len(points) * each)[place])
        centre = dict(zip(space.names, points[place // each], strict=True))
        random = rng(seed, "sample", round_, place)
        for _ in range(TRIES):
            sample = {
                space.names[index]: _near(
                    space.parameters[index], centre[space.names[index]], width, stimuli, random
                )
                for index, width in zip(space.free, generator.keys["window"], strict=True)
            }
            unit = space.displayed(space.encode_trial({**centre, **sample}, stimuli))
            if inside(space, unit).all():
                break
        else:
            unit = space.encode_trial(centre, stimuli)
        result.append(unit)
    return np.stack(result)


def _near(parameter: Parameter, value: Any, width: float, stimuli: int, random: np.random.Generator) -> Any:
    """A value near `value`, or one near each of a pair's."""
    if stimuli > 1:
        pair = value if isinstance(value, tuple | list) else (value,) * stimuli
        return [_near(parameter, one, width, 1, random) for one in pair]
    if parameter.type == "categorical":
        return value
    if parameter.type == "discrete":
        return random.choice([choice for choice in parameter.choices if abs(choice - value) <= width])
    low = max(float(parameter.lower or 0), value - width)
    high = min(float(parameter.upper or 0), value + width)
    if parameter.type == "continuous":
        return float(random.uniform(low, high))
    return int(random.integers(int(np.ceil(low)), int(np.floor(high)) + 1))
