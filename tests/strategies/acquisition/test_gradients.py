"""Gradients of every acquisition function against differences."""

import numpy as np
import pytest

from fechner.strategies.acquisition import build
from fechner.strategies.acquisition.slopes import Climbing
from fechner.strategies.models import Posterior, fit, posterior
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

PROBIT = Component("ProbitObjective")
FACTORY = Component("DefaultMeanCovarFactory", {"lengthscale_prior": "lognormal"})
BINARY = [
    Component("MCLevelSetEstimation", {"target": 0.75, "objective": PROBIT}),
    Component("MCLevelSetEstimation", {"target": 0.3}),
    Component("MCPosteriorVariance"),
    Component("BernoulliMCMutualInformation"),
    Component("LocalMI", {"target": 0.75}),
    Component("LocalSUR", {"target": 0.75}),
    Component("EAVC", {"target": 0.75, "query_set_size": 50}),
    Component("GlobalMI", {"target": 0.75, "query_set_size": 50}),
    Component("GlobalSUR", {"target": 0.75, "query_set_size": 50}),
    Component("ApproxGlobalSUR", {"target": 0.75, "query_set_size": 50}),
]


def binary(d: int, floor: float, factory: Component | None = None) -> Posterior:
    """A posterior after 30 trials."""
    random = np.random.default_rng(d)
    x = random.uniform(size=(30, d))
    p = floor + (1 - floor) * ndtr(6 * (x[:, -1] - 0.5))
    y = (random.uniform(size=30) < p).astype(float)
    model = Component("GPClassificationModel", {"floor": floor, "mean_covar_factory": factory})
    return posterior(model, x, y, fit(model, x, y))


def differences(values: object, x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    out = np.empty_like(x)
    for j in range(x.shape[1]):
        shift = step * np.eye(x.shape[1])[j]
        out[:, j] = (values(x + shift) - values(x - shift)) / (2 * step)  # type: ignore[operator]
    return out


@pytest.mark.parametrize("floor", [0.0, 0.5])
@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize("component", BINARY, ids=lambda c: f"{c.name}-{len(c.keys)}")
def test_gradients_of_binary_outcomes(component: Component, d: int, floor: float) -> None:
    """Value and gradient agree with the values alone, with and without a guess rate."""
    core = binary(d, floor, FACTORY if d == 1 else None)
    function = build(component, core, seed=3)
    x = 0.05 + 0.9 * sobol(5, d, 0, 12)
    assert function.gradients is not None
    values, slopes = function.gradients(x)
    np.testing.assert_allclose(values, function.values(x), rtol=1e-7, atol=1e-9)
    wanted = differences(function.values, x)
    # differences of the tables, which are right to 1e-8
    np.testing.assert_allclose(slopes, wanted, rtol=1e-4, atol=3e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("name", ["qLogNoisyExpectedImprovement", "MCPosteriorVariance"])
def test_gradients_of_continuous_outcomes(name: str) -> None:
    """The same for continuous outcomes, with pending points."""
    random = np.random.default_rng(1)
    x = random.uniform(size=(20, 2))
    y = 5 + 3 * np.sin(5 * x).sum(axis=1) + 0.3 * random.standard_normal(20)
    model = Component("GPRegressionModel")
    core = posterior(model, x, y, fit(model, x, y))
    function = build(Component(name), core, seed=3, pending=np.array([[0.2, 0.9]]))
    at = 0.05 + 0.9 * sobol(5, 2, 0, 12)
    assert function.gradients is not None
    values, slopes = function.gradients(at)
    np.testing.assert_allclose(values, function.values(at), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(slopes, differences(function.values, at), rtol=1e-4, atol=1e-5)


def test_moments_and_covariances_are_the_posteriors() -> None:
    """What climbs is the same posterior that answers queries."""
    core = binary(3, 0.0)
    x, reference = sobol(1, 3, 0, 5), sobol(2, 3, 0, 7)
    climbing = Climbing(core, reference)
    at = climbing.moments(x)
    mean, variance = core.latent(x)
    np.testing.assert_allclose(at.mean, mean)
    np.testing.assert_allclose(at.variance, variance, rtol=1e-7)
    covariance, _ = climbing.covariance(at)
    np.testing.assert_allclose(covariance, core.joint(np.vstack([x, reference]))[1][:5, 5:], atol=1e-10)
