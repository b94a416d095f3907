"""Expectation propagation against brute force."""

import numpy as np
import pytest

from fechner.strategies.models.inference.binary_likelihood import expected_information, tilted
from fechner.strategies.models.inference.expectation_propagation import propagate
from fechner.strategies.numerics.normal import ndtr


def brute_force(
    covariance: np.ndarray, y: np.ndarray, floor: float, lapse: float
) -> tuple[float, np.ndarray]:
    """log P(y) and the posterior mean by quadrature over a fine grid of two latent values."""
    grid = np.linspace(-12, 12, 601)
    a, b = np.meshgrid(grid, grid, indexing="ij")
    points = np.stack([a.ravel(), b.ravel()], axis=1)
    inverse = np.linalg.inv(covariance)
    log_prior = -0.5 * np.einsum("ij,jk,ik->i", points, inverse, points)
    log_prior -= 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1]
    p = floor + (1 - floor - lapse) * ndtr(points)
    weight = np.exp(log_prior) * np.prod(np.where(y > 0.5, p, 1 - p), axis=1)
    evidence = weight.sum() * (grid[1] - grid[0]) ** 2
    return float(np.log(evidence)), (weight @ points) / weight.sum()


@pytest.mark.parametrize(("floor", "lapse"), [(0.0, 0.0), (0.25, 0.02)])
def test_evidence_and_mean_are_nearly_exact(floor: float, lapse: float) -> None:
    """Two trials: evidence within 1 % and means within .02 of quadrature."""
    covariance = np.array([[3.0, 1.8], [1.8, 2.0]])
    y = np.array([1.0, 0.0])
    sites = propagate(covariance, 0.0, y, floor=floor, lapse=lapse)
    evidence, mean = brute_force(covariance, y, floor, lapse)
    assert sites.converged
    assert sites.log_evidence == pytest.approx(evidence, abs=0.01)
    np.testing.assert_allclose(covariance @ sites.weights, mean, atol=0.02)


def test_one_trial_is_exact() -> None:
    """One trial has the closed form log Phi(0) = log 1/2."""
    sites = propagate(np.array([[4.0]]), 0.0, np.array([1.0]))
    assert sites.log_evidence == pytest.approx(np.log(0.5), abs=1e-9)


def test_contradicting_outcomes_settle() -> None:
    """Fifty outcomes of both kinds at one place give the mean of their share."""
    y = np.array([1.0] * 40 + [0.0] * 10)
    sites = propagate(np.full((50, 50), 9.0) + 1e-6 * np.eye(50), 0.0, y)
    assert sites.converged
    assert ndtr(9.0 * sites.weights.sum()) == pytest.approx(0.8, abs=0.02)


def test_derivatives_of_the_tilted_normaliser() -> None:
    """First and second derivative of log Z agree with differences, with guess and lapse rate too."""
    mean, variance, step = np.array([-2.0, 0.3, 1.7]), np.array([0.5, 2.0, 1.0]), 1e-4
    y = np.array([1.0, 0.0, 1.0])
    for floor, lapse in [(0.0, 0.0), (0.5, 0.03)]:
        low, _, _ = tilted(mean - step, variance, y, floor, lapse)
        middle, first, second = tilted(mean, variance, y, floor, lapse)
        high, _, _ = tilted(mean + step, variance, y, floor, lapse)
        np.testing.assert_allclose(first, (high - low) / (2 * step), rtol=1e-5)
        np.testing.assert_allclose(second, -(high - 2 * middle + low) / step**2, rtol=1e-4, atol=1e-5)


def test_expected_information_is_the_mean_over_outcomes() -> None:
    """What an unseen outcome brings is the average of minus the second derivative over both outcomes."""
    mean, variance = np.array([0.4]), np.array([1.5])
    log_z, _, if_yes = tilted(mean, variance, np.array([1.0]), 0.1, 0.0)
    _, _, if_no = tilted(mean, variance, np.array([0.0]), 0.1, 0.0)
    beta = np.exp(log_z) * if_yes + (1 - np.exp(log_z)) * if_no
    np.testing.assert_allclose(expected_information(mean, variance, 0.1, 0.0), beta / (1 - beta * variance))
