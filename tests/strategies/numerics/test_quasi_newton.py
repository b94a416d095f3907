"""Projected BFGS from several starts at once."""

from typing import Any

import numpy as np

from fechner.strategies.numerics.quasi_newton import minimise

LOWER, UPPER = np.full(2, -2.0), np.full(2, 2.0)


def rosenbrock(x: np.ndarray, _: Any) -> tuple[np.ndarray, np.ndarray]:
    a, b = x[:, 0], x[:, 1]
    value = (1 - a) ** 2 + 100 * (b - a * a) ** 2
    return value, np.stack([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)], axis=1)


def test_every_start_finds_the_minimum() -> None:
    """Rosenbrock's valley from four corners, to six digits."""
    starts = np.array([[-1.5, 1.5], [1.5, -1.5], [0.0, 0.0], [-2.0, -2.0]])
    found = minimise(
        rosenbrock, starts, LOWER, UPPER, inverse_hessians=0.01 * np.eye(2), tolerance=1e-14, evaluations=300
    )
    np.testing.assert_allclose(found.x, np.ones((4, 2)), atol=1e-5)
    assert found.points <= 4 * found.evaluations


def test_a_bound_is_kept_and_left_where_the_slope_turns() -> None:
    """The minimum of a tilted bowl outside the box lies on its edge."""

    def bowl(x: np.ndarray, _: Any) -> tuple[np.ndarray, np.ndarray]:
        away = x - np.array([3.0, 0.5])
        slope = 2 * away + 0.5 * away[:, ::-1]
        return np.sum(away * slope, axis=1) / 2, slope

    found = minimise(bowl, np.array([[2.0, 2.0]]), LOWER, UPPER, inverse_hessians=np.eye(2), tolerance=1e-14)
    np.testing.assert_allclose(found.x, [[2.0, 0.75]], atol=1e-6)


def test_each_start_goes_its_own_way() -> None:
    """A start's end doesn't depend on its company."""
    starts = np.array([[-1.5, 1.5], [1.5, -1.5], [0.3, 0.0]])
    settings: dict[str, Any] = {"inverse_hessians": 0.01 * np.eye(2), "tolerance": 1e-10, "evaluations": 40}
    together = minimise(rosenbrock, starts, LOWER, UPPER, **settings)
    for index, start in enumerate(starts):
        alone = minimise(rosenbrock, start[None], LOWER, UPPER, **settings)
        np.testing.assert_array_equal(alone.x[0], together.x[index])


def test_values_that_are_not_finite_are_never_taken() -> None:
    """A wall of NaN stops a step short; a start inside it ends at once."""

    def walled(x: np.ndarray, _: Any) -> tuple[np.ndarray, np.ndarray]:
        value, slope = np.square(x - 1.0).sum(axis=1), 2 * (x - 1.0)
        value[x[:, 0] > 0.5] = np.nan
        return value, slope

    starts = np.array([[-1.0, 0.0], [1.5, 0.0]])
    found = minimise(walled, starts, LOWER, UPPER, inverse_hessians=np.eye(2), tolerance=1e-12)
    assert np.isfinite(found.values[0])
    assert 0.0 < found.x[0, 0] <= 0.5
    assert np.isinf(found.values[1])


def test_budgets_are_kept_and_hopeless_starts_end_early() -> None:
    """No more points than allowed; a start far above the best one stops."""
    starts = np.array([[0.9, 0.8], [-2.0, 2.0]])
    settings: dict[str, Any] = {"inverse_hessians": 0.001 * np.eye(2), "tolerance": 1e-12}
    limited = minimise(rosenbrock, starts, LOWER, UPPER, points=7, **settings)
    assert limited.points <= 7
    all_of_it = minimise(rosenbrock, starts, LOWER, UPPER, **settings)
    early = minimise(rosenbrock, starts, LOWER, UPPER, hopeless=3.0, **settings)
    assert early.points < all_of_it.points
    assert early.values.min() == all_of_it.values.min()
