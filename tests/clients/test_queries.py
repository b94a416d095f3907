"""Queries and their answers."""

from __future__ import annotations

import math
from typing import Any

import pytest

from fechner_client import Answer, Client, Threshold


@pytest.fixture
def ready(client: Client, config: str) -> Client:
    client.setup(config)
    return client


def test_a_threshold_finds_its_parameter_and_its_interval(ready: Client, fake: Any) -> None:
    """With one free parameter none needs naming; an open side is None."""
    threshold = ready.threshold(0.5, interval=0.9)
    assert threshold == Threshold(
        x={"level": 42.0}, parameter="level", y=0.5, value=42.0, lower=0.4, upper=None, sd=0.1
    )
    assert float(threshold) == 42.0
    assert fake.requests[-1]["message"] == {
        "query": "threshold",
        "y": 0.5,
        "parameter": "level",
        "interval": 0.9,
    }


def test_no_threshold_is_not_a_number() -> None:
    """float() of a threshold that is nowhere reached is nan, for plotting."""
    assert math.isnan(float(Threshold({}, "level", 0.5, None, None, None, None)))


def test_thresholds_at_several_places(ready: Client, fake: Any) -> None:
    """Lists give a list; a single value holds for all places."""
    found = ready.thresholds(0.75, "level", {"frequency": (250, 500), "ear": "left"})
    assert [(t.x["frequency"], t.x["ear"], t.value) for t in found] == [
        (250, "left", 42.0),
        (500, "left", 42.0),
    ]
    assert fake.requests[-1]["message"]["x"] == {"frequency": [250, 500], "ear": ["left", "left"]}
    with pytest.raises(ValueError, match=r"use thresholds\(\)"):
        ready.threshold(0.75, "level", {"frequency": [250, 500]})


def test_a_threshold_of_too_many_parameters_asks_which(ready: Client, fake: Any, replies: Any) -> None:
    """The error lists the candidates."""
    parameters = {"level": {"type": "continuous"}, "frequency": {"type": "continuous"}}
    fake.faults.append(lambda request: replies[0](request, parameters))
    with pytest.raises(ValueError, match=r"level.*frequency"):
        ready.threshold()


def test_lists_of_different_lengths_are_refused(ready: Client) -> None:
    """The error gives the lengths."""
    with pytest.raises(ValueError, match="a: 2, b: 3"):
        ready.prediction({"a": [1, 2], "b": [1, 2, 3]})


def test_a_prediction_comes_in_columns_and_row_by_row(ready: Client) -> None:
    """Columns for plotting, rows for reading."""
    answer = ready.prediction({"level": [10, 20, 30]})
    assert isinstance(answer, Answer)
    assert answer.x == {"level": [10, 20, 30]}
    assert answer.y == [0.5, 0.5, 0.5]
    assert [row.x["level"] for row in answer] == [10, 20, 30]
    assert answer[-1].lower == 0.4
    assert [row.x["level"] for row in answer[1:]] == [20, 30]


def test_max_min_and_inverse_are_one_place(ready: Client, fake: Any) -> None:
    """The value, the place and the interval; options go along."""
    best = ready.max(space="probability", constraints={"level": [20, 60]})
    assert (best.x, best.value, best.upper) == ({"level": 50.0}, 0.5, None)
    assert fake.requests[-1]["message"]["constraints"] == {"level": [20, 60]}
    assert ready.min().y == 0.5
    assert ready.inverse(0.6, outcome="seen").x == {"level": 50.0}
    assert fake.requests[-1]["message"] == {"query": "inverse", "y": 0.6, "outcome": "seen"}
