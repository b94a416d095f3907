"""When a stage and a strategy are finished, and what remains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fechner.strategies import check, finish, initial
from fechner.strategies.core.sequential import advance
from fechner.strategies.core.state import State, tell
from fechner.strategies.core.stopping import finished, finished_after, remaining, stage_finished
from fechner.strategies.core.strategy import adopt, propose

BASE = """
[common]
parnames = [x]
outcome_types = [{outcome}]
strategy_names = [{names}]
[x]
par_type = continuous
lower_bound = 0
upper_bound = 1
"""


def state_of(outcome: str = "binary", **stages: str) -> State:
    text = BASE.format(outcome=outcome, names=", ".join(stages))
    for name, keys in stages.items():
        text += f"[{name}]\ngenerator = SobolGenerator\n{keys}\n"
    return initial(check(text, no_end="warning"), 0)


def run(state: State, outcomes: list[float]) -> State:
    """Ask and tell each outcome."""
    for outcome in outcomes:
        state = adopt(state, propose(state))
        state = tell(state, np.array(state.pending[-1:]), np.array([[outcome]]))
    return state


def test_max_asks_ends_a_stage_at_once() -> None:
    """max_asks counts points handed out, told or not."""
    state = state_of(a="max_asks = 2")
    state = adopt(state, propose(state, 2))
    assert stage_finished(state) == "max_asks 2"


def test_minimum_rules_hold_together() -> None:
    """min_asks alone is not enough: each level of a binary outcome occurs at least once by default."""
    state = run(state_of(a="min_asks = 3"), [0, 0, 0])
    assert stage_finished(state) is None
    assert stage_finished(run(state, [1])) == "min_asks 3"


def test_min_asks_waits_for_a_tell() -> None:
    """Handing out points alone ends no stage without max_asks."""
    state = state_of(a="min_asks = 2\nmin_total_outcome_occurrences = 0")
    state = adopt(state, propose(state, 2))
    assert stage_finished(state) is None
    assert stage_finished(tell(state, np.array(state.pending[:1]), np.array([[1.0]]))) == "min_asks 2"


def test_min_total_tells_counts_all_data() -> None:
    """Tells of earlier stages count."""
    state = run(state_of(a="min_asks = 2", b="min_total_tells = 3"), [0, 1])
    state = advance(state)
    assert state.stage == 1
    assert stage_finished(run(state, [1])) == "min_total_tells 3"


def test_continuous_outcomes_need_no_occurrences() -> None:
    """A continuous outcome's levels are not counted."""
    assert stage_finished(run(state_of("continuous", a="min_asks = 1"), [0.3])) == "min_asks 1"


def test_run_indefinitely_ends_by_finish_strategy_only() -> None:
    """Nothing but finish_strategy ends it."""
    state = run(state_of(a="min_asks = 1\nrun_indefinitely = True"), [0, 1, 0])
    assert stage_finished(state) is None
    assert remaining(state) is None
    assert stage_finished(finish(state)) == "finish_strategy"


def test_min_post_range_waits_for_the_posterior() -> None:
    """The rule holds once the last ask's posterior spans the range."""
    text = BASE.format(outcome="binary", names="a") + (
        "[a]\ngenerator = OptimizeAcqfGenerator\nmodel = GPClassificationModel\nmin_asks = 1\n"
        "min_post_range = 0.3\n[OptimizeAcqfGenerator]\nacqf = MCLevelSetEstimation\n"
    )
    state = run(initial(check(text), 0), [0, 1])
    assert stage_finished(replace(state, post_range=0.2)) is None
    assert stage_finished(replace(state, post_range=None)) is None
    assert "min_post_range 0.3" in (stage_finished(replace(state, post_range=0.4)) or "")


def test_the_next_stage_begins_at_the_next_ask() -> None:
    """A finished stage stays current until something is asked, and its counters start anew."""
    state = run(state_of(a="min_asks = 2", b="min_asks = 5"), [0, 1])
    assert state.stage == 0
    state = adopt(state, propose(state))
    assert (state.stage, state.stage_asked, state.asked) == (1, 1, 3)


def test_finish_strategy_ends_only_the_stage_it_was_sent_in() -> None:
    """The stage after it goes on by its own rules."""
    state = finish(run(state_of(a="min_asks = 9", b="min_asks = 9"), [0]))
    state = adopt(state, propose(state))
    assert state.stage == 1
    assert stage_finished(state) is None


def test_finished_means_the_last_stage() -> None:
    """A strategy is finished with its last stage."""
    state = run(state_of(a="min_asks = 1", b="min_asks = 1"), [0, 1])
    assert finished(state) is None
    assert finished(run(state, [0])) == "min_asks 1"


@pytest.mark.parametrize("outcomes", [[1.0], [0.0, 1.0]])
def test_finished_after_agrees_with_telling(outcomes: list[float]) -> None:
    """Looking ahead says what telling would."""
    state = run(state_of(a="min_asks = 2"), [0, 0])
    told = tell(state, np.full((len(outcomes), 1, 1), 0.5), np.array(outcomes)[:, None])
    assert finished_after(state, np.array(outcomes)[:, None]) == finished(told)
    assert len(state.y) == 2


def test_remaining_counts_this_and_later_stages() -> None:
    """Points still to be asked, by the counting rules."""
    state = state_of(a="min_asks = 3", b="max_asks = 4", c="min_total_tells = 10")
    assert remaining(state) == 10
    state = run(state, [0, 1])
    assert remaining(state) == 8
    assert remaining(state_of(a="min_total_outcome_occurrences = 2")) is None


@pytest.mark.parametrize(
    ("types", "told", "done"),
    [
        (["binary", "continuous"], [[1, 2.0], [1, 3.0]], False),
        (["binary", "continuous"], [[1, 2.0], [0, 3.0]], True),
        (["binary", "ordinal"], [[1, 0], [0, 0]], True),
        (["ordinal", "continuous"], [[0, 0.5], [0, 0.5]], True),
    ],
)
def test_several_outcomes_wait_for_both_values_of_the_binary_ones(
    types: list[str], told: list[list[float]], done: bool
) -> None:
    """Levels of ordinal outcomes needn't all occur for a stage to end, values of binary ones do."""
    state = state_of(", ".join(types), a="min_asks = 2")
    for row in told:
        state = adopt(state, propose(state))
        state = tell(state, np.array(state.pending[-1:]), np.array([row]))
    assert (stage_finished(state) is not None) is done
