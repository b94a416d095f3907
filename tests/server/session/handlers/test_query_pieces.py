"""Queries of many points are computed in pieces and answered as one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fechner.server import Server
from fechner.server.session.handlers import query as module

CONFIG = """
[common]
parnames = [p, q]
outcome_types = [binary]
strategy_names = [opt]
target = 0.6
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[q]
par_type = continuous
lower_bound = -1
upper_bound = 1
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 20
[OptimizeAcqfGenerator]
acqf = EAVC
"""


@pytest.fixture
def send() -> Iterator[Any]:
    """A session of twelve tells."""
    with Server() as server:
        channel = server.connect()

        def send(type_: str, **message: Any) -> dict[str, Any]:
            reply: dict[str, Any] = channel.request({"version": "1", "type": type_, "message": message})
            return reply

        send("setup", config=CONFIG, seed=1)
        for i in range(12):
            config = {"p": (i % 4) / 4 + 0.1, "q": (i % 3) / 2 - 0.4}
            send("tell", config=config, outcome=int(config["p"] + config["q"] > 0.4))
        yield send


@pytest.mark.parametrize("kind", ["prediction", "threshold"])
def test_pieces_give_what_the_whole_gives(send: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut or not, the answer is the same, in the same order."""
    more: dict[str, Any] = {"parameter": "p", "y": 0.5} if kind == "threshold" else {}
    x: dict[str, Any] = {"q": [-0.5, -0.2, 0.0, 0.3, 0.7]}
    if kind == "prediction":
        x["p"] = 0.5
    whole = send("query", query=kind, x=x, **more)["message"]
    monkeypatch.setitem(module.PIECE, kind, 2)
    pieces = send("query", query=kind, x=x, **more)["message"]
    assert pieces["x"]["q"] == whole["x"]["q"] == x["q"]
    for name in ("y", "lower", "upper", "sd"):
        for one, other in zip(pieces[name], whole[name], strict=True):
            assert one == other or one == pytest.approx(other, rel=1e-6, abs=1e-9)
    assert len(whole["y"]) == 5


def test_too_many_points(send: Any) -> None:
    """A query has a limit of its own."""
    reply = send("query", query="prediction", x={"p": [0.5] * 10_001, "q": [0.0] * 10_001})
    assert reply["error"]["code"] == "limit_reached"


def test_a_threshold_without_level_says_which_it_took(send: Any) -> None:
    """The configuration's target, with a warning."""
    reply = send("query", query="threshold", parameter="p", x={"q": [0.0]})
    assert (
        reply["message"] == send("query", query="threshold", parameter="p", x={"q": [0.0]}, y=0.6)["message"]
    )
    assert "0.6" in reply["warnings"][0]["detail"]


@pytest.mark.parametrize(
    ("message", "where"),
    [
        ({"query": "max", "x": {"p": [1]}}, "message.x"),
        ({"query": "min", "y": 3}, "message.y"),
        ({"query": "inverse"}, "message.y"),
        ({"query": "threshold", "parameter": "p", "x": {"q": [0]}, "space": "latent"}, "message.y"),
        ({"query": "threshold", "parameter": "pp", "x": {"q": [0]}, "y": 0.5}, "message.parameter"),
    ],
)
def test_what_a_query_has_no_use_for_is_named(send: Any, message: dict[str, Any], where: str) -> None:
    """A field that would be ignored, and one that is missing, are errors with their place."""
    assert send("query", **message)["error"]["where"] == where


def test_predictions_are_at_the_very_points_asked(send: Any) -> None:
    """x comes back as it was sent."""
    x = {"p": [0.1, 0.2], "q": [0.1, -0.7]}
    assert send("query", query="prediction", x=x)["message"]["x"] == x
