"""The state: plain data, growing without copies, written and read back."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fechner.strategies import check
from fechner.strategies.core.state import MOST_PENDING, Rows, State, drop, initial, tell
from fechner.strategies.core.strategy import adopt, propose

CONFIG = """
[common]
parnames = [x, y]
outcome_types = [binary]
strategy_names = [init, opt]
[x]
par_type = continuous
lower_bound = 0
upper_bound = 1
[y]
par_type = continuous
lower_bound = 1
upper_bound = 1000
log_scale = True
[init]
generator = SobolGenerator
min_asks = 5
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 5
[OptimizeAcqfGenerator]
acqf = EAVC
[EAVC]
target = 0.75
"""


def fresh(seed: int = 1) -> State:
    return initial(check(CONFIG), seed)


def told(n: int, seed: int = 1) -> State:
    """A state with n Sobol trials told."""
    state = fresh(seed)
    for i in range(n):
        state = adopt(state, propose(state))
        state = tell(state, np.array(state.pending), np.array([[float(i % 2)]]))
    return state


@given(st.lists(st.integers(0, 5), max_size=12), st.data())
@settings(deadline=None)
def test_rows_never_change_what_earlier_values_show(sizes: list[int], data: st.DataObject) -> None:
    """Appending to any value, also an old one, leaves every other value as it was."""
    values = [Rows.empty(2)]
    copies = [values[0].array.copy()]
    for i, size in enumerate(sizes):
        base = data.draw(st.integers(0, len(values) - 1))
        rows = np.full((size, 2), float(i))
        values.append(values[base].append(rows))
        copies.append(np.vstack([copies[base], rows]))
        for value, copy in zip(values, copies, strict=True):
            np.testing.assert_array_equal(value.array, copy)


def test_rows_grow_without_copying() -> None:
    """A thousand appends allocate a handful of times, not a thousand."""
    rows = Rows.empty(3)
    stores = set()
    for i in range(1000):
        rows = rows.append(np.full((1, 3), float(i)))
        stores.add(id(rows._store.array))
    assert len(stores) < 15
    assert rows.array[:, 0].tolist() == list(range(1000))


def test_rows_are_read_only_and_pickle_only_what_they_show() -> None:
    """A view can't be written to, and spare capacity doesn't travel."""
    rows = Rows.empty(1).append(np.ones((3, 1)))
    with pytest.raises(ValueError, match="read-only"):
        rows.array[0] = 2
    again = pickle.loads(pickle.dumps(rows))  # noqa: S301 (as between our own processes)
    np.testing.assert_array_equal(again.array, rows.array)
    assert len(again._store.array) == 3


def test_tell_counts_levels_and_clears_pending() -> None:
    """A told point leaves the pending ones; its level is counted."""
    state = adopt(fresh(), propose(fresh(), 3))
    after = tell(state, np.array(state.pending[:1]), np.array([[1.0]]))
    assert after.counts == ((0, 1),)
    assert len(after.pending) == 2
    assert len(state.pending) == 3
    assert state.n == 0


def test_tell_of_another_stimulus_clears_the_one_asked() -> None:
    """Where something else was shown, the model sees that, and the asked point is no longer pending."""
    state = adopt(fresh(), propose(fresh()))
    shown = np.full((1, 1, 2), 0.25)
    after = tell(state, shown, np.array([[0.0]]), state.pending)
    assert after.pending == ()
    np.testing.assert_array_equal(after.x.array, shown)


def test_drop_takes_one_of_two_equal_points() -> None:
    """Two trials at one point: dropping one leaves the other."""
    point = np.full((1, 2), 0.5)
    state = fresh()
    state = adopt(state, {"stage": 0, "points": [point.tolist(), point.tolist()]})
    assert len(drop(state, [point]).pending) == 1


def test_pending_points_are_bounded() -> None:
    """Trials that nobody tells don't make the state grow for ever."""
    state = fresh()
    for _ in range(3):
        state = adopt(state, propose(state, 50))
    assert len(state.pending) == MOST_PENDING
    assert state.asked == 150
