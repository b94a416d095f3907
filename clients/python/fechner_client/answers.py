"""What comes back to a query, as small values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Union, overload


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


def _values(column: Union[float, list[Any], None]) -> list[Any]:
    if column is None:
        return []
    return list(column) if isinstance(column, list) else [column]


def _item(column: Sequence[Optional[float]], index: int) -> Optional[float]:
    return column[index] if column else None
