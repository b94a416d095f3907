"""Points by a plug-in's generator, checked before they are handed out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fechner.strategies.errors import FechnerError
from fechner.strategies.generators.acquisition import posterior_range
from fechner.strategies.models import Posterior, fit, posterior
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.randomness import key
from fechner.strategies.plugins.resolve import function
from fechner.strategies.space.parameters import Space
from fechner.strategies.space.region import inside
from fechner.strategies.specification import Component


@dataclass(frozen=True)
class Request:
    """What a plug-in's generator is asked.

    Attributes:
        space: the search space: `d`, `n_levels`, `levels(place)`, `constraints` …
        n: number of points wanted.
        first: how many points the stage has handed out.
        seed: of this stage; equal requests must give equal points.
        stimuli: s, per trial.
        x: (t, s, d) points told so far.
        y: (t, m) their outcomes.
        pending: (k, s, d) points handed out and not told.
        fixed: values in unit space of dimensions that are not free; they are set afterwards all the same.
        posterior: of the stage's model, where the generator needs one.
        poll: call it every few milliseconds; it may raise to cancel.
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
    posterior: Posterior | None
    poll: Poll


def generate_plugged(
    generator: Component,
    model: Component | None,
    request: Request,
    start: Mapping[str, Any] | None,
    refit: bool,
    post_range: bool,
) -> dict[str, Any]:
    """The points of a plug-in, as `generators.acquisition.generate` gives them.

    Args:
        generator: the plug-in and its keys.
        model: the stage's model where the plug-in needs one, else None.
        request: without posterior.
        start, refit, post_range: as there.

    Raises:
        FechnerError: bad_config where the plug-in gives no points of the right form; bad_value where the
            constraints don't allow them.
    """
    out: dict[str, Any] = {"tier": "generator"}
    if model is not None:
        x, y = request.x, request.y[:, 0]
        hyperparameters = (
            dict(start) if start is not None and not refit else fit(model, x, y, start, poll=request.poll)
        )
        core = posterior(model, x, y, hyperparameters, poll=request.poll)
        request = replace(request, posterior=core)
        out = {"tier": "model", "hyperparameters": hyperparameters}
        out["warnings"] = list(hyperparameters.get("warnings", ()))
        if post_range and request.stimuli == 1:
            ends = posterior_range(core, request.space.d, key(request.seed, "range"))
            out["post_range"], out["max_post_var"] = ends
    given = function(generator, "generate")(generator, request)
    points = checked(generator.name, given, request)
    if model is not None and request.stimuli == 1:
        mean, sd = request.posterior.moments(points[:, 0], "probability")  # type: ignore[union-attr]
        out["post_mean"], out["post_sd"] = mean.tolist(), sd.tolist()
    return out | {"points": points}


def checked(name: str, given: Any, request: Request) -> Array:
    """Points (n, s, d) of a plug-in with fixed values set, or what is wrong with them."""
    try:
        points = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    shape = (request.n, request.stimuli, request.space.d)
    fault = ""
    if points.shape != shape:
        fault = f"gave points of shape {points.shape}, not {shape}"
    elif not np.all(np.isfinite(points)) or points.min() < 0.0 or points.max() > 1.0:
        fault = "gave points outside the unit box"
    if fault:
        raise FechnerError("bad_config", f"the generator {name} {fault}", hint="mend the plug-in")
    for place, unit in request.fixed.items():
        points[:, :, place] = unit
    rows = points.reshape(-1, request.space.d)
    if request.space.constraints and not np.all(inside(request.space, rows, tuple(request.fixed))):
        text = f"the generator {name} gave points that [constraints] doesn't allow"
        raise FechnerError("bad_value", text, "message", "another generator, or other fixed values")
    return points
