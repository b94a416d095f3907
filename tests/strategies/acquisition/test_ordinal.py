"""Acquisition functions of ordinal outcomes: gradients, and their maxima against a dense grid."""

import numpy as np
import pytest

from fechner.strategies.acquisition import build
from fechner.strategies.acquisition.optimise import maximise
from fechner.strategies.models import Posterior, fit, posterior
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

FUNCTIONS = [
    Component("MCPosteriorVariance"),
    Component("BernoulliMCMutualInformation"),
    Component("MCLevelSetEstimation", {"target": 0.2}),
    Component("qLogNoisyExpectedImprovement"),
]


def core(d: int) -> Posterior:
    """A posterior after 30 ratings from 0 to 3."""
    random = np.random.default_rng(d)
    x = random.uniform(size=(30, d))
    y = np.clip(np.round(4 * x[:, 0] - 0.5 + 0.3 * random.standard_normal(30)), 0, 3)
    model = Component("OrdinalGPModel", {"n_levels": 4})
    return posterior(model, x, y, fit(model, x, y))


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("component", FUNCTIONS, ids=lambda c: c.name)
def test_gradients(component: Component, d: int) -> None:
    """They agree with differences of the values, with a trial pending too."""
    for pending in (None, np.full((1, d), 0.3)):
        function = build(component, core(d), seed=3, pending=pending)
        x = 0.05 + 0.9 * sobol(5, d, 0, 12)
        assert function.gradients is not None
        values, slopes = function.gradients(x)
        np.testing.assert_allclose(values, function.values(x), rtol=1e-7, atol=1e-9)
        wanted = np.empty_like(x)
        for j in range(d):
            shift = 1e-5 * np.eye(d)[j]
            wanted[:, j] = (function.values(x + shift) - function.values(x - shift)) / 2e-5
        np.testing.assert_allclose(slopes, wanted, rtol=1e-3, atol=1e-3 * np.abs(wanted).max())


@pytest.mark.parametrize("component", FUNCTIONS, ids=lambda c: c.name)
def test_maxima_are_those_of_a_dense_grid(component: Component) -> None:
    """The optimiser is not below the best of 2,001 places."""
    posterior_1d = core(1)
    function = build(component, posterior_1d, seed=3)
    best = function.values(np.linspace(0, 1, 2001)[:, None]).max()
    _, value = maximise(function, posterior_1d.covariance.lengthscales, seed=1, scan=256)
    assert value >= best - 1e-3 * abs(best)
