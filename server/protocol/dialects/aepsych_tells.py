"""Tells of the AEPsych dialects: lists per key are several trials; every further key is trial metadata."""

from __future__ import annotations

import math
from typing import Any

from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.jsontext import render as to_json
from fechner.server.protocol.messages import Told

#: Metadata that a tell may put on record, in characters of JSON: each of its trials gets all of it.
MOST_METADATA = 4 * 1024 * 1024

_KEYS = ("config", "outcome", "model_data")


def parse_trials(content: dict[str, Any], extra_info: Any) -> list[Told]:
    """The trials of one tell.

    Raises:
        FechnerError: bad_value or bad_outcome where lists don't fit together.
    """
    config = content.get("config")
    if config is not None and not isinstance(config, dict):
        raise FechnerError("bad_value", "`config` is an object", where="message.config")
    model_data = content.get("model_data")
    model_data = True if model_data is None else model_data
    if not isinstance(model_data, bool | int):
        raise FechnerError("bad_value", "`model_data` is true or false", where="message.model_data")
    if not config and model_data:
        raise FechnerError(
            "bad_value",
            "`config` is missing",
            where="message.config",
            hint="needed unless model_data is false",
        )
    outcome = content.get("outcome")
    if not config and outcome is None:
        raise FechnerError("bad_value", "a tell has a `config`, an `outcome`, or both", where="message")
    n = _n_trials(config or {}, outcome)
    configs = [
        {name: _nth(value, i, n, f"message.config.{name}") for name, value in (config or {}).items()}
        for i in range(n)
    ]
    outcomes = [_nth_outcome(outcome, i, n) for i in range(n)]
    extra = {key: value for key, value in content.items() if key not in _KEYS}
    if extra_info is not None:
        extra["extra_info"] = extra_info
    if n > 1 and extra and n * len(to_json(extra)) > MOST_METADATA:
        text = (
            f"each of {n} trials would keep all further keys, together more than {MOST_METADATA} characters"
        )
        raise FechnerError("too_large", text, where="message", hint="send several tells, or fewer keys")
    response_time = _response_time(extra_info)
    return [
        Told(
            config=configs[i] or None,
            outcome=outcomes[i],
            model_data=bool(model_data),
            response_time=response_time,
            extra=extra,
        )
        for i in range(n)
    ]


def _response_time(extra_info: Any) -> float | None:
    """The Unity client's responseTime, where it is a number."""
    value = extra_info.get("responseTime") if isinstance(extra_info, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _n_trials(config: dict[str, Any], outcome: Any) -> int:
    """How many trials the lists mean."""
    if isinstance(outcome, dict):
        lengths = {len(value) if isinstance(value, list) else 1 for value in outcome.values()} or {1}
        if len(lengths) > 1:
            raise FechnerError("bad_outcome", "the outcomes' lists differ in length", where="message.outcome")
        return lengths.pop()
    columns = {len(value) for value in config.values() if isinstance(value, list)}
    if isinstance(outcome, list):
        # One trial with several outcomes: each parameter has one value.
        return 1 if len(outcome) > 1 and config and columns <= {1} else max(1, len(outcome))
    if outcome is None and len(columns) == 1:
        return max(1, columns.pop())
    return 1


def _nth(value: Any, i: int, n: int, where: str) -> Any:
    """The i-th trial's value of one parameter."""
    if isinstance(value, list):
        if len(value) == n:
            return value[i]
        if n == 1:
            return value  # one trial of two stimuli, or a fault that validation names
        raise FechnerError("bad_value", f"{len(value)} values for {n} outcomes", where=where)
    if n == 1:
        return value
    raise FechnerError("bad_value", f"one value for {n} outcomes", where=where, hint="give a list")


def _nth_outcome(outcome: Any, i: int, n: int) -> Any:
    """The i-th trial's outcome, numbers in text turned into numbers."""
    if isinstance(outcome, dict):
        return {
            name: _number(value[i] if isinstance(value, list) else value) for name, value in outcome.items()
        }
    if isinstance(outcome, list):
        if len(outcome) == n:
            return _number(outcome[i])
        return [_number(value) for value in outcome]
    return _number(outcome)


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return _number(value[0]) if len(value) == 1 else [_number(one) for one in value]
    if isinstance(value, str) and len(value) < 40:
        try:
            found = float(value)
        except ValueError:
            return value
        return found if math.isfinite(found) else value
    return value
