"""What comes back from a server, as small values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional, Union, overload

if TYPE_CHECKING:
    from fechner_client.trial import Trial


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


@dataclass(frozen=True)
class Resumed:
    """A session, taken up again.

    Attributes:
        session: its name.
        strategy: the current strategy.
        trials: how many were asked, told, pending.
        pending: the trials handed out and not told; ``client.trials()`` hands them out first.
    """

    session: str
    strategy: int
    trials: dict[str, int]
    pending: list[Trial]


@dataclass(frozen=True)
class Estimate:
    """One place and the prediction there.

    Attributes:
        x: the place, a value for each parameter.
        y: the predicted value.
        lower, upper: its credible interval.
        sd: its standard deviation.
    """

    x: dict[str, Any]
    y: Optional[float]
    lower: Optional[float]
    upper: Optional[float]
    sd: Optional[float]

    @property
    def value(self) -> Optional[float]:
        """The predicted value, under the name that a threshold has it by."""
        return self.y


@dataclass(frozen=True)
class Threshold:
    """Where one parameter reaches an outcome.

    Attributes:
        x: the place, a value for each parameter, the threshold among them.
        parameter: whose threshold it is.
        y: what is reached there, for instance a probability of 0.75.
        value: the threshold in units of the parameter; None if y is nowhere reached.
        lower, upper: its credible interval; None where it is open within the parameter's range.
        sd: the posterior standard deviation.
    """

    x: dict[str, Any]
    parameter: str
    y: float
    value: Optional[float]
    lower: Optional[float]
    upper: Optional[float]
    sd: Optional[float]

    def __float__(self) -> float:
        return math.nan if self.value is None else float(self.value)


@dataclass(frozen=True)
class Answer(Sequence[Estimate]):
    """The answer to a query in columns, ready for plotting; as a sequence, one Estimate after the other.

    Attributes:
        x: for each parameter the list of its values.
        y: the predicted values.
        lower, upper: their credible intervals.
        sd: their standard deviations.
        probabilities: for predictions of ordinal outcomes, the probability of each level at each place.
    """

    x: dict[str, list[Any]]
    y: list[Optional[float]]
    lower: list[Optional[float]] = field(default_factory=list)
    upper: list[Optional[float]] = field(default_factory=list)
    sd: list[Optional[float]] = field(default_factory=list)
    probabilities: list[list[float]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.y)

    @overload
    def __getitem__(self, index: int) -> Estimate: ...

    @overload
    def __getitem__(self, index: slice) -> list[Estimate]: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[Estimate, list[Estimate]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return Estimate(
            x={name: values[index] for name, values in self.x.items()},
            y=self.y[index],
            lower=_item(self.lower, index),
            upper=_item(self.upper, index),
            sd=_item(self.sd, index),
        )

    def __iter__(self) -> Iterator[Estimate]:
        return (self[index] for index in range(len(self)))


def answer_of(message: Mapping[str, Any]) -> Answer:
    """A query's reply."""
    return Answer(
        x={name: _values(values) for name, values in message.get("x", {}).items()},
        y=_values(message.get("y")),
        lower=_values(message.get("lower")),
        upper=_values(message.get("upper")),
        sd=_values(message.get("sd")),
        probabilities=list(message.get("probabilities") or []),
    )


def thresholds_of(answer: Answer, parameter: str, y: float) -> list[Threshold]:
    """A threshold query's answer, one threshold for each place."""
    return [
        Threshold(
            x={name: values[index] for name, values in answer.x.items()},
            parameter=parameter,
            y=y,
            value=value,
            lower=_item(answer.lower, index),
            upper=_item(answer.upper, index),
            sd=_item(answer.sd, index),
        )
        for index, value in enumerate(answer.x[parameter])
    ]


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


def resumed_of(message: Mapping[str, Any], session: Optional[str], pending: list[Trial]) -> Resumed:
    """A resume's reply."""
    return Resumed(
        session=session or "",
        strategy=int(message.get("strategy", 0)),
        trials=dict(message.get("trials", {})),
        pending=pending,
    )


def _values(column: Union[float, list[Any], None]) -> list[Any]:
    if column is None:
        return []
    return list(column) if isinstance(column, list) else [column]


def _item(column: Sequence[Optional[float]], index: int) -> Optional[float]:
    return column[index] if column else None
