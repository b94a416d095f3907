"""The messages of the requests that have more than plain fields: ask, tell, query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional, Union

from fechner_client.framing import outcome_of, plain
from fechner_client.trial import Outcome, Trial

#: What a tell is about: a trial, its number, or the parameters of a stimulus that wasn't asked.
What = Union[Trial, int, Mapping[str, Any]]

_TELL_OPTIONS = ("model_data", "shown", "response_time", "confidence", "client_time", "extra")


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def ask_message(
    n: int, fixed: Optional[Mapping[str, Any]], beyond: bool, deadline_ms: Optional[float] = None
) -> dict[str, Any]:
    """An ask; what has its default value is left out."""
    message: dict[str, Any] = {} if n == 1 else {"n": n}
    if fixed:
        message["fixed"] = dict(fixed)
    if beyond:
        message["beyond"] = True
    if deadline_ms is not None:
        message["deadline_ms"] = plain(deadline_ms, "deadline_ms")
    return message


def tell_message(trial: What, outcome: Outcome, options: Mapping[str, Any]) -> dict[str, Any]:
    """One tell; options that are None or have their default value are left out."""
    for name in options:
        if name not in _TELL_OPTIONS:
            raise TypeError(f"a tell has no option {name!r}; it has {', '.join(_TELL_OPTIONS)}")
    message: dict[str, Any] = {"outcome": outcome_of(outcome)}
    if isinstance(trial, Trial):
        message["trial"] = trial.number
        message.update(given({"response_time": trial.response_time}))
    elif isinstance(trial, Mapping):
        message["config"] = dict(trial)
    else:
        message["trial"] = plain(trial, "trial")
    message.update(given(options))
    if message.get("model_data") is True:
        del message["model_data"]
    return message


def number_of(trial: Union[Trial, int]) -> Any:
    """A trial's number."""
    return trial.number if isinstance(trial, Trial) else plain(trial, "trial")


def correct_message(trial: Union[Trial, int], outcome: Optional[Outcome], remove: bool) -> dict[str, Any]:
    """A correction: another outcome, or the trial's removal."""
    if (outcome is None) != remove:
        raise TypeError("give an outcome or remove=True, one of the two")
    about = {"trial": number_of(trial)}
    return {**about, "remove": True} if outcome is None else {**about, "outcome": outcome_of(outcome)}


def columns(x: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Places as a query has them: for each parameter a list, all of one length; single values repeat."""
    lists = {name: plain(value, f"x.{name}") for name, value in x.items()}
    lengths = {len(value) for value in lists.values() if isinstance(value, list)} or {1}
    longest = max(lengths)
    if lengths - {1, longest}:
        sizes = ", ".join(f"{name}: {len(v) if isinstance(v, list) else 1}" for name, v in lists.items())
        raise ValueError(f"the parameters of x have different numbers of values ({sizes})")
    return {
        name: value if isinstance(value, list) and len(value) == longest else _one(value) * longest
        for name, value in lists.items()
    }


def _one(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
