"""A proposal: points as plain data, as they go on record, and the seeds that they are made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from fechner.strategies.core.state import State
from fechner.strategies.numerics.randomness import key


class _Points(TypedDict):
    stage: int
    points: list[Any]
    tier: str


class Proposal(_Points, total=False):
    """The next points of a state, JSON-able; the record keeps it, keys in this order.

    Attributes:
        stage: index of the stage.
        points: nested lists `n x s x d`, in unit space.
        tier: how much was computed (tiers.py).
        hyperparameters, fit_version: of a new fit, and the data that it saw.
        post_mean, post_sd: predictions at the points, None for a point that no model has a part in.
        post_range, max_post_var: of the predictions all over the space.
        device: what computed a scan that may run on a GPU.
        warnings: for people.
        again: how many of the points were queued by a skip.
    """

    hyperparameters: Mapping[str, Any]
    fit_version: int
    post_mean: list[float | None]
    post_sd: list[float | None]
    post_range: float
    max_post_var: float
    device: str
    warnings: list[str]
    again: int


Emit = Callable[[Proposal], None]


def stage_seed(state: State, purpose: str) -> int:
    """The seed of one purpose in the current stage; generator's, else stage's, else the strategy's own."""
    stage = state.current
    own = stage.generator.keys.get("seed")
    seed = next(s for s in (own, stage.seed, state.seed) if s is not None)
    return key(seed, "strategy", state.index, "stage", state.stage, purpose)


def usable_hyperparameters(state: State) -> Mapping[str, Any] | None:
    """The last fit's hyperparameters if the current stage's model can start from them."""
    model, left = state.current.model, state.hyperparameters
    return left if model is not None and left is not None and left.get("model") == model.name else None
