"""Where constraints allow asks: every generator stays inside, also with fixed values and pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fechner.strategies import Strategy
from fechner.strategies.config import check
from fechner.strategies.errors import FechnerError
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.space.parameters import space
from fechner.strategies.space.region import broken, filled, inside

CONFIG: dict[str, dict[str, Any]] = {
    "common": {
        "parnames": ["a", "tone", "k", "ear", "step"],
        "outcome_types": "binary",
        "strategy_names": ["fill", "opt"],
        "target": 0.75,
    },
    "a": {"par_type": "continuous", "lower_bound": -1, "upper_bound": 1},
    "tone": {"par_type": "continuous", "lower_bound": 0.25, "upper_bound": 8, "log_scale": True},
    "k": {"par_type": "integer", "lower_bound": 1, "upper_bound": 5},
    "ear": {"par_type": "categorical", "choices": ["left", "right", "both"]},
    "step": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1, "step": 0.1},
    "constraints": {
        "sum": "a + 0.25*tone <= 0.6",
        "forbidden": "k > 2 and ear == both",
        "forbidden_low": "step < 0.3 and a < 0",
    },
    "fill": {"generator": "SobolGenerator", "min_asks": 10},
    "opt": {"generator": "OptimizeAcqfGenerator", "min_asks": 5},
    "OptimizeAcqfGenerator": {"samps": 128, "restarts": 2},
}


def allowed(point: dict[str, Any]) -> bool:
    """The constraints, written out."""
    return (
        point["a"] + 0.25 * point["tone"] <= 0.6 + 1e-9
        and not (point["k"] > 2 and point["ear"] == "both")
        and not (point["step"] < 0.3 - 1e-9 and point["a"] < 0)
    )


def specification(**changes: Any) -> Any:
    return check({**CONFIG, **changes})


SPACE = space(specification().parameters, specification().constraints)


@given(st.lists(st.floats(0.0, 1.0), min_size=5, max_size=5))
@settings(max_examples=200)
def test_points_are_judged_by_what_they_stand_for(unit: list[float]) -> None:
    """Inside is what the raw values of the point, as it is asked, say; for many points and for one alike."""
    row = SPACE.displayed(np.array([unit]))
    shown = SPACE.decode(row[0])
    edge = min(abs(shown["a"] + 0.25 * shown["tone"] - 0.6), abs(shown["a"]))
    if edge > 1e-6:
        assert bool(inside(SPACE, row)[0]) is allowed(shown)
        assert bool(inside(SPACE, np.array([unit]))[0]) is allowed(shown)
        assert (broken(SPACE, shown) is None) is allowed(shown)


def test_sequences_of_allowed_points() -> None:
    """All inside, those of one request as those of several; some are left out; fixed values hold."""
    whole = filled(SPACE, sobol, 5, 1, 0, 300)
    assert inside(SPACE, whole[:, 0]).all()
    parts = [filled(SPACE, sobol, 5, 1, first, 60) for first in range(0, 300, 60)]
    assert np.array_equal(whole, np.concatenate(parts))
    assert len(np.unique(whole[:, 0], axis=0)) == 300
    held = filled(SPACE, sobol, 5, 2, 0, 20, {3: float(SPACE.levels(3)[2])})
    assert held.shape == (20, 2, 5)
    assert all(inside(SPACE, held[:, stimulus]).all() for stimulus in (0, 1))
    assert not len(filled(SPACE, sobol, 5, 1, 0, 3, {0: 1.0}))


@pytest.mark.parametrize("generator", ["SobolGenerator", "RandomGenerator"])
def test_asks_stay_inside(generator: str) -> None:
    """Of space-filling stages and of acquisition functions, by one and by many, with fixed values."""
    changed = specification(fill={"generator": generator, "min_asks": 10})
    strategy = Strategy(changed.source, seed=2)
    for _ in range(15):
        point = strategy.ask()
        assert allowed(point), point
        strategy.tell(point, int(point["a"] + point["step"] > 0.3))
    for point in strategy.ask(3, fixed={"ear": "both"}):
        assert allowed(point), point
        assert point["ear"] == "both"
    with pytest.raises(FechnerError) as caught:
        strategy.ask(fixed={"ear": "both", "k": 4})
    assert (caught.value.code, caught.value.where) == ("bad_value", "message.fixed")


@pytest.mark.parametrize("acqf", ["AnalyticExpectedUtilityOfBestOption", "qNoisyExpectedImprovement"])
def test_pairs_stay_inside(acqf: str) -> None:
    """Both stimuli of every pair."""
    config = {
        **CONFIG,
        "common": {**CONFIG["common"], "stimuli_per_trial": 2},
        "OptimizeAcqfGenerator": {"samps": 128, "restarts": 2, "acqf": acqf},
    }
    strategy = Strategy(config, seed=2)
    for _ in range(13):
        pair = strategy.ask()
        for stimulus in (0, 1):
            assert allowed({name: values[stimulus] for name, values in pair.items()}), pair
        strategy.tell(pair, int(pair["a"][1] > pair["a"][0]))


def test_the_best_allowed_point_is_found() -> None:
    """Straddle's optimum lies outside; the ask is as good as the best of many allowed points."""
    text = {
        "common": {"parnames": ["a", "b"], "outcome_types": "continuous", "strategy_names": ["opt"]},
        "a": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "b": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "constraints": {"c1": "a + b <= 0.8", "forbidden": "a < 0.3 and b < 0.3"},
        "opt": {"min_asks": 100},
    }
    strategy = Strategy(text, seed=1)
    for a, b in sobol(3, 2, 0, 12):
        strategy.tell({"a": float(a), "b": float(b)}, float(a + b))
    point = strategy.ask()
    assert point["a"] + point["b"] == pytest.approx(0.8, abs=0.05)
    assert point["a"] + point["b"] <= 0.8 + 1e-9
