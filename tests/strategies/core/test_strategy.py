"""Ask, tell, query and finish."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fechner.strategies import FechnerError, Strategy, check, initial
from fechner.strategies.core.strategy import adopt, ask, needs_model, propose
from fechner.strategies.queries.query import query

HEAD = """
[common]
parnames = [x, y]
outcome_types = [binary]
strategy_names = {stages}
{common}
[x]
par_type = continuous
lower_bound = -1
upper_bound = 1
[y]
par_type = continuous
lower_bound = 0
upper_bound = 10
[OptimizeAcqfGenerator]
acqf = EAVC
[EAVC]
target = 0.75
[init]
generator = SobolGenerator
min_asks = 4
"""
OPT = """
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
{keys}
"""


def config(stages: str = "[init, opt]", keys: str = "min_asks = 4", common: str = "", more: str = "") -> str:
    return HEAD.format(stages=stages, common=common) + OPT.format(keys=keys) + more


def run(strategy: Strategy, n: int) -> list[dict[str, float]]:
    """n trials of a deterministic observer."""
    points = []
    for _ in range(n):
        point = strategy.ask()
        points.append(point)
        strategy.tell(point, int(point["x"] + point["y"] / 10 > 0.4))
    return points


def test_same_configuration_and_seed_give_the_same_asks() -> None:
    """Two strategies of one seed agree to the bit; another seed differs."""
    first, second, other = (run(Strategy(config(), seed), 8) for seed in (3, 3, 4))
    assert first == second
    assert first[0] != other[0]


def test_stages_follow_each_other_with_all_data() -> None:
    """The model stage begins after the first stage's points and sees their outcomes."""
    strategy = Strategy(config(), 1)
    run(strategy, 4)
    assert strategy.state.stage == 0
    assert needs_model(strategy.state)
    run(strategy, 1)
    assert strategy.state.stage == 1
    assert strategy.state.stage_asked == 1
    assert strategy.state.hyperparameters is not None
    assert strategy.state.fit_version == 4


def test_propose_leaves_the_state_alone() -> None:
    """Proposing twice gives the same, and the state is as before."""
    strategy = Strategy(config(), 1)
    run(strategy, 6)
    state = strategy.state
    assert propose(state) == propose(state)
    assert state is strategy.state


def test_generator_seed_overrides_stage_seed_overrides_the_strategys() -> None:
    """The most special seed counts; where one is given the strategy's doesn't matter."""
    generator = config(more="[SobolGenerator]\nseed = 5\n")
    stage = HEAD.format(stages="[init]", common="") + "seed = 5\n"
    a, b = (ask(initial(check(generator), seed))[0] for seed in (1, 2))
    c, d = (ask(initial(check(stage), seed))[0] for seed in (1, 2))
    assert a == b == c == d
    assert ask(initial(check(HEAD.format(stages="[init]", common="")), 1))[0] != a


def test_several_points_are_distinct_and_counted() -> None:
    """n points come at once, differ, and count n towards min_asks."""
    strategy = Strategy(config(), 2)
    run(strategy, 4)
    points = strategy.ask(3)
    assert len({tuple(point.values()) for point in points}) == 3
    assert strategy.state.stage_asked == 3


def test_pending_points_are_not_asked_again() -> None:
    """Asking on without telling explores elsewhere."""
    strategy = Strategy(config(), 2)
    run(strategy, 6)
    first, second = strategy.ask(), strategy.ask()
    assert abs(first["x"] - second["x"]) + abs(first["y"] - second["y"]) / 10 > 1e-3


def test_fixed_values_are_kept_by_every_stage() -> None:
    """A fixed parameter has its value in space-filling and in model points."""
    strategy = Strategy(config(), 2)
    run(strategy, 3)
    assert strategy.ask(fixed={"y": 2.5})["y"] == pytest.approx(2.5, abs=1e-12)
    run(strategy, 3)
    assert needs_model(strategy.state)
    assert strategy.ask(fixed={"y": 2.5})["y"] == pytest.approx(2.5, abs=1e-12)


def test_fixed_values_are_checked() -> None:
    """A misspelt name and a value outside the box are named."""
    strategy = Strategy(config(), 2)
    with pytest.raises(FechnerError) as unknown:
        strategy.ask(fixed={"z": 1})
    with pytest.raises(FechnerError) as outside:
        strategy.ask(fixed={"x": 3})
    assert (unknown.value.code, outside.value.code) == ("unknown_parameter", "out_of_bounds")


