"""Covariances of values and derivatives against differences."""

import numpy as np
import pytest

from fechner.strategies.models.kernels.functionals import Functionals, RowDifferences

KERNEL = Functionals(2.0, np.array([0.3, 0.7]), 1.3, np.array([0.4, 1.5]), 0.2)
STEP = 1e-4


def rows(n: int, seed: int) -> np.ndarray:
    """Values and derivatives by both coordinates, at random places."""
    random = np.random.default_rng(seed)
    return np.hstack([random.uniform(size=(n, 2)), random.integers(0, 3, (n, 1))])


def meant(row: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Places and weights of the values of f that make up what a row means."""
    place, of = row[:2], int(row[2])
    if of == 0:
        return [(place, 1.0)]
    shift = STEP * np.eye(2)[of - 1]
    weight = 1.0 / (2 * STEP * KERNEL.scale)
    return [(place + shift, weight), (place - shift, -weight)]


def test_covariances_are_those_of_differences() -> None:
    """Between values and derivatives in any order, and with themselves."""
    a, b = rows(9, 1), rows(8, 2)
    wanted = [
        [
            sum(u * w * KERNEL(p[None], q[None])[0, 0] for p, u in meant(one) for q, w in meant(other))
            for other in b
        ]
        for one in a
    ]
    np.testing.assert_allclose(KERNEL(a, b), wanted, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(KERNEL.diagonal(a), KERNEL(a, a).diagonal(), rtol=1e-12)


def test_places_are_rows_of_values() -> None:
    """A row of two numbers and one with a 0 behind mean the same."""
    a, b = rows(5, 3)[:, :2], rows(8, 4)
    np.testing.assert_array_equal(KERNEL(np.hstack([a, np.zeros((5, 1))]), b), KERNEL(a, b))


def test_derivatives_by_the_place_agree_with_differences() -> None:
    """What acquisition functions climb by."""
    a, b = rows(6, 5)[:, :2], rows(9, 6)
    weights = np.random.default_rng(0).standard_normal((6, 9))
    found = KERNEL.pulled_back(a, b, KERNEL.exponential(a, b), weights)
    for j in range(2):
        shift = 1e-6 * np.eye(2)[j]
        wanted = ((KERNEL(a + shift, b) - KERNEL(a - shift, b)) / 2e-6 * weights).sum(axis=1)
        np.testing.assert_allclose(found[:, j], wanted, rtol=1e-6, atol=1e-6)


def test_derivatives_by_hyperparameters_agree_with_differences() -> None:
    """Of the sum of weights times the matrix, by the logarithm of each hyperparameter."""
    places = rows(12, 7)
    prepared = RowDifferences.of_rows(places, KERNEL.scale)
    matrix, part = prepared.matrices(KERNEL)
    np.testing.assert_allclose(matrix, KERNEL(places, places), rtol=1e-10, atol=1e-10)
    weights = np.random.default_rng(1).standard_normal((12, 12))
    weights = weights + weights.T
    by_l, by_v, by_w = prepared.gradient(KERNEL, part, weights)

    def total(t: np.ndarray) -> float:
        assert KERNEL.slopes is not None
        kernel = Functionals(
            KERNEL.variance * np.exp(t[2]),
            KERNEL.lengthscales * np.exp(t[:2]),
            KERNEL.constant,
            KERNEL.slopes * np.exp(t[3:]),
            KERNEL.scale,
        )
        return float((weights * kernel(places, places)).sum())

    for index, slope in enumerate([*by_l, by_v, *by_w]):
        shift = 1e-5 * np.eye(5)[index]
        assert slope == pytest.approx((total(shift) - total(-shift)) / 2e-5, rel=1e-5, abs=1e-5)
