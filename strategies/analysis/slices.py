"""A strategy's predictions along one or two of its parameters, beside the trials they come from.

Symbols:
    k       number of parameters that are drawn, 1 or 2; the other free ones are held at a value
    m       grid points along each of them, evenly spaced in the unit interval
    n       trials with an outcome that belong to the slice
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fechner.strategies.errors import FechnerError
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.specification import Parameter, Specification
from fechner.strategies.strategy import Strategy

#: A trial belongs to a slice if it lies so near to it, in parts of the range of each parameter held.
NEAR = 0.05
GRID = {1: 241, 2: 61}
#: Lines across a surface along which the threshold is sought.
LINES = 41
#: What is predicted where no target is named: methods name it for psychometric functions.
TARGET = 0.75


@dataclass(frozen=True)
class Threshold:
    """Where the prediction reaches the target, with its credible interval; None: not within the bounds."""

    value: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Contour:
    """The thresholds of one parameter along the other: where the contour at the target may run.

    Attributes:
        along: which of the two parameters the thresholds stand beside, 0 or 1.
        at: `LINES` raw values of it.
        lower, upper: `LINES` ends of the 95 % intervals of the other; an open end is its bound.
    """

    along: int
    at: Array
    lower: Array
    upper: Array


@dataclass(frozen=True)
class Slice:
    """Everything that a figure shows.

    Attributes:
        parameters: the k parameters that are drawn.
        held: the values of the other free ones, with their units.
        outcome: the outcome's name.
        binary: whether it is 0 or 1.
        points: `n x k`, raw values of the trials.
        outcomes: `n`.
        n_trials: how many trials there are, those away from the slice included.
        axes: the k grids, `m` raw values each.
        mean, lower, upper: prediction and its 95 % interval at the grid, `m` or `m x m` (first parameter
            first); None without a model.
        target: the outcome at the threshold, or None.
        threshold: of a single parameter, if the target is reached at one place at most.
        contour: of two parameters, if the target is reached at one place at most along one of them.
    """

    parameters: tuple[Parameter, ...]
    held: Mapping[str, str]
    outcome: str
    binary: bool
    points: Array
    outcomes: Array
    n_trials: int
    axes: tuple[Array, ...]
    mean: Array | None
    lower: Array | None
    upper: Array | None
    target: float | None
    threshold: Threshold | None
    contour: Contour | None


def slice_of(
    strategy: Strategy, *, target: float | None = None, held: Mapping[str, Any] | None = None
) -> Slice:
    """Trials and predictions of a strategy along its free parameters, at most two of them.

    Args:
        strategy: with at least one outcome told.
        target: the outcome sought; what the configuration names if None, and 0.75 for binary outcomes if it
            names none.
        held: raw values of free parameters that are not drawn.

    Raises:
        FechnerError: bad_value, unknown_parameter, out_of_bounds or not_enough_data: what can't be drawn.
    """
    state = strategy.state
    specification, space = state.specification, state.space
    values = space.validate_fixed(dict(held or {}), "x")
    free = [space.names[place] for place in space.free]
    drawn = [name for name in free if name not in values]
    _check(specification, free, drawn)
    binary = specification.outcomes[0].type == "binary"
    if target is None:
        target = _target(specification, binary)
    x, y = strategy.data
    if not len(x):
        raise FechnerError("not_enough_data", "no outcome was told yet", hint="there is nothing to draw")
    middle = {**space.decode(np.full(space.d, 0.5)), **values}
    centre = space.encode(middle)
    places = [free.index(name) for name in drawn]
    others = [place for place in range(space.d) if place not in places]
    near = (np.abs(x[:, 0, others] - centre[others]) <= NEAR).all(axis=1)
    raw = [space.decode(unit) for unit in x[near, 0]]
    units = np.linspace(0.0, 1.0, GRID[len(drawn)])
    axes = tuple(
        _along(strategy, centre, place, name, units) for place, name in zip(places, drawn, strict=True)
    )
    kept = {name: value for name, value in values.items() if name in free}
    mean, lower, upper = _predicted(strategy, drawn, axes, kept)
    threshold = contour = None
    if mean is not None and target is not None and len(drawn) == 1 and crossings(mean, target).max() <= 1:
        threshold = _thresholds(strategy, drawn[0], kept, target)[0]
    elif mean is not None and target is not None and len(drawn) == 2:
        contour = _contour(strategy, drawn, axes, kept, mean, target)
    by_name = {parameter.name: parameter for parameter in specification.parameters}
    return Slice(
        parameters=tuple(by_name[name] for name in drawn),
        held={name: _with_unit(value, by_name[name].unit) for name, value in kept.items()},
        outcome=specification.outcomes[0].name,
        binary=binary,
        points=np.array([[config[name] for name in drawn] for config in raw], float).reshape(-1, len(drawn)),
        outcomes=y[near, 0],
        n_trials=len(x),
        axes=axes,
        mean=mean,
        lower=lower,
        upper=upper,
        target=target,
        threshold=threshold,
        contour=contour,
    )


def _with_unit(value: Any, unit: str) -> str:
    return f"{value:g} {unit}".strip() if isinstance(value, float | int) else str(value)


def _check(specification: Specification, free: list[str], drawn: list[str]) -> None:
    """Refuse what has no figure yet, saying what has one."""
    if specification.stimuli_per_trial != 1:
        raise FechnerError("bad_value", "trials with two stimuli can't be drawn yet")
    if len(specification.outcomes) != 1:
        raise FechnerError("bad_value", "strategies with several outcomes can't be drawn yet")
    if not drawn:
        raise FechnerError("bad_value", "every parameter is held", "x", "leave one or two of them free")
    if len(drawn) > 2:
        raise FechnerError(
            "bad_value",
            f"{len(drawn)} parameters are free ({', '.join(drawn)}); one or two can be drawn",
            "x",
            f"hold the others at a value, for instance --x {drawn[-1]}=VALUE",
        )
    kinds = {parameter.name: parameter.type for parameter in specification.parameters}
    for name in drawn:
        if kinds[name] == "categorical":
            raise FechnerError(
                "bad_value",
                f"{name} is categorical; numbers can be drawn",
                "x",
                f"hold it: --x {name}=CHOICE",
            )


def _target(specification: Specification, binary: bool) -> float | None:
    """The target that the configuration names, the last stage's first."""
    for stage in reversed(specification.stages):
        acquisition = stage.generator.keys.get("acqf")
        keys = getattr(acquisition, "keys", {})
        if keys.get("target") is not None and (not binary or 0.0 < keys["target"] < 1.0):
            return float(keys["target"])
    return specification.target if specification.target is not None else TARGET if binary else None


