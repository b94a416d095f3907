"""What a server says of what it has done, as small values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional


@dataclass(frozen=True)
class Setup:
    """A session, set up.

    Attributes:
        session: its name, to resume it with.
        strategy: 0 for the first setup of a session, 1 for the next.
        parameters: for each parameter its type, bounds, scale or choices.
        outcomes: for each outcome its name and type.
        stages: the stages' names, in order.
        seed: reproduces this session's asks.
        seed_data: how many trials of earlier sessions warm it, by section of their conditions.
    """

    session: str
    strategy: int
    parameters: dict[str, dict[str, Any]]
    outcomes: list[dict[str, Any]]
    stages: list[str]
    seed: Optional[int]
    seed_data: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """A tell, on record.

    Attributes:
        trials: the numbers of the trials told.
        modelled: how many of them reached the model's data.
        finished: whether the experiment's counting rules are met.
    """

    trials: list[int]
    modelled: int
    finished: bool


@dataclass(frozen=True)
class Corrected:
    """A correction, on record.

    Attributes:
        trial: the number of the trial.
        modelled: how many outcomes of it are in the model's data now: 1, or 0 if it is removed.
    """

    trial: int
    modelled: int


@dataclass(frozen=True)
class Replayed:
    """A session, replayed.

    Attributes:
        identical: whether every ask came out as recorded; None if nothing was computed.
        asks: how many asks that were.
        first_difference: the ``seq`` of the first message that differs, what is ``recorded`` and what was
            ``recomputed``; None if none does.
        broken_chain: the ``seq`` of the first message that was changed or is missing; None if all are sound.
    """

    identical: Optional[bool]
    asks: int
    first_difference: Optional[dict[str, Any]] = None
    broken_chain: Optional[int] = None


def setup_of(message: Mapping[str, Any]) -> Setup:
    """A setup's reply."""
    return Setup(
        session=str(message.get("session", "")),
        strategy=int(message.get("strategy", 0)),
        parameters=dict(message.get("parameters", {})),
        outcomes=list(message.get("outcomes", [])),
        stages=list(message.get("stages", [])),
        seed=message.get("seed"),
        seed_data=dict(message.get("seed_data", {})),
    )


def told_of(message: Mapping[str, Any]) -> Told:
    """A tell's reply."""
    return Told(
        trials=list(message.get("trials", [])),
        modelled=int(message.get("modelled", 0)),
        finished=bool(message.get("finished", False)),
    )


def corrected_of(message: Mapping[str, Any]) -> Corrected:
    """A correction's reply."""
    return Corrected(trial=int(message.get("trial", 0)), modelled=int(message.get("modelled", 0)))


def replayed_of(message: Mapping[str, Any]) -> Replayed:
    """A replay's reply."""
    return Replayed(
        identical=message.get("identical"),
        asks=int(message.get("asks", 0)),
        first_difference=message.get("first_difference"),
        broken_chain=message.get("broken_chain"),
    )
