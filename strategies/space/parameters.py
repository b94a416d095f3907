"""The search space: named raw values on one side, the unit cube that models and generators use on the other.

Symbols: d is the number of parameters that are not fixed; the unit cube is [0, 1]^d. How one parameter is
transformed is in `fechner.strategies.space.axes`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fechner.strategies.errors import FechnerError
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.space.axes import TOLERANCE, Axis, clip, count_steps, did_you_mean, listing
from fechner.strategies.specification import Constraint, Parameter


@dataclass(frozen=True)
class Space:
    """The parameters of a configuration, in the order of ``parnames``; d of them are not fixed."""

    parameters: tuple[Parameter, ...]
    constraints: tuple[Constraint, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all parameters, fixed ones included."""
        return tuple(parameter.name for parameter in self.parameters)

    @cached_property
    def free(self) -> tuple[int, ...]:
        """The indices of those that are not fixed: axis j of the unit cube is parameter ``free[j]``."""
        return tuple(index for index, axis in enumerate(self._axes) if not axis.fixed)

    @property
    def d(self) -> int:
        """The dimension of the unit cube."""
        return len(self.free)

    @cached_property
    def n_levels(self) -> tuple[int | None, ...]:
        """The number of values that asks take of each free parameter; None for a continuous one."""
        return tuple(self._axes[index].n_values for index in self.free)

    def levels(self, place: int) -> Array:
        """The unit coordinates of the values that asks take of the `place`-th free parameter, increasing."""
        axis = self._axes[self.free[place]]
        return np.array([axis.unit(value) for value in axis.values()], dtype=float)

    @cached_property
    def _axes(self) -> tuple[Axis, ...]:
        return tuple(Axis(parameter) for parameter in self.parameters)

    @cached_property
    def _by_name(self) -> dict[str, Axis]:
        return dict(zip(self.names, self._axes, strict=True))

    def encode(self, config: Mapping[str, Any]) -> Array:
        """A clean configuration of one stimulus as its ``d`` unit coordinates."""
        return np.array([self._axes[i].unit(_single(config[self.names[i]])) for i in self.free], dtype=float)

    def encode_rows(self, rows: Sequence[Mapping[str, Any]]) -> Array:
        """Clean configurations of one stimulus as an ``m x d`` array."""
        columns = [[self._axes[i].unit(_single(row[self.names[i]])) for row in rows] for i in self.free]
        return np.array(columns, dtype=float).reshape(self.d, len(rows)).T

    def decode(self, unit: Array | Sequence[float]) -> dict[str, Any]:
        """``d`` unit coordinates as raw values of every parameter, fixed ones included, inside the box."""
        coordinates = iter(unit)
        return {
            axis.parameter.name: axis.raw(0.0 if axis.fixed else float(next(coordinates)))
            for axis in self._axes
        }

    def encode_trial(self, config: Mapping[str, Any], stimuli: int = 1) -> Array:
        """A clean configuration of a trial as a ``stimuli x d`` array."""
        rows = [self.encode({name: _pick(config[name], row) for name in config}) for row in range(stimuli)]
        return np.array(rows, dtype=float).reshape(stimuli, self.d)

    def decode_trial(self, unit: Array) -> dict[str, Any]:
        """A ``stimuli x d`` array as a trial's configuration: lists per parameter if it has two stimuli."""
        rows = [self.decode(row) for row in unit]
        if len(rows) == 1:
            return rows[0]
        return {
            axis.parameter.name: axis.raw(0.0) if axis.fixed else [row[axis.parameter.name] for row in rows]
            for axis in self._axes
        }

    def displayed(self, unit: Array, given: Collection[int] = ()) -> Array:
        """Rows of unit coordinates, ``m x d``, where parameters can show them: at levels and steps.

        Coordinates at the places `given` need not be multiples of a step.
        """
        rows = [self.decode(row) for row in unit]
        for place, index in enumerate(self.free):
            if place not in given and self.parameters[index].step is not None:
                name = self.names[index]
                for row in rows:
                    row[name] = self._axes[index].displayed(row[name])
        return self.encode_rows(rows)

    def column(self, name: str, unit: Array, given: Collection[int] = ()) -> Any:
        """The raw values (m,) of a parameter that is not fixed at unit coordinates (m, d), as asks show them.

        Coordinates at the places `given` need not be multiples of a step.
        """
        index = self.names.index(name)
        place = self.free.index(index)
        return _column(self._axes[index], unit[:, place], place not in given)

    def reach(self, name: str) -> float:
        """The largest size of a value of a parameter of numbers that is not fixed."""
        return self._by_name[name].reach

    def validate(
        self, config: Mapping[str, Any], stimuli: int = 1, where: str = "message.config"
    ) -> dict[str, Any]:
        """The configuration with clean values, in the order of ``parnames``; fixed ones may be left out.

        A value is given as it is or as a list of ``stimuli`` values (one stimulus: ``v`` or ``[v]``).
        Raises FechnerError: unknown_parameter, out_of_bounds, bad_value.
        """
        missing = [axis.parameter.name for axis in self._axes if not axis.fixed]
        self._check_names(config, [name for name in missing if name not in config], where)
        return {
            name: self._clean(name, config[name], stimuli, where) if name in config else axis.parameter.value
            for name, axis in self._by_name.items()
        }

    def validate_columns(
        self, columns: Mapping[str, Sequence[Any]], length: int, where: str
    ) -> list[dict[str, Any]]:
        """`length` configurations of one stimulus from a list of values for each name, or one for all."""
        wanted = [axis.parameter.name for axis in self._axes if not axis.fixed]
        self._check_names(columns, [name for name in wanted if name not in columns], where)
        clean: dict[str, list[Any]] = {}
        for name, axis in self._by_name.items():
            values: Sequence[Any] = columns.get(name, [axis.parameter.value])
            if not axis.plain(values):
                values = [self._clean(name, value, 1, where) for value in values]
            clean[name] = list(values) if len(values) == length else [values[0]] * length
        return [dict(zip(clean, row, strict=True)) for row in zip(*clean.values(), strict=True)]

    def validate_fixed(self, fixed: Mapping[str, Any], where: str = "message.fixed") -> dict[str, Any]:
        """The same for values of some of the parameters."""
        self._check_names(fixed, [], where)
        return {name: self._clean(name, fixed[name], 1, where) for name in self.names if name in fixed}

    def close(self, a: Mapping[str, Any], b: Mapping[str, Any], tolerance: float = TOLERANCE) -> bool:
        """Whether two clean configurations differ by no more than ``tolerance`` of each parameter's range."""
        if set(a) != set(b) or not set(a) <= set(self.names):
            return False
        for name, one in a.items():
            ones, others = _several(one), _several(b[name])
            if len(ones) != len(others):
                return False
            axis = self._by_name[name]
            if not all(axis.same(*pair, tolerance) for pair in zip(ones, others, strict=True)):
                return False
        return True

    def describe(self) -> dict[str, dict[str, Any]]:
        """What the wire's ``parameters`` message answers: type, bounds, scale, choices; value if fixed."""
        return {parameter.name: _describe(parameter) for parameter in self.parameters}

    def bounds(self) -> dict[str, list[Any]]:
        """``{"p": [lower, upper]}``; for categories the first and last index, if fixed the value twice."""
        found: dict[str, list[Any]] = {}
        for parameter in self.parameters:
            if parameter.type == "fixed":
                found[parameter.name] = [parameter.value, parameter.value]
            elif parameter.type == "categorical":
                found[parameter.name] = [0, len(parameter.choices) - 1]
            elif parameter.type == "discrete":
                found[parameter.name] = [min(parameter.choices), max(parameter.choices)]
            else:
                found[parameter.name] = [parameter.lower, parameter.upper]
        return found

    def _check_names(self, given: Any, missing: Sequence[str], where: str) -> None:
        if not isinstance(given, Mapping):
            raise FechnerError("bad_value", "must be an object of parameter names and values", where)
        unknown = [str(name) for name in given if name not in self._by_name]
        if not unknown and not missing:
            return
        parts = []
        if unknown:
            parts.append(f"unknown: {listing(map(repr, unknown))}")
        if missing:
            parts.append(f"missing: {listing(map(repr, missing))}")
        raise FechnerError(
            "unknown_parameter",
            f"the parameters are {listing(map(repr, self.names))}; {'; '.join(parts)}",
            f"{where}.{clip(unknown[0])}" if unknown else where,
            did_you_mean(unknown[0], missing or list(self.names)) if unknown else "",
        )

    def _clean(self, name: str, value: Any, stimuli: int, where: str) -> Any:
        axis, place = self._by_name[name], f"{where}.{name}"
        values = _several(value)
        if axis.fixed and len(values) == 1:
            values = values * stimuli
        if len(values) != stimuli:
            wanted = "one value" if stimuli == 1 else f"a list of {stimuli} values, one per stimulus"
            raise FechnerError("bad_value", f"'{name}' needs {wanted}, not {len(values)}", place)
        clean = [axis.clean(item, place) for item in values]
        return clean[0] if axis.fixed or stimuli == 1 else clean


