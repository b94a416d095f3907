"""Points by a plug-in's generator, checked before they are handed out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fechner.strategies.errors import FechnerError
from fechner.strategies.generators.acquisition import hyperparameters_of, posterior_range
from fechner.strategies.generators.request import Generated, Request
from fechner.strategies.models import posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.randomness import key
from fechner.strategies.plugins.resolve import function
from fechner.strategies.space.region import inside
from fechner.strategies.specification import Component
from fechner.strategies.tiers import MODEL

__all__ = ["Request", "checked", "generate_plugged"]


def generate_plugged(generator: Component, model: Component | None, request: Request) -> Generated:
    """The points of a plug-in.

    Args:
        generator: the plug-in and its keys.
        model: the stage's model where the plug-in needs one, else None.
        request: without posterior.

    Raises:
        FechnerError: bad_config where the plug-in gives no points of the right form; bad_value where the
            constraints don't allow them.
    """
    if model is None:
        return Generated(_points(generator, request), "generator")
    x, y = request.x, request.y[:, 0]
    hyperparameters = hyperparameters_of(model, x, y, request)
    core = posterior(model, x, y, hyperparameters, poll=request.poll)
    alone = request.stimuli == 1
    width, variance = None, None
    if request.post_range and alone:
        width, variance = posterior_range(core, request.space.d, key(request.seed, "range"))
    request = replace(request, posterior=core)
    points = _points(generator, request)
    mean, sd = core.moments(points[:, 0], "probability") if alone else (None, None)
    return Generated(
        points,
        MODEL,
        hyperparameters,
        None if mean is None else mean.tolist(),
        None if sd is None else sd.tolist(),
        width,
        variance,
        list(hyperparameters.get("warnings", ())),
    )


def _points(generator: Component, request: Request) -> Array:
    given = function(generator, "generate")(generator, request)
    return checked(generator.name, given, request)


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
