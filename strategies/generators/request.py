"""What generators are asked, ours and plug-ins alike, and what they give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fechner.strategies.models import Posterior
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.space.parameters import Space


def unpolled() -> None:
    """What is polled where nobody could cancel."""


@dataclass(frozen=True)
class Request:
    """What a generator is asked.

    Attributes:
        space: the search space: `d`, `n_levels`, `levels(place)`, `constraints` …
        n: number of points wanted.
        first: how many points the stage has handed out.
        seed: of a plug-in: of this stage; of ours: of this ask. Equal requests must give equal points.
        stimuli: s, per trial.
        x: (t, s, d) points told so far.
        y: (t, m) their outcomes.
        pending: (k, s, d) points handed out and not told.
        fixed: values in unit space of dimensions that are not free; of a plug-in they are set afterwards all
            the same.
        posterior: of the stage's model, where the generator is a plug-in that needs one.
        poll: call it every few milliseconds; it may raise to cancel.
        start: hyperparameters of the last fit, or None.
        refit: whether to fit anew; else `start` is used as it is (a missing one is fitted all the same).
        post_range: whether to compute the posterior's range and largest variance.
        budget: seconds that bound the optimisation as max_gen_time does; the smaller one counts.
        tier: how much of the search to do (tiers.py); all of it if None.
    """

    space: Space
    n: int
    first: int
    seed: int
    stimuli: int
    x: Array
    y: Array
    pending: Array
    fixed: Mapping[int, float]
    posterior: Posterior | None = None
    poll: Poll = unpolled
    start: Mapping[str, Any] | None = None
    refit: bool = True
    post_range: bool = False
    budget: float | None = None
    tier: str | None = None


@dataclass(frozen=True)
class Generated:
    """Points, and what was computed on the way to them.

    Attributes:
        points: (n, s, d), in unit space.
        tier: how much of the search was done (tiers.py).
        hyperparameters: the model's, plain data; None where no model has a part in the points.
        post_mean, post_sd: of the predicted outcome at the points (of the probability for binary outcomes; of
            the probability that the second stimulus is preferred for pairs); None where there is no single
            prediction.
        post_range, max_post_var: of the predictions all over the space; None unless wanted.
        warnings: for people.
        device: what computed the scan, where a GPU was asked for and pays.
    """

    points: Array
    tier: str
    hyperparameters: Mapping[str, Any] | None = None
    post_mean: Sequence[float] | None = None
    post_sd: Sequence[float] | None = None
    post_range: float | None = None
    max_post_var: float | None = None
    warnings: Sequence[str] = ()
    device: str | None = None
