"""A configuration made from the data themselves, where theirs can't be used here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from fechner.server.protocol.messages import Told
from fechner.strategies.config import check
from fechner.strategies.errors import ConfigError

STAGE = "imported"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


def number(text: str) -> float | None:
    """The finite number that a text is, or that stands in it as the only item of a list; else None."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1].strip()
    if len(text) > 400 or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if abs(value) < 1e300 else None


def stand_in(trials: Sequence[Told]) -> dict[str, Any]:
    """A configuration that the trials fit: parameters with the range or the choices that they have.

    Where they have none, or names that can't be a parameter's, there is one parameter that says nothing.
    """
    values: dict[str, list[Any]] = {}
    outcomes: dict[str, list[Any]] = {}
    stimuli = 1
    for trial in trials:
        for name, value in (trial.config or {}).items():
            several = value if isinstance(value, list) else [value]
            stimuli = max(stimuli, len(several))
            values.setdefault(name, []).extend(several)
        for name, value in _outcomes(trial.outcome).items():
            outcomes.setdefault(name, []).append(value)
    config: dict[str, Any] = {name: _parameter(found) for name, found in values.items()}
    config["common"] = {
        "parnames": list(values),
        "outcome_names": list(outcomes) or ["outcome_1"],
        "outcome_types": [_outcome_type(found) for found in outcomes.values()] or ["binary"],
        "strategy_names": [STAGE],
        "stimuli_per_trial": stimuli,
    }
    config[STAGE] = {"generator": "SobolGenerator", "min_asks": 1}
    try:
        if values:
            check(config, no_end="warning")
            return config
    except ConfigError:
        pass
    return {
        "common": {"parnames": ["unknown"], "outcome_types": ["binary"], "strategy_names": [STAGE]},
        "unknown": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        STAGE: {"generator": "SobolGenerator", "min_asks": 1},
    }


def _parameter(values: list[Any]) -> dict[str, Any]:
    numbers = [number(value) if isinstance(value, str) else _finite(value) for value in values]
    found = [value for value in numbers if value is not None]
    if len(found) == len(values):
        lower, upper = min(found), max(found)
        if lower == upper:
            margin = max(0.5, abs(lower) / 10)
            lower, upper = lower - margin, upper + margin
        return {"par_type": "continuous", "lower_bound": lower, "upper_bound": upper}
    choices = list(dict.fromkeys(value if isinstance(value, str) else str(value) for value in values))
    return {
        "par_type": "categorical",
        "choices": choices if len(choices) > 1 else [*choices, f"not {choices[0]}"],
    }


def _outcomes(outcome: Any) -> dict[str, Any]:
    if isinstance(outcome, dict):
        return outcome
    if isinstance(outcome, list):
        return {f"outcome_{i}": value for i, value in enumerate(outcome, 1)}
    return {} if outcome is None else {"outcome_1": outcome}


def _outcome_type(values: list[Any]) -> str:
    numbers = {number(value) if isinstance(value, str) else _finite(value) for value in values}
    return "binary" if numbers <= {0.0, 1.0} else "continuous"


def _finite(value: Any) -> float | None:
    if not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e300 else None
