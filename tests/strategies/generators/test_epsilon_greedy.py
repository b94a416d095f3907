"""Random points now and then, else the subgenerator's."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.strategies import Strategy
from fechner.strategies.config import check
from fechner.strategies.config.describing.describe import describe
from fechner.strategies.core.strategy import propose
from fechner.strategies.errors import ConfigError

CONFIG: dict[str, dict[str, Any]] = {
    "common": {
        "parnames": ["a", "k"],
        "outcome_types": "continuous",
        "strategy_names": "s",
    },
    "a": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
    "k": {"par_type": "integer", "lower_bound": 1, "upper_bound": 3},
    "constraints": {"c": "a + k <= 3.5"},
    "s": {"generator": "EpsilonGreedyGenerator", "model": "GPRegressionModel", "min_asks": 100},
    "EpsilonGreedyGenerator": {"subgenerator": "OptimizeAcqfGenerator", "epsilon": 0.5},
    "OptimizeAcqfGenerator": {
        "acqf": "qLogNoisyExpectedImprovement",
        "samps": 64,
        "restarts": 1,
    },
}


def with_epsilon(epsilon: float, **keys: Any) -> dict[str, dict[str, Any]]:
    return {
        **CONFIG,
        "EpsilonGreedyGenerator": {**CONFIG["EpsilonGreedyGenerator"], "epsilon": epsilon, **keys},
    }


def told(config: dict[str, dict[str, Any]]) -> Strategy:
    strategy = Strategy(config, seed=1)
    for i in range(8):
        point = {"a": i / 8, "k": 1 + i % 2}
        strategy.tell(point, point["a"] - point["k"])
    return strategy


def test_about_half_of_the_points_are_random() -> None:
    """Greedy ones have a posterior, random ones don't; all keep the constraints; one by one and together."""
    strategy = told(CONFIG)
    together = propose(strategy.state, 20)
    random = [value is None for value in together["post_mean"]]
    assert 4 < sum(random) < 16
    points = strategy.ask(20, fixed={"k": 2})
    assert all(point["a"] + point["k"] <= 3.5 and point["k"] == 2 for point in points)
    again = told(CONFIG)
    single = [again.ask() for _ in range(20)]
    assert [point["a"] < 0.9 for point in single].count(True) > 2


def test_always_and_never() -> None:
    """With epsilon 0 the points are the subgenerator's; with 1 none is computed."""
    plain = {**CONFIG, "s": {**CONFIG["s"], "generator": "OptimizeAcqfGenerator"}}
    assert told(with_epsilon(0)).ask(3) == told(plain).ask(3)
    proposal = propose(told(with_epsilon(1)).state, 3)
    assert proposal["tier"] == "generator"
    assert "hyperparameters" not in proposal


def test_subgenerators() -> None:
    """Any that follows an acquisition function, the usual one if none is named; no other."""
    default = check({**CONFIG, "EpsilonGreedyGenerator": {"epsilon": 0.25}})
    assert default.stages[0].generator.keys["subgenerator"].name == "OptimizeAcqfGenerator"
    assert "One in 4 points is random" in describe(default)
    grid = check(with_epsilon(0.1, subgenerator="AcqfGridSearchGenerator"))
    assert grid.stages[0].generator.keys["subgenerator"].name == "AcqfGridSearchGenerator"
    for name in ("SobolGenerator", "EpsilonGreedyGenerator"):
        with pytest.raises(ConfigError) as caught:
            check(with_epsilon(0.1, subgenerator=name))
        (problem,) = caught.value.problems
        assert (problem.section, problem.key) == ("EpsilonGreedyGenerator", "subgenerator")