def _along(strategy: Strategy, centre: Array, place: int, name: str, units: Array) -> Array:
    """The raw values (m,) of one parameter along its range."""
    points = np.tile(centre, (len(units), 1))
    points[:, place] = units
    return np.array([strategy.state.space.decode(point)[name] for point in points], dtype=float)


def crossings(values: Array, target: float) -> Array:
    """How often each column of values (the last axis is the line's) passes the target."""
    above = np.atleast_2d(values) > target
    return np.count_nonzero(above[:, 1:] != above[:, :-1], axis=1)


def _predicted(
    strategy: Strategy, drawn: list[str], axes: tuple[Array, ...], held: Mapping[str, Any]
) -> tuple[Array | None, Array | None, Array | None]:
    """Prediction and interval at the grid; None where there is no model."""
    shape = tuple(len(axis) for axis in axes)
    grid = np.meshgrid(*axes, indexing="ij")
    x = {name: values.ravel().tolist() for name, values in zip(drawn, grid, strict=True)}
    try:
        found = strategy.query("prediction", x={**x, **held})
    except FechnerError as error:
        if error.code in ("no_model", "not_enough_data"):
            return None, None, None
        raise
    mean, lower, upper = (np.array(found[key], dtype=float).reshape(shape) for key in ("y", "lower", "upper"))
    return mean, lower, upper


def _thresholds(strategy: Strategy, parameter: str, x: Mapping[str, Any], target: float) -> list[Threshold]:
    """The thresholds of a parameter at one place, or several places, of the others."""
    found = strategy.query("threshold", y=target, parameter=parameter, x=dict(x) or None, interval=0.95)
    return [Threshold(*one) for one in zip(found["y"], found["lower"], found["upper"], strict=True)]


def _contour(
    strategy: Strategy,
    drawn: list[str],
    axes: tuple[Array, ...],
    held: Mapping[str, Any],
    mean: Array,
    target: float,
) -> Contour | None:
    """The contour as thresholds of the second parameter, or else of the first."""
    for along, values in ((0, mean), (1, mean.T)):
        passed = crossings(values, target)
        if passed.max() > 1 or not passed.any():
            continue
        other = axes[1 - along]
        places = np.linspace(0, len(axes[along]) - 1, LINES).round().astype(int)
        at = axes[along][places]
        found = _thresholds(strategy, drawn[1 - along], {drawn[along]: at.tolist(), **held}, target)
        ends = [
            (other[0] if one.lower is None else one.lower, other[-1] if one.upper is None else one.upper)
            for one in found
        ]
        lower, upper = np.array(ends, dtype=float).T
        return Contour(along, at, lower, upper)
    return None
