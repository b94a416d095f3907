"""Theta as blocks: where each sits, how their priors add up, and what is held."""

import numpy as np
import pytest

from fechner.strategies.models.fitting.priors import LogNormal, Normal
from fechner.strategies.models.fitting.theta import (
    Block,
    Layout,
    LogEvidence,
    Parts,
    joined,
    weigh_nothing,
    weighed_by,
)

ONE = Block("one", np.array([0.5, 1.0]), ((-2.0, 2.0),) * 2, weighed_by(LogNormal(0.0, 1.0).log_density))
TWO = Block("two", np.array([9.0]), ((0.0, 3.0),), weighed_by(Normal(np.array([1.0]), 0.5).log_density), 1.0)
FLAT = Block("flat", np.zeros(1), ((-1.0, 1.0),), weigh_nothing, others=(np.array([0.3]), np.array([0.6])))
LAYOUT = Layout((ONE, TWO, FLAT))


def bowl(parts: Parts) -> LogEvidence:
    """A log evidence with its top where theta is 0.1."""
    away = {name: t - 0.1 for name, t in parts.items()}
    value = -0.5 * float(sum(np.sum(np.square(t)) for t in away.values()))
    return LogEvidence(value, {**{name: -t for name, t in away.items()}, "another": np.ones(3)})


def test_blocks_sit_one_after_the_other() -> None:
    """Splitting and joining are inverses inside the bounds; typical values are moved inside."""
    assert LAYOUT.size == 4
    theta = np.array([0.1, 0.2, 0.3, 0.4])
    parts = LAYOUT.split(theta)
    assert {name: t.tolist() for name, t in parts.items()} == {
        "one": [0.1, 0.2],
        "two": [0.3],
        "flat": [0.4],
    }
    np.testing.assert_array_equal(LAYOUT.join({**parts, "more": np.zeros(2)}), theta)
    np.testing.assert_array_equal(LAYOUT.typical(), [0.5, 1.0, 3.0, 0.0])
    assert LAYOUT.bounds() == [(-2.0, 2.0), (-2.0, 2.0), (0.0, 3.0), (-1.0, 1.0)]


def test_where_searches_begin() -> None:
    """At typical values and aside of them; at the values that a block has for trying."""
    np.testing.assert_array_equal(LAYOUT.cold(), [[0.5, 1.0, 3.0, 0.0], [0.5, 1.0, 3.0, 0.0]])
    np.testing.assert_array_equal(LAYOUT.waves(), [[0.5, 1.0, 3.0, 0.3], [0.5, 1.0, 3.0, 0.6]])


@pytest.mark.parametrize(
    "layout",
    [LAYOUT, Layout((ONE, TWO, FLAT), ("flat", "two", "one")), Layout((joined("both", (ONE, TWO)), FLAT))],
)
def test_the_objective(layout: Layout) -> None:
    """Minus the log posterior density, whose gradient agrees with differences, however blocks are joined."""
    theta, step = np.array([0.3, -0.2, 0.7, 0.5]), 1e-6
    value, gradient = layout.objective(theta, bowl)
    assert value == pytest.approx(-bowl(layout.split(theta)).value - layout.log_prior(theta))
    assert layout.log_prior(theta) == pytest.approx(-0.5 * (0.09 + 0.04) - 0.5 * 0.36)
    for place in range(4):
        shift = step * np.eye(4)[place]
        more, less = (layout.objective(theta + sign * shift, bowl)[0] for sign in (1, -1))
        assert gradient[place] == pytest.approx((more - less) / (2 * step), rel=1e-6)


def test_what_has_no_range_is_held() -> None:
    """There, wherever theta is, and without a slope."""
    held = Block("held", np.array([0.0]), ((2.0, 2.0),), weigh_nothing)
    layout = Layout((held, FLAT))
    assert layout.typical().tolist() == [2.0, 0.0]
    value, gradient = layout.objective(np.array([0.0, 0.5]), bowl)
    assert value == layout.objective(np.array([2.0, 0.5]), bowl)[0]
    assert gradient[0] == 0.0
    assert gradient[1] == pytest.approx(0.4)
