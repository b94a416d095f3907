"""Greedy but for a share of random points: which of an ask's points are random, and the points together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.randomness import rng
from fechner.strategies.specification import Component


def epsilon_greedy(
    generator: Component,
    stage: int,
    seed: int,
    first: int,
    n: int,
    greedy: Callable[[int], dict[str, Any]],
    random: Callable[[int], Array],
) -> dict[str, Any]:
    """A proposal of `n` points, each with the probability `epsilon` a random one.

    Args:
        generator: with its key epsilon.
        stage: the current one's index.
        seed: of the choice between the two.
        first: how many points the stage has handed out.
        n: how many points.
        greedy: how many points to a proposal of the subgenerator, with `points` and, for each of them,
            `post_mean` and `post_sd`.
        random: which point of the stage to a random one, nested as in a proposal.
    """
    epsilon = float(generator.keys["epsilon"])
    places = range(first, first + n)
    explored = [place for place in places if float(rng(seed, "epsilon", place).random()) < epsilon]
    proposal: dict[str, Any] = {"stage": stage, "points": [], "tier": "generator"}
    if len(explored) < n:
        proposal = greedy(n - len(explored))
    found = dict(proposal)
    chosen = iter(range(n - len(explored)))
    sources = [None if place in explored else next(chosen) for place in places]
    found["points"] = [
        random(place).tolist() if source is None else proposal["points"][source]
        for place, source in zip(places, sources, strict=True)
    ]
    for name in ("post_mean", "post_sd"):
        if name in proposal:
            found[name] = [None if source is None else proposal[name][source] for source in sources]
    return found