def test_manual_points_come_in_order_then_the_stage_ends() -> None:
    """A manual stage hands out its list and refuses fixed values."""
    text = HEAD.format(stages="[man]", common="") + (
        "[man]\ngenerator = ManualGenerator\n"
        "[ManualGenerator]\npoints = [[0, 1], [0.5, 2]]\nshuffle = False\n"
    )
    strategy = Strategy(text, 0)
    with pytest.raises(FechnerError, match="can't honour"):
        strategy.ask(fixed={"x": 0})
    points = run(strategy, 2)
    assert [point["y"] for point in points] == pytest.approx([1, 2])
    assert strategy.finished == "all 2 points asked"
    assert strategy.ask()["y"] == pytest.approx(1), "asks beyond the end begin another round"


def test_shuffled_manual_points_are_all_handed_out_once() -> None:
    """Shuffling changes the order only, and a seed fixes it."""
    points = ", ".join(f"[0, {i}]" for i in range(8))
    text = HEAD.format(stages="[man]", common="") + (
        f"[man]\ngenerator = ManualGenerator\n[ManualGenerator]\npoints = [{points}]\n"
    )
    ys = [round(p["y"]) for p in run(Strategy(text, 0), 8)]
    assert sorted(ys) == list(range(8))
    assert ys != list(range(8))
    assert ys == [round(p["y"]) for p in run(Strategy(text, 0), 8)]


def test_max_asks_caps_several_points() -> None:
    """A stage hands out no more than its max_asks at once."""
    text = HEAD.format(stages="[init]", common="").replace("min_asks = 4", "max_asks = 3")
    points, state = ask(initial(check(text), 0), 10)
    assert len(points) == 3
    assert state.stage_asked == 3


def test_refit_every_keeps_hyperparameters_between_refits() -> None:
    """Between refits the data are conditioned on with the old hyperparameters."""
    strategy = Strategy(config(keys="min_asks = 20\nrefit_every = 4"), 1)
    run(strategy, 5)
    seen = []
    for _ in range(8):
        run(strategy, 1)
        seen.append(strategy.state.fit_asked)
    assert seen == [4, 4, 4, 8, 8, 8, 8, 12]


def test_random_generator_gives_new_points_each_time() -> None:
    """Random points are keyed by what was handed out before."""
    text = HEAD.format(stages="[init]", common="").replace("SobolGenerator", "RandomGenerator")
    points = run(Strategy(text, 0), 4)
    assert len({point["x"] for point in points}) == 4
    assert points == run(Strategy(text, 0), 4)


def test_a_model_stage_without_data_fills_space() -> None:
    """With nothing told a model stage says that it filled space."""
    state = initial(check(config(stages="[opt]")), 0)
    assert not needs_model(state)
    proposal = propose(state)
    assert proposal["tier"] == "space_filling"
    assert adopt(state, proposal).stage_asked == 1


def test_queries_need_a_model_and_data() -> None:
    """No model and no data are named; with both the answer comes and changes nothing."""
    with pytest.raises(FechnerError) as none:
        query(initial(check(config()), 0), {"query": "max"})
    with pytest.raises(FechnerError) as empty:
        query(initial(check(config(stages="[opt]")), 0), {"query": "max"})
    assert (none.value.code, empty.value.code) == ("no_model", "not_enough_data")
    strategy = Strategy(config(), 1)
    run(strategy, 8)
    before = strategy.state
    answer = strategy.query("max")
    assert strategy.state is before
    assert answer == strategy.query("max")
    assert answer["lower"][0] <= answer["y"][0] <= answer["upper"][0]


def test_keep_most_recent_limits_what_the_model_sees() -> None:
    """With keep_most_recent the model's rows are the newest ones."""
    strategy = Strategy(config(keys="min_asks = 9\nkeep_most_recent = 3"), 1)
    run(strategy, 7)
    x, y = strategy.state.modelled()
    assert len(x) == len(y) == 3
    np.testing.assert_array_equal(x, strategy.state.x.array[-3:])


