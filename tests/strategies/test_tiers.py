"""Tiers: fixed amounts of work, the same alone as on the way to a complete answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fechner.strategies.config import check
from fechner.strategies.core.state import State, initial, tell
from fechner.strategies.core.strategy import adopt, propose
from fechner.strategies.tiers import CUT_SHORT, PREVIOUS_FIT, SCAN, SPACE_FILLING_TIER

Config = dict[str, dict[str, Any]]


def config(outcomes: tuple[str, ...] = ("binary",), stimuli: int = 1, **opt: Any) -> Config:
    """Two parameters and a stage with a model."""
    box = {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1}
    return {
        "common": {
            "parnames": ["a", "b"],
            "outcome_types": list(outcomes),
            "stimuli_per_trial": stimuli,
            "strategy_names": ["opt"],
        },
        "a": dict(box),
        "b": dict(box),
        "opt": {"run_indefinitely": True, **opt},
        "OptimizeAcqfGenerator": {"acqf": "MCLevelSetEstimation", "samps": 300},
    }


ONE = config(generator="OptimizeAcqfGenerator", model="GPClassificationModel")
PAIRS = config(stimuli=2, generator="OptimizeAcqfGenerator", model="PairwiseProbitModel")
PAIRS["OptimizeAcqfGenerator"]["acqf"] = "AnalyticExpectedUtilityOfBestOption"
SEVERAL = config(("binary", "continuous"))
GREEDY = config(generator="EpsilonGreedyGenerator", model="GPClassificationModel")
GREEDY["EpsilonGreedyGenerator"] = {"subgenerator": "OptimizeAcqfGenerator", "epsilon": 0.3}
RANGED = {**ONE, "opt": {**ONE["opt"], "run_indefinitely": False, "min_asks": 90, "min_post_range": 0.9}}
LEVELS = {**ONE, "a": {"par_type": "integer", "lower_bound": 0, "upper_bound": 5}}
LIMITED = {**ONE, "constraints": {"c": "a + b <= 1.2"}}
GRID = config(generator="AcqfGridSearchGenerator", model="GPClassificationModel")
GRID["AcqfGridSearchGenerator"] = {"acqf": "MCLevelSetEstimation", "samps": 300}
ALL = {
    "one": ONE,
    "pairs": PAIRS,
    "several": SEVERAL,
    "greedy": GREEDY,
    "ranged": RANGED,
    "levels": LEVELS,
    "limited": LIMITED,
    "grid": GRID,
}


def begun(config: Config, trials: int = 6) -> State:
    """A state after some trials of which the last came after the last fit."""
    state = initial(check(config), 7)
    for trial in range(trials):
        proposal = propose(state)
        state = adopt(state, proposal)
        points = np.array(proposal["points"])
        outcomes = [float(trial % 2), float(points[0, 0, 1])][: len(state.specification.outcomes)]
        state = tell(state, points, np.array([outcomes]), list(points))
    return state


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", ALL)
def test_a_tier_alone_is_the_one_emitted(name: str, n: int) -> None:
    """To the last bit, and so is the complete answer: that is what makes deadlines replay."""
    state = begun(ALL[name])
    emitted: list[dict[str, Any]] = []
    whole = propose(state, n, emit=emitted.append)
    assert whole == propose(state, n)
    tiers = [one["tier"] for one in emitted]
    assert tiers == [PREVIOUS_FIT, SCAN] or (name == "greedy" and tiers == ["generator"] * 2)
    for one in emitted:
        assert len(one["points"]) == n
        assert one == propose(state, n, tier=one["tier"])
        adopt(state, one)


def test_a_scan_comes_before_what_is_refined() -> None:
    """With the new fit; the previous one has neither a fit nor many candidates."""
    state = begun(ONE)
    emitted: list[dict[str, Any]] = []
    whole = propose(state, emit=emitted.append)
    previous, scan = emitted
    assert (previous["tier"], scan["tier"], whole["tier"]) == (PREVIOUS_FIT, SCAN, "model")
    assert "hyperparameters" not in previous
    assert scan["hyperparameters"] == whole["hyperparameters"]
    assert adopt(state, previous).hyperparameters == state.hyperparameters


def test_before_the_first_fit_the_priors_hyperparameters_serve() -> None:
    """So that a session whose deadlines leave no time for a fit learns from its trials all the same."""
    state = initial(check(ONE), 7)
    points = np.array([[[0.2, 0.2]], [[0.8, 0.8]], [[0.4, 0.6]], [[0.6, 0.4]]])
    state = tell(state, points, np.array([[0.0], [1.0], [0.0], [1.0]]))
    previous = propose(state, tier=PREVIOUS_FIT)
    assert previous["tier"] == PREVIOUS_FIT
    assert "hyperparameters" not in previous
    assert previous["post_sd"][0] > 0


def test_space_filling_needs_no_model() -> None:
    """It is the stage's next Sobol point, another one for every ask."""
    state = begun(ONE)
    first = propose(state, tier=SPACE_FILLING_TIER)
    assert first["tier"] == SPACE_FILLING_TIER
    assert "post_mean" not in first
    second = propose(adopt(state, first), tier=SPACE_FILLING_TIER)
    assert first["points"] != second["points"]


def test_fixed_values_hold_in_every_tier() -> None:
    """The points have them."""
    state = begun(ONE)
    for tier in (*CUT_SHORT, None):
        [[[first, _]]] = propose(state, 1, {"a": 0.25}, tier)["points"]
        assert first == 0.25


def test_points_queued_by_a_skip_stay_first_in_every_tier() -> None:
    """They come again, whatever the time left."""
    from fechner.strategies.core.state import skip

    state = begun(ONE)
    proposal = propose(state)
    state = skip(adopt(state, proposal), np.array(proposal["points"][0]), True)
    emitted: list[dict[str, Any]] = []
    propose(state, 2, emit=emitted.append)
    for one in (*emitted, propose(state, 2, tier=SPACE_FILLING_TIER)):
        assert one["points"][0] == proposal["points"][0]
        assert one["again"] == 1
