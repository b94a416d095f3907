"""Objectives against quadrature, and what acquisition functions make of them."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from fechner.strategies.acquisition import build
from fechner.strategies.acquisition.level_set import binary_entropy
from fechner.strategies.acquisition.objectives import objective_of
from fechner.strategies.models import fit, posterior
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

SHAPES = ["FloorProbitObjective", "FloorLogitObjective", "FloorGumbelObjective"]
MODEL = Component("GPClassificationModel", {"floor": 0.5})
X = np.random.default_rng(1).uniform(size=(25, 2))
Y = (np.random.default_rng(2).uniform(size=25) < 0.5 + 0.5 * ndtr(6 * (X[:, 1] - 0.5))).astype(float)
CORE = posterior(MODEL, X, Y, fit(MODEL, X, Y))


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("floor", [0.0, 0.25])
def test_moments_are_those_of_quadrature(name: str, floor: float) -> None:
    """Mean, variance and expected entropy, for narrow and wide f."""
    objective = objective_of(Component(name, {"floor": floor}), CORE)
    assert objective is not None
    for mean, sd in ((0.0, 0.1), (-1.5, 1.0), (2.0, 3.0)):

        def expected(function: object, mean: float = mean, sd: float = sd) -> float:
            def inner(f: float) -> float:
                value = objective.value(np.array([f]))
                return float(function(value)[0]) * norm.pdf(f, mean, sd)  # type: ignore[operator]

            return quad(inner, mean - 9 * sd, mean + 9 * sd, limit=200, epsabs=1e-11)[0]

        at = np.array([mean]), np.array([sd * sd])
        first, second = objective.moments(*at)
        wanted = expected(lambda value: value)
        assert first[0] == pytest.approx(wanted, abs=1e-8)
        squared = expected(np.square)
        assert second[0] == pytest.approx(squared - wanted**2, abs=1e-8)
        entropy = objective.mean_of(binary_entropy, *at)[0]
        assert entropy == pytest.approx(expected(binary_entropy), abs=1e-6)


@pytest.mark.parametrize(
    "name", ["MCLevelSetEstimation", "MCPosteriorVariance", "BernoulliMCMutualInformation"]
)
def test_the_models_own_guess_rate_is_that_of_an_equal_objective(name: str) -> None:
    """FloorProbitObjective with the model's floor is ProbitObjective; gradients agree with differences."""
    at = sobol(3, 2, 0, 16)
    own = build(Component(name, {"objective": Component("ProbitObjective")}), CORE, seed=1)
    floored = Component("FloorProbitObjective", {"floor": 0.5})
    same = build(Component(name, {"objective": floored}), CORE, seed=1)
    np.testing.assert_allclose(own.values(at), same.values(at), rtol=1e-6, atol=1e-8)
    for shape in SHAPES:
        function = build(Component(name, {"objective": Component(shape, {"floor": 0.3})}), CORE, seed=1)
        assert function.gradients is not None
        slopes = function.gradients(at)[1]
        for j in range(2):
            shift = 1e-5 * np.eye(2)[j]
            wanted = (function.values(at + shift) - function.values(at - shift)) / 2e-5
            np.testing.assert_allclose(slopes[:, j], wanted, rtol=1e-3, atol=1e-4 * np.abs(slopes).max())