def space(parameters: Iterable[Parameter], constraints: Iterable[Constraint] = ()) -> Space:
    """The search space of these parameters."""
    return Space(tuple(parameters), tuple(constraints))


def _column(axis: Axis, unit: Array, stepped: bool) -> NDArray[Any]:
    """`Axis.raw` of many unit coordinates, (m,); multiples of the step if `stepped`."""
    if axis.kind in ("discrete", "categorical"):
        last = len(axis.choices) - 1
        return np.array(axis.choices)[np.clip(np.floor(unit * (last + 1)).astype(int), 0, last)]
    scale, step = axis.scale, axis.parameter.step
    start, end = scale.ends
    values = start + unit * (end - start)
    if scale.log:
        values = np.power(10.0, values) - scale.shift
    values = np.clip(values, scale.low, scale.high)
    if axis.kind != "continuous":
        values = np.clip(np.floor(values + 0.5), axis.first, axis.first + (axis.levels or 1) - 1)
    if step is not None and stepped:
        low, high = axis.parameter.lower or 0.0, axis.parameter.upper or 0.0
        values = low + step * np.minimum(np.round((values - low) / step), count_steps(low, high, step))
    return values


def _describe(parameter: Parameter) -> dict[str, Any]:
    if parameter.type == "fixed":
        return {"type": "fixed", "value": parameter.value}
    described: dict[str, Any] = {"type": parameter.type}
    if parameter.type in ("categorical", "discrete"):
        described["choices"] = list(parameter.choices)
    else:
        described |= {"lower": parameter.lower, "upper": parameter.upper, "scale": parameter.scale}
    if parameter.step is not None:
        described["step"] = parameter.step
    if parameter.unit:
        described["unit"] = parameter.unit
    return described


def _several(value: Any) -> list[Any]:
    if isinstance(value, list | tuple | np.ndarray):
        return list(value)
    return [value]


def _single(value: Any) -> Any:
    values = _several(value)
    return values[0]


def _pick(value: Any, row: int) -> Any:
    values = _several(value)
    return values[row] if len(values) > 1 else values[0]
