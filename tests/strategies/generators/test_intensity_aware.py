"""IntensityAwareSemiPGenerator: the context first, then the intensity."""

from typing import Any

import numpy as np
import pytest

from fechner.strategies import Strategy
from fechner.strategies.acquisition.level_set import information
from fechner.strategies.models import posterior
from fechner.strategies.numerics.normal import ndtr

CONFIG = {
    "common": {
        "parnames": ["pitch", "level", "ear"],
        "outcome_types": ["binary"],
        "strategy_names": ["explore", "refine"],
    },
    "pitch": {"par_type": "continuous", "lower_bound": -2, "upper_bound": 3},
    "level": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 80},
    "ear": {"par_type": "fixed", "value": 1},
    "explore": {"generator": "SobolGenerator", "min_asks": 6},
    "refine": {"generator": "IntensityAwareSemiPGenerator", "min_asks": 10},
    "IntensityAwareSemiPGenerator": {"samps": 256},
    "SemiParametricGPModel": {"stim_dim": "level"},
}


def run(more: dict[str, Any], trials: int = 16, seed: int = 1) -> Strategy:
    """A strategy with so many trials of an observer behind it."""
    strategy = Strategy({**CONFIG, **more}, seed=seed)
    random = np.random.default_rng(seed)
    for _ in range(trials):
        point = strategy.ask()
        heard = ndtr((point["level"] - 30 - 4 * point["pitch"]) / 6)
        strategy.tell(point, int(random.uniform() < heard))
    return strategy


def test_the_intensity_is_the_most_informative_one() -> None:
    """At the context chosen no other intensity tells more, and asks are the same again."""
    strategy, other = run({}), run({})
    point = strategy.ask()
    assert other.ask() == point
    model = strategy.state.specification.stages[1].model
    assert model is not None
    assert model.name == "SemiParametricGPModel"
    x, y = strategy.data
    core = posterior(model, x[:, 0], y[:, 0], strategy.state.hyperparameters or {})
    line = np.column_stack([np.full(201, (point["pitch"] + 2) / 5), np.linspace(0, 1, 201)])
    told = information(core)(*core.latent(line))
    assert abs(line[int(np.argmax(told)), 1] * 80 - point["level"]) < 0.5


def test_contexts_are_spread() -> None:
    """Ten adaptive trials see low, middle and high pitch."""
    pitch = run({}).data[0][6:, 0, 0]
    assert pitch.min() < 0.2
    assert pitch.max() > 0.8
    assert len(np.unique(pitch.round(1))) >= 3


@pytest.mark.parametrize("fixed", [{"pitch": 1.0}, {"level": 20.0}, {"pitch": 0.0, "level": 33.0}])
def test_fixed_values_are_honoured(fixed: dict[str, float]) -> None:
    """Of context, intensity, or both."""
    point = run({}, 8).ask(fixed=fixed)
    assert {name: point[name] for name in fixed} == pytest.approx(fixed)


def test_several_points_differ() -> None:
    """Those of one ask take each other into account."""
    points = run({}, 8).ask(3)
    assert len({(round(p["pitch"], 2), round(p["level"], 1)) for p in points}) == 3


def test_constraints_hold_for_context_and_intensity() -> None:
    """And levels do."""
    more = {
        "constraints": {"c1": "level <= 20 + 4*pitch"},
        "level": {"par_type": "integer", "lower_bound": 0, "upper_bound": 80},
    }
    strategy = run(more, 8)
    for _ in range(3):
        point = strategy.ask()
        assert isinstance(point["level"], int)
        assert point["level"] <= 20 + 4 * point["pitch"] + 1e-6
        strategy.tell(point, 1)


def test_the_probability_as_context_objective() -> None:
    """SemiPProbabilityObjective, another function for the intensity, and the product's process."""
    more = {
        "refine": {**CONFIG["refine"], "model": "HadamardSemiPModel"},
        "HadamardSemiPModel": {"stim_dim": "level"},
        "IntensityAwareSemiPGenerator": {
            "samps": 128,
            "context_objective": "SemiPProbabilityObjective",
            "acqf": "MCPosteriorVariance",
        },
    }
    point = run(more, 10).ask()
    assert 0 <= point["level"] <= 80


def test_without_any_context() -> None:
    """The intensity alone is chosen, near the threshold."""
    more = {"common": {**CONFIG["common"], "parnames": ["level"]}}
    strategy = Strategy({**CONFIG, **more}, seed=1)
    for _ in range(12):
        point = strategy.ask()
        strategy.tell(point, int(point["level"] > 30))
    assert abs(strategy.ask()["level"] - 30) < 15
