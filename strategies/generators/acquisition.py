"""Points by a model: fit or condition it, and choose point after point as the generator does."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from fechner.strategies.generators.request import Generated, Request
from fechner.strategies.generators.searching import Found, Search
from fechner.strategies.models import Posterior, fit, posterior
from fechner.strategies.models.uncertainty import ensemble
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.plugins.resolve import function
from fechner.strategies.specification import Component
from fechner.strategies.tiers import MODEL

RANGE_POINTS = 1000


def generate(generator: Component, model: Component, request: Request) -> Generated:
    """The next points of one outcome's model, (n, 1, d).

    Several points are chosen one after the other (sequential greedy): those chosen and those pending reduce
    the posterior variance by the information they bring in expectation, and leave its mean.

    Args:
        generator: a class with a function `point`, and its keys.
        model: the model and its keys.
        request: what is asked; the model sees y (t,), or (t, m) if it is one of several outcomes.

    Raises:
        FechnerError: bad_value where `fixed` leaves nothing that the constraints allow.
    """
    x, pending = np.asarray(request.x, dtype=float), np.asarray(request.pending, dtype=float)
    d = x.shape[-1]
    inputs, waiting = x.reshape(-1, d), pending.reshape(-1, d)
    y = request.y if request.y.shape[1] > 1 else request.y[:, 0]
    hyperparameters = hyperparameters_of(model, inputs, y, request)
    core = posterior(model, inputs, y, hyperparameters, poll=request.poll)
    around = partial(ensemble, model, inputs, y, hyperparameters, poll=request.poll)
    use_gpu, choose = bool(model.keys.get("use_gpu")), function(generator, "point")
    chosen, device = waiting, None
    for index in range(request.n):
        search = Search(request, key(request.seed, "point", index), chosen, around, use_gpu)
        found: Found = choose(generator, core, search)
        chosen = np.vstack([chosen, found.point[None, :]])
        device = found.device or device
    points = chosen[len(waiting) :]
    mean, sd = core.moments(points, "probability")
    width, variance = None, None
    if request.post_range:
        width, variance = posterior_range(core, d, key(request.seed, "range"))
    return Generated(
        points[:, None, :],
        request.tier or MODEL,
        hyperparameters,
        [float(v) for v in mean],
        [float(v) for v in sd],
        width,
        variance,
        list(hyperparameters.get("warnings", ())),
        device,
    )


def hyperparameters_of(model: Component, x: Array, y: Array, request: Request) -> dict[str, Any]:
    """Those of the last fit, or of a new one where that is wanted or there was none."""
    if request.start is not None and not request.refit:
        return dict(request.start)
    return fit(model, x, y, request.start, poll=request.poll)


def posterior_range(core: Posterior, d: int, seed: int) -> tuple[float, float]:
    """Range of the predicted probability (or outcome) and largest variance, over 1,000 Sobol points."""
    mean, sd = core.moments(sobol(seed, d, 0, RANGE_POINTS), "probability")
    return float(mean.max() - mean.min()), float(np.square(sd).max())
