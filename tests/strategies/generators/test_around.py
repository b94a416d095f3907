"""Samples around listed points: near them, inside range and constraints, each point as often as wanted."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.strategies import Strategy
from fechner.strategies.config import check
from fechner.strategies.config.describing.describe import describe
from fechner.strategies.errors import ConfigError, FechnerError

CONFIG: dict[str, dict[str, Any]] = {
    "common": {
        "parnames": ["level", "k", "ear", "gap", "rig"],
        "outcome_types": "binary",
        "strategy_names": "s",
    },
    "level": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 10},
    "k": {"par_type": "integer", "lower_bound": 1, "upper_bound": 9},
    "ear": {"par_type": "categorical", "choices": ["left", "right"]},
    "gap": {"par_type": "discrete", "values": [1, 2, 5]},
    "rig": {"par_type": "fixed", "value": 3},
    "s": {"generator": "SampleAroundPointsGenerator"},
    "SampleAroundPointsGenerator": {
        "points": [[1, 2, "left", 1], [9.5, 8, "right", 5]],
        "window": [2, 1, 0, 1],
        "samples_per_point": 20,
        "shuffle": False,
        "seed": 3,
    },
}


def changed(**keys: Any) -> dict[str, dict[str, Any]]:
    name = "SampleAroundPointsGenerator"
    return {**CONFIG, name: {**CONFIG[name], **keys}}


def test_samples_lie_around_their_points() -> None:
    """Within the window and the range; whole numbers and values stay such; the stage ends by itself."""
    strategy = Strategy(CONFIG)
    points = strategy.ask(100)
    assert len(points) == 40
    for i, point in enumerate(points):
        level, k, ear, gaps = ((1, 2, "left", (1, 2)), (9.5, 8, "right", (5,)))[i // 20]
        assert 0 <= point["level"] <= 10
        assert abs(point["level"] - level) <= 2
        assert point["k"] in (k - 1, k, k + 1)
        assert point["ear"] == ear
        assert point["gap"] in gaps
        assert point["rig"] == 3
    assert len({point["level"] for point in points}) == 40
    assert {point["k"] for point in points[:20]} == {1, 2, 3}
    assert points == [Strategy(CONFIG).ask(i + 1)[i] for i in range(40)]
    strategy.tell(points[0], 1)
    assert strategy.finished
    assert "40 points, 20 around each of 2 of the configuration" in describe(check(CONFIG))


def test_order() -> None:
    """Shuffled unless told otherwise: the same samples in another order."""
    straight, mixed = (Strategy(changed(shuffle=shuffle)).ask(40) for shuffle in (False, True))
    assert straight != mixed
    assert sorted(map(str, straight)) == sorted(map(str, mixed))


def test_constraints_and_fixed_values() -> None:
    """Samples keep constraints; fixed values can't be honoured."""
    config = {**changed(window=[5, 0, 0, 0]), "constraints": {"c": "level + k <= 18"}}
    strategy = Strategy(config)
    points = strategy.ask(40)
    assert all(point["level"] + point["k"] <= 18 for point in points)
    with pytest.raises(FechnerError) as caught:
        strategy.ask(fixed={"ear": "left"})
    assert "SampleAroundPointsGenerator" in caught.value.detail


def test_pairs() -> None:
    """Each stimulus around its own."""
    config = changed(points=[[[1, 8], [2, 2], ["left", "right"], [1, 5]]], window=[1, 0, 0, 0])
    config["common"] = {**config["common"], "stimuli_per_trial": 2}
    for point in Strategy(config).ask(20):
        assert abs(point["level"][0] - 1) <= 1
        assert abs(point["level"][1] - 8) <= 1
        assert point["ear"] == ["left", "right"]


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"window": [1, 1]}, "window"),
        ({"window": [1, 1, 0, "wide"]}, "window"),
        ({"window": [1, -1, 0, 0]}, "window"),
        ({"window": None}, "window"),
        ({"samples_per_point": 0}, "samples_per_point"),
        ({"samples_per_point": None}, "samples_per_point"),
        ({"samples_per_point": 10_000, "points": [[1, 2, "left", 1]] * 11}, "samples_per_point"),
        ({"points": None}, "points"),
    ],
)
def test_keys_that_can_not_be(keys: dict[str, Any], key: str) -> None:
    """Each is one problem at its key."""
    with pytest.raises(ConfigError) as caught:
        check(changed(**keys))
    (problem,) = caught.value.problems
    assert (problem.section, problem.key) == ("SampleAroundPointsGenerator", key)
