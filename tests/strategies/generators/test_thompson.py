"""MonotonicThompsonSamplerGenerator: where a drawn curve crosses the target."""

from typing import Any

import numpy as np
import pytest

from fechner.strategies import Strategy
from fechner.strategies.errors import FechnerError
from fechner.strategies.numerics.normal import ndtr

CONFIG = {
    "common": {"parnames": ["level"], "outcome_types": ["binary"], "strategy_names": ["explore", "refine"]},
    "level": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 80},
    "explore": {"generator": "SobolGenerator", "min_asks": 4},
    "refine": {"generator": "MonotonicThompsonSamplerGenerator", "min_asks": 20},
    "MonotonicThompsonSamplerGenerator": {"num_ts_points": 200, "n_samples": 1, "n_rejection_samples": 500},
}


def run(more: dict[str, Any], trials: int = 24) -> Strategy:
    """A strategy with so many trials of an observer behind it."""
    strategy = Strategy({**CONFIG, **more}, seed=1)
    random = np.random.default_rng(1)
    for _ in range(trials):
        point = strategy.ask()
        strategy.tell(point, int(random.uniform() < ndtr((point["level"] - 30) / 6)))
    return strategy


def test_points_gather_at_the_target() -> None:
    """Of the monotone model, by default; they differ, and are the same again."""
    strategy = run({})
    model = strategy.state.specification.stages[1].model
    assert model is not None
    assert model.name == "MonotonicProjectionGP"
    levels = 80 * strategy.data[0][10:, 0, 0]
    assert abs(np.median(levels) - 34.0) < 6.0  # 75 %
    assert len(np.unique(levels.round(3))) > 5
    points = strategy.ask(3)
    assert len({point["level"] for point in points}) == 3
    assert run({}).ask(3) == points


def test_keys_without_a_meaning_here_are_accepted() -> None:
    """n_samples and n_rejection_samples say how another model is sampled."""
    warned = [(one.section, one.key) for one in Strategy(CONFIG).state.specification.warnings]
    assert ("MonotonicThompsonSamplerGenerator", "n_rejection_samples") not in warned


def test_target_and_objective() -> None:
    """A higher target gives higher levels; an objective's guess rate lowers them."""
    section = CONFIG["MonotonicThompsonSamplerGenerator"]
    of = {}
    for name, keys in {
        "high": {"target_value": 0.95},
        "low": {"target_value": 0.2},
        "guessed": {"target_value": 0.75, "objective": "FloorProbitObjective"},
    }.items():
        of[name] = np.median(
            run({"MonotonicThompsonSamplerGenerator": {**section, **keys}}).data[0][10:, 0, 0]
        )
    assert of["low"] < of["guessed"] < of["high"]
    assert abs(80 * of["guessed"] - 30.0) < 6.0  # half of the way from the guess rate up


def test_fixed_values_constraints_and_levels() -> None:
    """Are honoured."""
    more = {
        "common": {**CONFIG["common"], "parnames": ["level", "ear"]},
        "ear": {"par_type": "categorical", "choices": ["left", "right"]},
        "level": {"par_type": "integer", "lower_bound": 0, "upper_bound": 80},
        "MonotonicProjectionGP": {"monotonic_dims": "level"},
        "constraints": {"c1": "level <= 25"},
    }
    strategy = run(more, 6)
    point = strategy.ask(fixed={"ear": "right"})
    assert point["ear"] == "right"
    assert isinstance(point["level"], int)
    assert point["level"] <= 25
    with pytest.raises(FechnerError):
        strategy.ask(fixed={"level": 40})
