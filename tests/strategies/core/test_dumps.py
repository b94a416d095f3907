"""States as bytes: written, read back, and refused where they are damaged."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest

from fechner.strategies import check
from fechner.strategies.core.dumps import dump, load
from fechner.strategies.core.state import State, initial, tell
from fechner.strategies.core.strategy import adopt, propose
from fechner.strategies.errors import ConfigError

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


def told(n: int) -> State:
    """A state with n Sobol trials told."""
    state = initial(check(CONFIG), 1)
    for i in range(n):
        state = adopt(state, propose(state))
        state = tell(state, np.array(state.pending), np.array([[float(i % 2)]]))
    return state


def changed(**changes: Any) -> bytes:
    """A dump of which fields of the text, or arrays, are others (None: left out)."""
    with np.load(io.BytesIO(dump(told(2)))) as archive:
        arrays = dict(archive)
    plain = json.loads(arrays["state"].tobytes())
    for name, value in changes.items():
        where = arrays if name in arrays else plain
        where[name] = value
        if value is None:
            del where[name]
    arrays["state"] = np.frombuffer(json.dumps(plain).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize("n", [0, 3, 7])
def test_dump_and_load_give_the_same_next_asks(n: int) -> None:
    """A state read back proposes bit for bit what the original does."""
    state = told(n)
    again = load(dump(state))
    for _ in range(2):
        left, right = propose(state), propose(again)
        assert left == right
        state, again = adopt(state, left), adopt(again, right)
    np.testing.assert_array_equal(state.x.array, again.x.array)
    assert (state.counts, state.asked, state.stage) == (again.counts, again.asked, again.stage)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x04N.", b"x" * 100])
def test_load_refuses_what_is_no_dump(data: bytes) -> None:
    """Other bytes, a pickle among them, give one clear error."""
    with pytest.raises(ValueError, match="not the dump of a state"):
        load(data)


def test_load_refuses_newer_dumps() -> None:
    """A dump of a later version says so."""
    with pytest.raises(ValueError, match="newer version"):
        load(changed(version=3, more="of it"))


@pytest.mark.parametrize(
    "changes",
    [
        *({"version": None}, {"version": "2"}, {"source": None}, {"no_end": "x"}, {"more": 1}, {"seed": -1}),
        *({"stage": 2}, {"asked": 1.5}, {"asked": True}, {"finish_sent": 0}, {"hyperparameters": [1]}),
        *({"post_range": "x"}, {"counts": [[2, 0]]}, {"counts": [1]}, {"counts": None}, {"seeded": ["x"]}),
        *({"seeded": ["opt"]}, {"x": None}, {"x": np.zeros(2)}, {"x": np.zeros((3, 1, 2))}),
        *({"x": np.full((2, 1, 2), np.nan)}, {"x": np.zeros((2, 1, 2), dtype=complex)}),
        *({"y": np.array([[0.0], [2.0]])}, {"y": np.array([[0.5], [1.0]])}, {"y": np.zeros((2, 2))}),
        *({"pending": np.zeros((1, 2))}, {"queue": np.zeros(())}, {"pending": np.zeros((1, 2, 2))}),
    ],
)
def test_load_refuses_what_is_damaged(changes: dict[str, Any]) -> None:
    """Whatever doesn't fit together gives the same error, and no state that fails later."""
    with pytest.raises(ValueError, match="not the dump of a state"):
        load(changed(**changes))


def test_load_names_what_is_wrong_with_a_configuration() -> None:
    """One that can't be used any more is not a damaged dump."""
    with pytest.raises(ConfigError, match="parnames"):
        load(changed(source=CONFIG.replace("parnames", "names")))
