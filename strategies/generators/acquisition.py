"""Points by an acquisition function: fit or condition the model, maximise, point after point."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from fechner.strategies.acquisition.accelerated import Scan, accelerated
from fechner.strategies.acquisition.acquisition import build
from fechner.strategies.acquisition.constrained import kept_inside
from fechner.strategies.acquisition.levels import levels_of, maximise_on
from fechner.strategies.generators import intensity_aware, thompson
from fechner.strategies.generators.effort import effort
from fechner.strategies.generators.scans import DRAWN, GRID, scanned_point
from fechner.strategies.models import Posterior, fit, posterior
from fechner.strategies.models.uncertainty import ensemble
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.space.parameters import Space
from fechner.strategies.space.region import inside, sampled
from fechner.strategies.specification import Component
from fechner.strategies.tiers import MODEL

RANGE_POINTS = 1000
ON_THEIR_OWN = {thompson.NAME: thompson.crossing, intensity_aware.NAME: intensity_aware.point}


def generate(
    space: Space,
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
    budget: float | None = None,
    post_range: bool = False,
    tier: str | None = None,
    poll: Poll | None = None,
) -> dict[str, Any]:
    """The next `n` points.

    Several points are chosen one after the other (sequential greedy): those chosen and those pending reduce
    the posterior variance by the information they bring in expectation, and leave its mean.

    Args:
        space: the search space, for the levels of its parameters.
        generator: OptimizeAcqfGenerator and its keys (acqf, restarts, samps, max_gen_time), or one that
            chooses among scanned points (scans.py) or in a way of its own (thompson.py, intensity_aware.py).
        model: the model and its keys.
        x: (t, 1, d) inputs told so far, in unit space.
        y: (t,) their outcomes.
        pending: (k, 1, d) points handed out and not told.
        n: number of points wanted.
        fixed: values in unit space of dimensions that are not free.
        start: hyperparameters of the last fit, or None.
        refit: whether to fit anew; else `start` is used as it is (a missing one is fitted all the same).
        seed: of the scan and the reference points, already keyed to this ask.
        budget: seconds that bound the optimisation as max_gen_time does; the smaller one counts.
        post_range: whether to compute the posterior's range and largest variance.
        tier: how much of the search to do (tiers.py); all of it if None.
        poll: called every few milliseconds; may raise to cancel.

    Raises:
        FechnerError: bad_value where `fixed` leaves nothing that the constraints allow.

    Returns:
        points (n, 1, d), tier, hyperparameters, post_mean and post_sd (n values, of the probability for
        binary outcomes) at the points, post_range and max_post_var over 1,000 Sobol points (None unless
        wanted), warnings; device, what computed the scan, where a GPU was asked for and pays.
    """
    x, pending = np.asarray(x, dtype=float), np.asarray(pending, dtype=float)
    d = x.shape[-1]
    inputs, waiting = x.reshape(-1, d), pending.reshape(-1, d)
    if start is not None and not refit:
        hyperparameters = dict(start)
    else:
        hyperparameters = fit(model, inputs, y, start, poll=poll)
    warnings = list(hyperparameters.get("warnings", ()))
    core = posterior(model, inputs, y, hyperparameters, poll=poll)
    levels = levels_of(space)
    chosen, device = waiting, None
    around = partial(ensemble, model, inputs, y, hyperparameters, poll=poll)
    for index in range(n):
        keyed = key(seed, "point", index)
        if generator.name in ON_THEIR_OWN:
            point = ON_THEIR_OWN[generator.name](
                generator, core, space, seed=keyed, pending=chosen, n=n, fixed=fixed, tier=tier, poll=poll
            )
            chosen = np.vstack([chosen, point[None, :]])
            continue
        acqf: Component = generator.keys["acqf"]
        function = build(acqf, core, seed=keyed, pending=chosen, around=around)
        scan, starts, evaluations = effort(generator.keys, budget, function.nominal_seconds, n, tier)
        if model.keys.get("use_gpu"):
            function = accelerated(function, scan)
        search, candidates = function, None
        if space.constraints:
            search = kept_inside(function, partial(inside, space, given=tuple(fixed)))
            candidates = sampled(space, sobol, keyed, 1, 0, scan, fixed)[:, 0]
        if generator.name in (GRID, DRAWN):
            logarithmic = acqf.name.startswith(("qLog", "Log"))
            point = scanned_point(
                generator.name, search, space, seed=keyed, scan=scan, fixed=fixed, points=candidates,
                logarithmic=logarithmic, poll=poll,
            )  # fmt: skip
        else:
            point, _ = maximise_on(
                search, core.covariance.lengthscales, levels, seed=keyed, scan=scan, starts=starts,
                evaluations=evaluations, fixed=fixed, points=candidates, poll=poll,
            )  # fmt: skip
        chosen = np.vstack([chosen, point[None, :]])
        device = function.scan.computed_on if isinstance(function.scan, Scan) else device
    points = chosen[len(waiting) :]
    mean, sd = core.moments(points, "probability")
    out: dict[str, Any] = {
        "points": points[:, None, :],
        "tier": tier or MODEL,
        "hyperparameters": hyperparameters,
        "post_mean": [float(v) for v in mean],
        "post_sd": [float(v) for v in sd],
        "post_range": None,
        "max_post_var": None,
        "warnings": warnings,
    }
    if device is not None:
        out["device"] = device
    if post_range:
        out["post_range"], out["max_post_var"] = posterior_range(core, d, key(seed, "range"))
    return out


def posterior_range(core: Posterior, d: int, seed: int) -> tuple[float, float]:
    """Range of the predicted probability (or outcome) and largest variance, over 1,000 Sobol points."""
    mean, sd = core.moments(sobol(seed, d, 0, RANGE_POINTS), "probability")
    return float(mean.max() - mean.min()), float(np.square(sd).max())
