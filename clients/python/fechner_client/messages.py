"""The messages of the requests, from what the client's methods are given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Optional, Union

from fechner_client.configuration import configuration
from fechner_client.framing import outcome_of, plain
from fechner_client.trial import Outcome, Trial

#: What a tell is about: a trial, its number, or the parameters of a stimulus that wasn't asked.
What = Union[Trial, int, Mapping[str, Any]]

_TELL_OPTIONS = ("model_data", "shown", "response_time", "confidence", "client_time", "extra")


def drop_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def setup_message(
    config: Union[str, Mapping[str, Any], None],
    file: Union[str, os.PathLike[str], None],
    name: Optional[str],
    participant: Optional[str],
    description: Optional[str],
    seed: Optional[int],
    metadata: Optional[Mapping[str, Any]],
) -> dict[str, Any]:
    """A setup, its configuration read."""
    about = {"name": name, "participant": participant, "description": description, "seed": seed}
    return drop_none({"config": configuration(config, file), **about, "metadata": metadata})


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
        message.update(drop_none({"response_time": trial.response_time}))
    elif isinstance(trial, Mapping):
        message["config"] = dict(trial)
    else:
        message["trial"] = plain(trial, "trial")
    message.update(drop_none(options))
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


def skip_message(trial: Union[Trial, int], reason: Optional[str], again: bool) -> dict[str, Any]:
    """A trial closed without an outcome."""
    return {"trial": number_of(trial), **drop_none({"reason": reason, "again": True if again else None})}


def resume_message(session: Optional[str], strategy: Optional[int], observe: bool) -> dict[str, Any]:
    """A session taken up again."""
    return drop_none({"session": session, "strategy": strategy, "observe": True if observe else None})


def replay_message(session: Optional[str], verify: bool) -> dict[str, Any]:
    """A session computed again."""
    if session is None:
        raise TypeError("no session is current: name the session to replay")
    return {"session": session, **({} if verify else {"verify": False})}


def only_parameter(parameters: Mapping[str, Any], x: Mapping[str, Any]) -> str:
    """The one parameter that isn't fixed and that x doesn't give; ValueError if there isn't just one."""
    names = [name for name, about in parameters.items() if about["type"] != "fixed" and name not in x]
    if len(names) != 1:
        which = "none is left" if not names else f"parameter= or values in x for all but one of {names}"
        raise ValueError(f"the threshold of which parameter? {which}")
    return names[0]


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
