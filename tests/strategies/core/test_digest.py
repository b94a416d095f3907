"""Digests and dumps of states: neither leaves a field out."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from fechner.strategies import check
from fechner.strategies.core.digest import LEFT_OUT, digest
from fechner.strategies.core.dumps import dump, load
from fechner.strategies.core.state import Rows, State, initial, tell

CONFIG = """
[common]
parnames = [x]
outcome_types = [binary]
strategy_names = [init, opt]
[x]
par_type = continuous
lower_bound = 0
upper_bound = 1
[init]
generator = SobolGenerator
min_asks = 5
[opt]
generator = OptimizeAcqfGenerator
min_asks = 5
"""
OTHER_X, OTHER_Y = np.array([[[0.25]], [[0.75]]]), np.array([[0.0], [1.0]])

#: Another value of every field that a state is made of.
OTHERS: dict[str, Any] = {
    "specification": check(CONFIG.replace("min_asks = 5", "min_asks = 6")),
    "no_end": "warning",
    "seed": 4,
    "index": 2,
    "stage": 1,
    "asked": 3,
    "stage_asked": 1,
    "stage_repeated": 1,
    "data_version": 7,
    "fit_version": 5,
    "fit_asked": 2,
    "counts": ((0, 2),),
    "post_range": 0.5,
    "finish_sent": True,
    "hyperparameters": {"model": "GPClassificationModel", "mean": 0.25},
    "seed_data": {"opt": (OTHER_X, OTHER_Y)},
    "x": Rows(OTHER_X),
    "y": Rows(OTHER_Y),
    "pending": (np.array([[0.5]]),),
    "queue": (np.array([[0.5]]),),
}
MADE_OF = [one.name for one in fields(State) if one.name not in LEFT_OUT]


@pytest.fixture(scope="module")
def state() -> State:
    """After two outcomes."""
    points = np.array([[[0.5]], [[0.75]]])
    return tell(initial(check(CONFIG), 3), points, np.array([[1.0], [0.0]]))


def test_every_field_has_another_value_here() -> None:
    """A field that a state gets is known to these tests, or left out on purpose."""
    assert set(OTHERS) == set(MADE_OF)
    assert {"space"} == LEFT_OUT


@pytest.mark.parametrize("name", MADE_OF)
def test_every_field_changes_the_digest(state: State, name: str) -> None:
    """Whatever differs, what was computed ahead is for another state."""
    assert digest((replace(state, **{name: OTHERS[name]}), 1, {})) != digest((state, 1, {}))


def test_arguments_change_the_digest(state: State) -> None:
    """So does what is asked for; equal states and arguments have equal digests."""
    asks = [(state, 1, {}), (state, 2, {}), (state, 1, {"x": 0.5}), (state, 1, {"x": 0.25})]
    assert len({digest(one) for one in asks}) == len(asks)
    assert digest((load(dump(state)), 1, {})) == digest((state, 1, {}))


def test_points_do_not_pass_from_one_field_to_the_next(state: State) -> None:
    """A point is pending or queued, and a stage has its seed data: the same numbers elsewhere differ."""
    point = (np.array([[0.5]]),)
    pending, queued = replace(state, pending=point), replace(state, queue=point)
    seeds = (OTHER_X, OTHER_Y)
    of_one, of_other = replace(state, seed_data={"init": seeds}), replace(state, seed_data={"opt": seeds})
    assert len({digest((one, 1, {})) for one in (pending, queued, of_one, of_other)}) == 4


@pytest.mark.parametrize("name", MADE_OF)
def test_every_field_is_dumped(state: State, name: str) -> None:
    """A state read back is the one that was written, whichever field is another one."""
    changes = {name: OTHERS[name]}
    if name in ("counts", "y"):  # which must go together
        changes = {"counts": ((1, 1),), "y": Rows(OTHER_Y)} if name == "y" else {
            "counts": ((0, 2),), "y": Rows(np.ones((2, 1)))
        }  # fmt: skip
    changed = replace(state, **changes)
    assert dump(changed) != dump(state)
    assert digest((load(dump(changed)), 1, {})) == digest((changed, 1, {}))
