"""Values of AEPsych's files as the configuration wants them."""

from __future__ import annotations

from typing import Any

from fechner.server.importing.stand_in import number
from fechner.strategies.specification import Specification


def response_time(extra: Any) -> float | None:
    """What was recorded beside a trial, where it says how long the answer took."""
    if not isinstance(extra, dict):
        return None
    for name in ("response_time", "responseTime"):
        value = extra.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e300:
            return float(value)
    return response_time(extra.get("extra_info"))


def unwrap(value: Any) -> Any:
    """A list of one as that one."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def convert(value: Any, specification: Specification, name: str) -> Any:
    """A value that the file has as text, as its parameter has it; each of a list."""
    if isinstance(value, list):
        return [convert(one, specification, name) for one in value]
    parameter = next((p for p in specification.parameters if p.name == name), None)
    is_text = parameter is not None and (
        parameter.type == "categorical" or (parameter.type == "fixed" and isinstance(parameter.value, str))
    )
    if is_text or not isinstance(value, str):
        return value
    found = number(value)
    if (
        found is not None
        and parameter is not None
        and parameter.type in ("integer", "binary")
        and found == int(found)
    ):
        return int(found)
    return value if found is None else found


def outcome_by_name(told: Any, specification: Specification) -> dict[str, Any] | None:
    """The outcomes by name; a single one has the configuration's name."""
    if told is None or told == {} or told == []:
        return None
    names = [outcome.name for outcome in specification.outcomes]
    if isinstance(told, list):
        told = (
            dict(zip(names, told, strict=True))
            if len(told) == len(names)
            else {f"outcome_{i}": v for i, v in enumerate(told, 1)}
        )
    elif not isinstance(told, dict):
        told = {names[0] if len(names) == 1 else "outcome": told}
    if len(told) == len(names) == 1:
        told = {names[0]: next(iter(told.values()))}
    return {
        name: found if isinstance(value, str) and (found := number(value)) is not None else unwrap(value)
        for name, value in told.items()
    }
