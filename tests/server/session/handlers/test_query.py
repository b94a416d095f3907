"""query: the model's answers, and what is refused before anything is computed."""

from __future__ import annotations

from typing import Any

import pytest

from ...rig import Computing, Rig


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({}, "bad_value"),
        ({"query": "mode"}, "bad_value"),
        ({"query": "max", "interval": 1}, "bad_value"),
        ({"query": "max", "y": "much"}, "bad_value"),
        ({"query": "max", "outcome": "loud"}, "bad_value"),
        ({"query": "max", "space": "probabilty"}, "bad_value"),
    ],
)
def test_queries_of_a_wrong_form(rig: Rig, with_model: str, message: Any, code: str) -> None:
    """They fail before anything is computed."""
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", {"trial": 1, "outcome": 1})
    assert peer.error("query", message)["code"] == code
    assert not rig.tasks


def test_a_query_needs_a_model_and_data(rig: Rig, with_model: str) -> None:
    """A stage without model has no answer, a model without data neither."""
    assert rig.setup().error("query", {"query": "max"})["code"] == "no_model"
    peer = rig.setup(with_model)
    assert peer.error("query", {"query": "max"})["code"] == "no_model"
    peer.ok("ask")
    assert peer.error("query", {"query": "max"})["code"] == "not_enough_data"


@pytest.mark.parametrize(
    "request_",
    [
        {"query": "max"},
        {"query": "min", "space": "latent"},
        {"query": "prediction", "x": {"p": [0.1, 0.9]}},
        {"query": "inverse", "y": 0.5, "constraints": {"p": [0.2, 0.8]}},
        {"query": "threshold", "parameter": "p", "y": 0.5, "interval": 0.5},
    ],
)
def test_queries_are_answered_by_the_model(
    new_rig: type[Rig], computed_here: Computing, with_model: str, request_: Any
) -> None:
    """Every kind, with the mathematics: lists of one length, an interval around each value."""
    peer = new_rig(compute=computed_here).setup(with_model)
    told = [{"config": {"p": i / 9}, "outcome": int(i > 4)} for i in range(10)]
    peer.ok("tell", {"trials": told})
    peer.ok("finish_strategy")
    answer = peer.ok("query", request_)
    assert set(answer) == {"x", "y", "lower", "upper", "sd"}
    n = len(request_.get("x", {"p": [0]})["p"])
    assert {len(values) for values in [answer["x"]["p"], answer["y"], answer["lower"], answer["upper"]]} == {
        n
    }
    values = answer["x"]["p"] if request_["query"] == "threshold" else answer["y"]
    for value, lower, upper in zip(values, answer["lower"], answer["upper"], strict=True):
        assert lower is None or lower <= value
        assert upper is None or value <= upper