def test_wrong_outcomes_change_nothing() -> None:
    """A bad outcome is refused before anything changes."""
    strategy = Strategy(config(), 1)
    point = strategy.ask()
    before = strategy.state
    for outcome in (2, "yes", None, float("nan"), [0, 1], {"other": 1}):
        with pytest.raises(FechnerError) as error:
            strategy.tell(point, outcome)
        assert error.value.code == "bad_outcome"
    assert strategy.state is before


def test_a_told_point_is_the_one_that_was_asked_to_the_last_bit() -> None:
    """On a log scale a raw value may encode to a neighbouring float; it is told all the same."""
    text = (
        "[common]\nparnames = [a, b]\noutcome_types = [binary]\nstrategy_names = [s]\n"
        "[a]\npar_type = continuous\nlower_bound = 0.25\nupper_bound = 8\nscale = log\n"
        "[b]\npar_type = continuous\nlower_bound = -20\nupper_bound = 120\n"
        "[s]\ngenerator = SobolGenerator\nmin_asks = 3000\n"
    )
    strategy = Strategy(text, 0)
    for _ in range(60):
        points, asked = strategy.ask(50), strategy.state.pending
        for point in points:
            strategy.tell(point, 1)
        assert strategy.state.pending == ()
        assert (strategy.data[0][-50:] == asked).all()


def test_numpy_s_numbers_and_arrays_stand_for_plain_ones() -> None:
    """As outcomes, values, numbers of points, constraints and points of queries."""
    ours, plain = Strategy(NOTEBOOK, seed=np.int64(1)), Strategy(NOTEBOOK, seed=1)
    for k in range(4):
        fixed = {"a": 0.25} if k == 3 else None
        points = plain.ask(2, fixed)
        assert ours.ask(np.int64(2), None if fixed is None else {"a": np.float32(0.25)}) == points
        for point, seen in zip(points, (np.True_, np.int64(0)), strict=True):
            ours.tell({name: np.array(value) for name, value in point.items()}, seen)
            plain.tell(point, int(seen))
    assert all(np.array_equal(one, other) for one, other in zip(ours.data, plain.data, strict=True))
    ours.tell({"a": 0.1, "b": 0.2}, np.array([1]))
    plain.tell({"a": 0.1, "b": 0.2}, 1)
    for strategy in (ours, plain):
        strategy.finish()
    found = ours.query("prediction", x={"a": np.array([0.1, 0.2]), "b": np.array([0.3, 0.4])})
    assert found == plain.query("prediction", x={"a": [0.1, 0.2], "b": [0.3, 0.4]})
    found = ours.query("max", constraints={"a": np.array([0.2, 0.4])})
    assert found == plain.query("max", constraints={"a": [0.2, 0.4]})


@pytest.mark.parametrize("n", [0, -1, 1.5, "2"])
def test_a_number_of_points_is_whole_and_positive(n: Any) -> None:
    """Anything else is told before anything changes."""
    strategy = Strategy(NOTEBOOK)
    before = strategy.state
    with pytest.raises(FechnerError) as caught:
        strategy.ask(n)
    assert (caught.value.code, caught.value.where) == ("bad_value", "n")
    assert strategy.state is before


def test_what_is_no_mapping_or_seed_is_told() -> None:
    """By the name of the argument."""
    strategy = Strategy(NOTEBOOK)
    for act, where in (
        (lambda: strategy.tell([0.1, 0.2], 1), "point"),  # type: ignore[arg-type]
        (lambda: strategy.ask(fixed="a"), "fixed"),  # type: ignore[arg-type]
        (lambda: Strategy(NOTEBOOK, seed="x"), "seed"),  # type: ignore[arg-type]
        (lambda: Strategy(NOTEBOOK, seed=-1), "seed"),
    ):
        with pytest.raises(FechnerError) as caught:
            act()
        assert (caught.value.code, caught.value.where) == ("bad_value", where)


NOTEBOOK: dict[str, dict[str, Any]] = {
    "common": {"parnames": ["a", "b"], "outcome_types": ["binary"], "strategy_names": ["init", "opt"]},
    "a": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
    "b": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
    "init": {"generator": "SobolGenerator", "min_asks": 100},
    "opt": {"generator": "OptimizeAcqfGenerator", "model": "GPClassificationModel", "min_asks": 5},
}
