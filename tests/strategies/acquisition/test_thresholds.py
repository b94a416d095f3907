"""SemiPThresholdObjective: how well the threshold of the intensity is known."""

import numpy as np
import pytest

from fechner.strategies.acquisition import build
from fechner.strategies.acquisition.thresholds import thresholds
from fechner.strategies.models import fit, posterior
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.specification import Component


def data(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Trials of an observer with one threshold."""
    random = np.random.default_rng(0)
    x = random.uniform(size=(n, 2))
    return x, (random.uniform(size=n) < ndtr(10 * (x[:, 0] - 0.4))).astype(float)


@pytest.mark.parametrize("name", ["SemiParametricGPModel", "HadamardSemiPModel"])
def test_mean_and_spread_are_those_of_samples(name: str) -> None:
    """Thresholds of curves drawn from the posterior have the mean and, within a fifth, the sd."""
    x, y = data(60)
    component = Component(name)
    core = posterior(component, x, y, fit(component, x, y))
    at = np.column_stack([np.full(5, 0.9), np.linspace(0, 1, 5)])
    mean, variance = thresholds(core, 0.75)(at)
    ends = [np.column_stack([np.full(5, place), at[:, 1]]) for place in (0.0, 1.0)]
    if name == "SemiParametricGPModel":
        curves = core.drawn(np.vstack(ends), 2000, 1)
    else:
        middle, covariance = core.joint(np.vstack(ends))
        curves = np.random.default_rng(1).multivariate_normal(middle, covariance, 2000)
    low, high = curves[:, :5], curves[:, 5:]
    drawn = (core.latent_of(0.75) - low) / (high - low)
    np.testing.assert_allclose(mean, np.median(drawn, axis=0), atol=0.02)
    np.testing.assert_allclose(np.sqrt(variance), drawn.std(axis=0), rtol=0.3)


def test_the_variance_is_greatest_where_no_trial_was() -> None:
    """Whatever the intensity of the point asked about."""
    x, y = data(60)
    x[:, 1] *= 0.5
    component = Component("SemiParametricGPModel")
    core = posterior(component, x, y, fit(component, x, y))
    objective = Component("SemiPThresholdObjective", {"target": 0.75})
    function = build(Component("MCPosteriorVariance", {"objective": objective}), core, seed=1)
    places = np.array([[0.4, 0.25], [0.4, 1.0], [0.9, 1.0]])
    near, far, also = function.values(places)
    assert far > 2 * near
    assert far == also
    waiting = build(
        Component("MCPosteriorVariance", {"objective": objective}), core, seed=1, pending=places[1:2]
    )
    assert waiting.values(places[1:2])[0] < 0.9 * far


def test_another_model_has_no_such_threshold() -> None:
    """It says so."""
    component = Component("GPClassificationModel")
    x, y = data(10)
    core = posterior(component, x, y, fit(component, x, y))
    with pytest.raises(ValueError, match="semi-parametric"):
        thresholds(core, 0.75)
