"""Seed data: told trials of earlier sessions that warm a stage's model and are no trials of its own.

A *row* is plain data: `{"config": {name: value}, "outcome": {name: number}}` in raw space (two stimuli: a
list of two for each parameter), with the `session` and `trial` that it comes from. Rows are chosen and
judged once, at setup, and recorded; a state has them encoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fechner.strategies.errors import FechnerError
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.space.outcomes import clean_outcome
from fechner.strategies.space.parameters import Space, space
from fechner.strategies.specification import Specification

Row = Mapping[str, Any]


def difference(
    specification: Specification,
    parameters: Sequence[Mapping[str, Any] | str],
    outcomes: Sequence[Mapping[str, Any]],
) -> str:
    """Why the trials of another setup are not of the same kind; empty if they are.

    The same are: names and types of the parameters, in any order, units where both name one, and names and
    types of the outcomes. Bounds, scales, steps and choices may differ: each row is judged by `fitting`.

    Args:
        specification: the setup that would take them.
        parameters, outcomes: of the other setup, as it recorded them: name, type, perhaps unit.
    """
    there = {str(one["name"]): one for one in map(_named, parameters)}
    here = {one.name: one for one in specification.parameters}
    if set(there) != set(here):
        return f"its parameters are {', '.join(there)}"
    for name, one in here.items():
        if there[name].get("type") not in (one.type, None):  # early records have names alone
            return f"its parameter {name} is {there[name]['type']}"
        unit = there[name].get("unit")
        if unit and one.unit and unit != one.unit:
            return f"its parameter {name} is in {unit}"
    kinds = {str(one.get("name")): one.get("type") for one in outcomes}
    if kinds != {one.name: one.type for one in specification.outcomes}:
        return f"its outcomes are {', '.join(f'{name} ({kind})' for name, kind in kinds.items())}"
    return ""


def _named(parameter: Mapping[str, Any] | str) -> Mapping[str, Any]:
    return {"name": parameter} if isinstance(parameter, str) else parameter


def clean(specification: Specification, row: Row, box: Space | None = None) -> dict[str, Any]:
    """The row with clean values, in the order of the specification (`box`: its search space, if at hand).

    Raises:
        FechnerError: unknown_parameter, out_of_bounds, bad_value or bad_outcome: it doesn't fit.
    """
    box = box or space(specification.parameters)
    config = box.validate(row["config"], specification.stimuli_per_trial, "seed_data.config")
    outcome = clean_outcome(specification, row["outcome"], "seed_data.outcome")
    return {**row, "config": config, "outcome": outcome}


def fitting(specification: Specification, rows: Iterable[Row]) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows that fit the parameters and outcomes, clean, and for each other one why it doesn't."""
    box = space(specification.parameters)
    kept: list[dict[str, Any]] = []
    faults: list[str] = []
    for row in rows:
        try:
            kept.append(clean(specification, row, box))
        except FechnerError as error:
            faults.append(error.detail)
    return kept, faults


def encoded(specification: Specification, rows: Sequence[Row]) -> tuple[Array, Array]:
    """Clean rows as the model sees them: x `k x s x d` in unit space and y `k x m`."""
    box, stimuli = space(specification.parameters), specification.stimuli_per_trial
    names = [one.name for one in specification.outcomes]
    each = [(row["config"], stimulus) for row in rows for stimulus in range(stimuli)]
    shown = [{name: _of(value, i) for name, value in config.items()} for config, i in each]
    x = box.encode_rows(shown).reshape(len(rows), stimuli, box.d)
    y = np.array([[row["outcome"][name] for name in names] for row in rows], dtype=np.float64)
    return x, y.reshape(len(rows), len(names))


def _of(value: Any, stimulus: int) -> Any:
    """A parameter's value for one stimulus of a trial."""
    return value[stimulus] if isinstance(value, list) else value


def of_stages(
    specification: Specification, by_section: Mapping[str, Sequence[Row]]
) -> dict[str, tuple[Array, Array]]:
    """Stages by name to their rows as `encoded`, from clean rows by the section of their conditions."""
    found = {}
    for stage in specification.stages:
        named = stage.seed_data_conditions
        rows = by_section.get(named.section, ()) if named is not None else ()
        if rows:
            found[stage.name] = encoded(specification, rows)
    return found


def given(specification: Specification, rows: Sequence[Row]) -> dict[str, tuple[Array, Array]]:
    """The same from rows that a program brings: for the stages with conditions, or all with a model.

    Raises:
        FechnerError: the first row that doesn't fit, or there is no stage that they could warm.
    """
    if not rows:
        return {}
    kept = [clean(specification, row) for row in rows]
    modelled = [stage for stage in specification.stages if stage.model is not None]
    named = [stage for stage in modelled if stage.seed_data_conditions is not None]
    if not modelled:
        raise FechnerError(
            "bad_value", "no stage has a model that seed data could warm", "seed_data", "leave them out"
        )
    return {stage.name: encoded(specification, kept) for stage in named or modelled}
