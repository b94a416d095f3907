"""Queries of a model: prediction, maximum, minimum, inverse, threshold; with intervals.

Pure functions of data, hyperparameters and a request. Points travel in raw space by parameter name,
computation is in unit space. Estimates are those of the fitted hyperparameters; intervals also hold what is
not known about these. For binary outcomes ``"probability"`` and ``"outcome"`` space are the same thing, p =
P(y = 1 | f), whose prediction is E[p]; for continuous ones all three spaces are f; for ordinal ones
``"outcome"`` space is E[y | f], the expected level, and there is no single probability. Of comparisons, f is
the utility less its average over the box, the latent space is the default, and p of a stimulus the
probability of being preferred to one of average utility. Predictions of pairs are in _preferences.py.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np

from fechner.strategies.acquisition.acquisition import Acquisition
from fechner.strategies.acquisition.constrained import kept_inside
from fechner.strategies.acquisition.levels import Levels, levels_of, snap
from fechner.strategies.acquisition.optimise import maximise
from fechner.strategies.errors import FechnerError
from fechner.strategies.models import fit
from fechner.strategies.models.posteriors.latent import LatentPosterior
from fechner.strategies.models.uncertainty import Ensemble, ensemble
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.queries.preferences import asks_for_pairs, pair_rows, predict_pairs
from fechner.strategies.queries.requests import box_of, number_of, points_of
from fechner.strategies.queries.thresholds import threshold_line
from fechner.strategies.space.parameters import Space
from fechner.strategies.space.region import inside
from fechner.strategies.specification import Component

SCAN = 2048
STARTS = 8
GRID = 129  # places along the line of a threshold
SAMPLES = 1000


def answer(
    model: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any] | None,
    refit: bool,
    space: Space,
    request: Mapping[str, Any],
    seed: int,
    *,
    poll: Poll | None = None,
) -> dict[str, Any]:
    """The answer to one query.

    Args:
        model: the model and its keys.
        x: (n, 1, d) inputs in unit space; (n, 2, d) of a model of pairs.
        y: (n,) outcomes.
        hyperparameters: of the last fit, or None.
        refit: whether to fit anew first; done all the same where there are none.
        space: the search space.
        request: query, space, x, y, parameter, constraints, interval.
        seed: of scans and posterior samples, already keyed.
        poll: called every few milliseconds; may raise to cancel.

    Returns:
        x by parameter name, y, lower, upper and sd, all lists of equal length; None where there is no value.
        A threshold's y are the values of `parameter`, with their interval; x holds them beside the others.
        Predictions of ordinal outcomes have probabilities as well, a list of the levels' for each point.
        ``"warnings"`` says what went wrong with the fit, if anything.

    Raises:
        FechnerError: bad_value, unknown_parameter or out_of_bounds, with the place.
    """
    kind = str(request.get("query") or "prediction")
    inputs = np.asarray(x, dtype=float)
    if inputs.ndim < 3 or inputs.shape[1] == 1:
        inputs = inputs.reshape(-1, space.d)
    core, warnings = _fitted(model, inputs, np.asarray(y, dtype=float), hyperparameters, refit, poll)
    interval = request.get("interval")
    interval = 0.95 if interval is None else number_of(interval, "message.interval")
    if not 0.0 < interval < 1.0:
        raise FechnerError("bad_value", "the interval must lie between 0 and 1", "message.interval")
    if kind == "prediction":
        found = _prediction(core, space, request, interval)
    elif kind in ("max", "min", "inverse"):
        found = _place(core, space, request, interval, kind, seed, poll)
    elif kind == "threshold":
        found = _threshold(core, space, request, interval, seed, poll)
    else:
        raise FechnerError(
            "bad_value",
            f"there is no query {kind!r}",
            "message.query",
            "max, min, prediction, inverse or threshold",
        )
    return {**found, "warnings": warnings} if warnings else found


def _fitted(
    model: Component,
    x: Array,
    y: Array,
    start: Mapping[str, Any] | None,
    refit: bool,
    poll: Poll | None,
) -> tuple[Ensemble, list[str]]:
    """The ensemble that answers, and what went wrong with the fit.

    Where arithmetic fails the last fit's hyperparameters stand in, then the priors' typical ones.
    """
    told = y.reshape(-1)
    try:
        fitted = dict(start) if start is not None and not refit else fit(model, x, y, start, poll=poll)
        return ensemble(model, x, told, fitted, poll=poll), list(fitted.get("warnings", ()))
    except np.linalg.LinAlgError as error:
        said = f"the model could not be computed ({error})"
    if start is not None and refit:
        with contextlib.suppress(np.linalg.LinAlgError):
            core = ensemble(model, x, told, start, poll=poll)
            return core, [f"{said}; the hyperparameters of the last fit are used"]
    typical = fit(model, x[:0], told[:0])
    return ensemble(model, x, told, typical, poll=poll), [f"{said}; the priors' typical values are used"]


def _scale_of(core: LatentPosterior, request: Mapping[str, Any]) -> str:
    """``"latent"``, ``"probability"``, or, of ordinal outcomes, ``"outcome"``."""
    named = request.get("space")
    if named not in (None, "probability", "latent", "outcome"):
        raise FechnerError(
            "bad_value", f"there is no space {named!r}", "message.space", "probability, latent or outcome"
        )
    scale = core.space_named(named)
    if scale is None:
        text = "levels have a probability each: ask for the outcome's prediction, which tells all of them"
        raise FechnerError("bad_value", text, "message.space", "outcome or latent")
    return scale


def _prediction(core: Ensemble, space: Space, request: Mapping[str, Any], interval: float) -> dict[str, Any]:
    """Mean, sd and interval at each of the points given, or of the pairs given to a model of pairs."""
    if asks_for_pairs(core, request.get("x")):
        probable = request.get("space") is None or _scale_of(core.centre, request) == "probability"
        compared = pair_rows(space, request["x"])
        pairs = np.stack([space.encode_trial(row, 2) for row in compared])
        return _reply(space, compared, *predict_pairs(core, pairs, probable, interval))
    rows = points_of(space, request.get("x"), set())
    if not rows:
        raise FechnerError("bad_value", "a prediction needs at least one point", "message.x")
    points, scale = space.encode_rows(rows), _scale_of(core.centre, request)
    out = _reply(space, rows, *core.predict(points, scale, interval))
    if scale == "outcome":
        levels = core.centre.outcome_probabilities(*core.centre.latent(points))
        assert levels is not None
        out["probabilities"] = levels.tolist()
    return out


def _place(
    core: Ensemble,
    space: Space,
    request: Mapping[str, Any],
    interval: float,
    kind: str,
    seed: int,
    poll: Poll | None,
) -> dict[str, Any]:
    """Where the prediction is largest, smallest or nearest to y, and the prediction there."""
    scale = _scale_of(core.centre, request)
    target = 0.0
    if kind == "inverse":
        target = number_of(request.get("y"), "message.y")

    def values(points: Array) -> Array:
        # latent means order a probability's maximum too steeply where Phi is flat, so predict in the space
        # asked for
        mean, _ = core.centre.moments(points, scale)
        if kind == "inverse":
            return -np.abs(mean - target)
        return mean if kind == "max" else -mean

    lower, upper = box_of(space, request.get("constraints"))
    levels = levels_of(space, lower, upper)
    function = Acquisition(lambda points: values(snap(points, levels)), 256, 1e-5)
    keyed, candidates = key(seed, kind), None
    if space.constraints:
        function = kept_inside(function, lambda points: inside(space, snap(points, levels)))
        candidates = _allowed(space, lower, upper, levels, key(keyed, "scan"))
    unit, _ = maximise(
        function,
        core.centre.covariance.lengthscales,
        seed=keyed,
        scan=SCAN,
        starts=STARTS,
        box=(lower, upper),
        points=candidates,
        poll=poll,
    )
    # the raw values that the client gets decide the prediction it gets
    unit = snap(unit[None], levels)[0]
    unit = np.clip(np.asarray(space.encode(space.decode(unit)), dtype=float).reshape(1, -1), 0.0, 1.0)
    return _reply(space, [space.decode(unit[0])], *core.predict(unit, scale, interval))


def _allowed(space: Space, lower: Array, upper: Array, levels: Levels, seed: int) -> Array:
    """Points (m, d) of a box that [constraints] allows; more of it is looked at where it allows little."""
    for scan in (SCAN, 16 * SCAN):
        points = lower + (upper - lower) * sobol(seed, space.d, 0, scan)
        points = points[inside(space, snap(points, levels))][:SCAN]
        if len(points):
            return points
    text = "no point within these constraints is allowed by [constraints]"
    raise FechnerError("bad_value", text, "message.constraints", "wider ones")


def _threshold(
    core: Ensemble,
    space: Space,
    request: Mapping[str, Any],
    interval: float,
    seed: int,
    poll: Poll | None,
) -> dict[str, Any]:
    """The value of one parameter at which y is reached, for each x of the others."""
    name = request.get("parameter")
    free = [space.names[index] for index in space.free]
    if name is None and len(free) == 1:
        name = free[0]
    if name not in free:
        wrong = f"'{name}' has no threshold; " if name is not None else ""
        near = difflib.get_close_matches(str(name), free, 1)
        raise FechnerError(
            "unknown_parameter" if name is not None else "bad_value",
            f"{wrong}a threshold needs `parameter`, one of {', '.join(free)}",
            "message.parameter",
            f"did you mean '{near[0]}'?" if near else "",
        )
    if space.parameters[space.names.index(name)].type == "categorical":
        text = f"'{name}' has no threshold: its values have no order"
        raise FechnerError("bad_value", text, "message.parameter")
    dimension = free.index(name)
    target = _level(core.centre, request)
    rows = points_of(space, request.get("x"), {name})
    low, high = box_of(space, request.get("constraints"))
    if not rows:  # constraints may hold the other parameters as well
        missing = [n for i, n in enumerate(free) if n != name and low[i] != high[i]]
        if missing:
            text = f"a threshold needs x with values of {', '.join(missing)}"
            raise FechnerError("bad_value", text, "message.x")
        rows = [space.decode(0.5 * (low + high))]
    out: dict[str, list[Any]] = {"y": [], "lower": [], "upper": [], "sd": []}
    found: dict[str, list[Any]] = {n: [] for n in space.names}
    middle = space.decode(np.full(space.d, 0.5))
    for row in rows:
        if poll is not None:
            poll()
        base = np.asarray(space.encode({**middle, **row}), dtype=float)
        line = np.linspace(low[dimension], high[dimension], GRID)
        points = np.tile(base, (GRID, 1))
        points[:, dimension] = line
        mean, _ = core.centre.latent(points)
        samples = core.curves(points, key(seed, "threshold"), SAMPLES, poll)
        raw = np.array([float(space.decode(point)[name]) for point in points])
        estimate, lower, upper, sd = threshold_line(raw, mean, samples, target, interval)
        whole = {**middle, **row}
        for other in space.names:
            found[other].append(estimate if other == name else whole[other])
        out["y"].append(estimate)
        out["lower"].append(lower)
        out["upper"].append(upper)
        out["sd"].append(sd)
    return {"x": found, **out}


def _level(core: LatentPosterior, request: Mapping[str, Any]) -> float:
    """The y to be reached, in latent space."""
    level = request.get("y")
    if level is None:
        raise FechnerError("bad_value", "a threshold needs y, the outcome to be reached", "message.y")
    level = number_of(level, "message.y")
    if _scale_of(core, request) == "latent":
        return level
    floor, ceiling = core.range()
    if not floor < level < ceiling:
        raise FechnerError("out_of_bounds", f"y must lie between {floor:g} and {ceiling:g}", "message.y")
    return core.latent_of(level)


def _reply(
    space: Space, points: list[dict[str, Any]], mean: Array, sd: Array, lower: Array, upper: Array
) -> dict[str, Any]:
    """Points (m raw ones) and predictions (m,) as the wire wants them."""
    return {
        "x": {name: [point[name] for point in points] for name in space.names},
        "y": [float(v) for v in mean],
        "lower": [float(v) for v in lower],
        "upper": [float(v) for v in upper],
        "sd": [float(v) for v in sd],
    }
