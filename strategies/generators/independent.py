"""Points for several outcomes: each outcome's generator in its turn, or one for their weighted sum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fechner.strategies.generators.acquisition import generate, hyperparameters_of, posterior_range
from fechner.strategies.generators.request import Generated, Request
from fechner.strategies.models.families import independent
from fechner.strategies.models.fitting.plain import Hyperparameters
from fechner.strategies.numerics.randomness import key
from fechner.strategies.plugins.resolve import entry
from fechner.strategies.specification import Component
from fechner.strategies.tiers import MODEL

#: A generator, a model, and a request for one outcome or for all at once.
Turn = tuple[Component, Component, Request]


def generate_for_several(generator: Component, model: Component, request: Request) -> Generated:
    """The next points, (n, 1, d).

    Args:
        generator: IndependentOptimizeAcqfGenerator, or OptimizeAcqfGenerator for the weighted sum or an
            acquisition function of all outcomes.
        model: IndependentGPsModel.
        request: what is asked; `first` says whose turn it is.

    Returns:
        Neither post_mean nor post_sd: there is no single prediction. post_range is the smallest of the
        outcomes' ranges, max_post_var the largest of their variances.
    """
    d = request.space.d
    inputs = np.asarray(request.x, dtype=float).reshape(-1, d)
    hyperparameters = hyperparameters_of(model, inputs, request.y, request)
    turns = _turns(generator, model, request, hyperparameters)
    waiting = np.asarray(request.pending, dtype=float).reshape(-1, 1, d)
    found, device = [], None
    for index in range(request.n):
        chooses, of, asked = turns[(request.first + index) % len(turns)]
        keyed = key(request.seed, "turn", index)
        result = generate(chooses, of, replace(asked, pending=waiting, seed=keyed))
        found.append(result.points[0])
        waiting = np.concatenate([waiting, result.points])
        device = result.device or device
    width, variance = None, None
    if request.post_range:
        cores = independent.posteriors(model, inputs, request.y, hyperparameters, poll=request.poll)
        ranges = [posterior_range(core, d, key(request.seed, "range")) for core in cores]
        width, variance = min(one for one, _ in ranges), max(one for _, one in ranges)
    return Generated(
        np.stack(found),
        request.tier or MODEL,
        hyperparameters,
        post_range=width,
        max_post_var=variance,
        warnings=list(hyperparameters.get("warnings", ())),
        device=device,
    )


def _turns(
    generator: Component, model: Component, request: Request, hyperparameters: Hyperparameters
) -> list[Turn]:
    """Who chooses, in turn."""
    alone = replace(request, n=1, refit=False, post_range=False, budget=None)
    parts = generator.keys.get("generators")
    if not parts:
        weighted = Component(model.name, {**model.keys, "weights": weights(generator)})
        # its posteriors are of all outcomes, a row for each trial
        return [(generator, weighted, replace(alone, start=hyperparameters))]
    return [
        (
            part,
            independent.part(model, index),
            replace(
                alone,
                y=request.y[:, index : index + 1],
                start=independent.part_of(hyperparameters, index),
            ),
        )
        for index, part in enumerate(parts)
    ]


def weights(generator: Component) -> tuple[float, ...] | None:
    """The weights of the sum that an acquisition function's AffinePosteriorTransform names.

    None for one that sees the outcomes themselves.
    """
    acqf: Component = generator.keys["acqf"]
    if entry(acqf).several:
        return None
    return tuple(float(weight) for weight in acqf.keys["objective"].keys["weights"])
