"""Points for several outcomes: each outcome's generator in its turn, or one for their weighted sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from fechner.strategies.acquisition.hypervolume import FUNCTIONS
from fechner.strategies.generators.acquisition import generate, posterior_range
from fechner.strategies.models import fit
from fechner.strategies.models.families import independent
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.randomness import key
from fechner.strategies.space.parameters import Space
from fechner.strategies.specification import Component
from fechner.strategies.tiers import MODEL


def generate_for_several(
    space: Space,
    first: int,
    generator: Component,
    model: Component,
    x: Array,
    y: Array,
    pending: Array,
    *,
    n: int,
    fixed: Mapping[int, float],
    start: Mapping[str, Any] | None,
    refit: bool,
    seed: int,
    post_range: bool = False,
    tier: str | None = None,
    poll: Poll | None = None,
) -> dict[str, Any]:
    """The next `n` points; arguments and answer as those of `generators.acquisition.generate`.

    Args:
        space: the search space.
        first: how many points the stage has handed out: whose turn it is.
        generator: IndependentOptimizeAcqfGenerator, or OptimizeAcqfGenerator for the weighted sum or an
            acquisition function of all outcomes.
        model: IndependentGPsModel.
        y: (t, m) outcomes.

    Returns:
        As there, but neither post_mean nor post_sd: there is no single prediction. post_range is the
        smallest of the outcomes' ranges, max_post_var the largest of their variances.
    """
    inputs = np.asarray(x, dtype=float).reshape(-1, space.d)
    hyperparameters = (
        dict(start) if start is not None and not refit else fit(model, inputs, y, start, poll=poll)
    )
    turns: list[Callable[..., dict[str, Any]]]
    common: dict[str, Any] = {"n": 1, "fixed": fixed, "refit": False, "tier": tier, "poll": poll}
    if generator.name == "OptimizeAcqfGenerator":
        weighted = Component(model.name, {**model.keys, "weights": weights(generator)})
        turns = [partial(generate, space, generator, weighted, x, y, start=hyperparameters, **common)]
    else:
        turns = [
            partial(
                generate,
                space,
                component,
                independent.part(model, index),
                x,
                y[:, index],
                start=independent.part_of(hyperparameters, index),
                **common,
            )
            for index, component in enumerate(generator.keys["generators"])
        ]
    waiting = np.asarray(pending, dtype=float).reshape(-1, 1, space.d)
    found, device = [], None
    for index in range(n):
        result = turns[(first + index) % len(turns)](waiting, seed=key(seed, "turn", index))
        found.append(result["points"][0])
        waiting = np.concatenate([waiting, result["points"]])
        device = result.get("device", device)
    out: dict[str, Any] = {
        "points": np.stack(found),
        "tier": tier or MODEL,
        "hyperparameters": hyperparameters,
        "post_range": None,
        "max_post_var": None,
        "warnings": list(hyperparameters.get("warnings", ())),
    }
    if device is not None:
        out["device"] = device
    if post_range:
        cores = independent.posteriors(model, inputs, y, hyperparameters, poll=poll)
        ranges = [posterior_range(core, space.d, key(seed, "range")) for core in cores]
        out["post_range"] = min(width for width, _ in ranges)
        out["max_post_var"] = max(variance for _, variance in ranges)
    return out


def weights(generator: Component) -> tuple[float, ...] | None:
    """The weights of the sum that an acquisition function's AffinePosteriorTransform names.

    None for one that sees the outcomes themselves.
    """
    if generator.keys["acqf"].name in FUNCTIONS:
        return None
    objective: Component = generator.keys["acqf"].keys["objective"]
    return tuple(float(weight) for weight in objective.keys["weights"])
