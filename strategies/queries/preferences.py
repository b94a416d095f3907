"""Predictions of pairs: how much, or how probably, the second stimulus is preferred to the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fechner.strategies.errors import FechnerError
from fechner.strategies.models.posteriors.pairwise import SQRT_HALF, PairwisePosterior
from fechner.strategies.models.uncertainty import Ensemble, mixture_quantile
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.space.parameters import Space


def asks_for_pairs(core: Ensemble, x: Any) -> bool:
    """Whether `x` of a prediction holds pairs, ``{"p": [[a, b], …]}``, and the model knows what to do."""
    if not isinstance(core.centre, PairwisePosterior) or not isinstance(x, Mapping):
        return False
    return any(
        isinstance(v, list | tuple) and any(isinstance(i, list | tuple) for i in v) for v in x.values()
    )


def pair_rows(space: Space, x: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The pairs of ``{"p": [[a, b], …]}`` as clean configurations; a single value stands for all rows.

    Raises:
        FechnerError: bad_value, unknown_parameter or out_of_bounds.
    """
    columns = {name: list(v) if isinstance(v, list | tuple) else [v] for name, v in x.items()}
    length = max(len(values) for values in columns.values())
    for name, values in columns.items():
        if len(values) not in (1, length):
            text = f"{name} has {len(values)} pairs where others have {length}"
            raise FechnerError("bad_value", text, f"message.x.{name}")
    rows = []
    for index in range(length):
        row = {name: values[0] if len(values) == 1 else values[index] for name, values in columns.items()}
        both = {name: v if isinstance(v, list | tuple) else [v, v] for name, v in row.items()}
        rows.append(space.validate(both, 2, "message.x"))
    return rows


def predict_pairs(
    core: Ensemble, pairs: Array, probability: bool, interval: float
) -> tuple[Array, Array, Array, Array]:
    """Mean, sd and the interval's ends (each (m,)) at `pairs` (m, 2, d).

    Of the probability that the second is preferred, or of f(second) - f(first). Estimates are those of the
    fitted hyperparameters, sd and interval hold what is not known about these as well.
    """
    members = [one for one in core.members if isinstance(one, PairwisePosterior)]
    moments = [one.preference(pairs) for one in members]
    mean, variance = (np.array(part) for part in zip(*moments, strict=True))
    tail = (1.0 - interval) / 2.0
    ends = [mixture_quantile(core.weights, mean, variance, share) for share in (tail, 1.0 - tail)]
    assert isinstance(core.centre, PairwisePosterior)
    if probability:
        middle, _ = core.centre.preferred(pairs)
        lower, upper = (ndtr(end) for end in ends)
        parts = [one.preferred(pairs) for one in members]
        firsts, sds = (np.array(part) for part in zip(*parts, strict=True))
        spread = core.weights @ np.square(sds)
    else:
        middle = core.centre.preference(pairs)[0] / SQRT_HALF
        lower, upper = (end / SQRT_HALF for end in ends)
        firsts = mean / SQRT_HALF
        spread = 2.0 * (core.weights @ variance)
    spread = spread + core.weights @ np.square(firsts - core.weights @ firsts)
    return middle, np.sqrt(spread), np.minimum(lower, middle), np.maximum(upper, middle)
